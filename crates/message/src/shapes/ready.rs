//! The table made ready: which members a line must have for a place of it to be looked
//! at, so that most shapes cost a line nothing.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::path::step;
use super::table::{ANY, NONE, Shape, TABLE, When};
use crate::escape::text;
use crate::line::Line;
use crate::scan::Scanner;

/// All of the table, the first that fits counts; the usual places, and no shape.
pub(super) static READY: LazyLock<Table> = LazyLock::new(Table::new);

pub(super) struct Table {
    /// The first keys of all places.
    keys: HashMap<&'static str, usize>,
    pub(super) shapes: Vec<Ready>,
    pub(super) any: Ready,
    pub(super) none: Ready,
    /// Where the fields of a payload from the wire stand.
    pub(super) wire: Wire,
}

pub(super) struct Wire {
    pub(super) sender: [Place; 4],
    pub(super) tier: [Place; 3],
    pub(super) chain_type: [Place; 2],
    pub(super) tags: [Place; 2],
    pub(super) content: Places,
}

/// A place in a line.
pub(super) struct Place {
    key: usize,
    first: &'static str,
    rest: Vec<&'static str>,
}

pub(super) type Places = Vec<Place>;

/// A shape; its fields mean the same as those of [`Shape`].
pub(super) struct Ready {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    when: Vec<Mark>,
    pub(super) sender: Places,
    pub(super) kind: Places,
    pub(super) topic: Places,
    pub(super) time: Places,
    pub(super) id: Places,
    pub(super) reply: Places,
    pub(super) context: Places,
    pub(super) text: Places,
    pub(super) beside: &'static [&'static str],
    pub(super) inner: Places,
    pub(super) carried: Places,
    pub(super) base64: Places,
    pub(super) maker: Places,
}

enum Mark {
    Has(Place),
    Text(Place),
    Any(Places),
    Is(Place, &'static [&'static str]),
}

impl Table {
    fn new() -> Self {
        let mut keys = Keys(HashMap::new());
        let shapes = TABLE.into_iter().flatten();
        let shapes = shapes.map(|shape| keys.shape(shape)).collect();
        let (any, none) = (keys.shape(&ANY), keys.shape(&NONE));
        let wire = Wire {
            sender: ["sender_id", "sender", "from", "agent"].map(|path| keys.place(path)),
            tier: ["metadata/ace_tier", "ace_tier", "tier"].map(|path| keys.place(path)),
            chain_type: ["metadata/chain_type", "chain_type"].map(|path| keys.place(path)),
            tags: ["metadata/shl_tags", "shl_tags"].map(|path| keys.place(path)),
            content: keys.places(&["content"]),
        };
        Self {
            keys: keys.0,
            shapes,
            any,
            none,
            wire,
        }
    }
}

/// Gives each key a number.
struct Keys(HashMap<&'static str, usize>);

impl Keys {
    fn place(&mut self, path: &'static str) -> Place {
        let mut keys = path.split('/');
        let first = keys.next().unwrap_or_default();
        let next = self.0.len();
        Place {
            key: *self.0.entry(first).or_insert(next),
            first,
            rest: keys.collect(),
        }
    }

    fn places(&mut self, paths: &[&'static str]) -> Places {
        paths.iter().map(|path| self.place(path)).collect()
    }

    fn shape(&mut self, shape: &Shape) -> Ready {
        let marks = shape.when.iter().map(|mark| match mark {
            When::Has(path) => Mark::Has(self.place(path)),
            When::Text(path) => Mark::Text(self.place(path)),
            When::Any(paths) => Mark::Any(self.places(paths)),
            When::Is(path, words) => Mark::Is(self.place(path), words),
        });
        Ready {
            name: shape.name,
            default: shape.default,
            when: marks.collect(),
            sender: self.places(shape.sender),
            kind: self.places(shape.kind),
            topic: self.places(shape.topic),
            time: self.places(shape.time),
            id: self.places(shape.id),
            reply: self.places(shape.reply),
            context: self.places(shape.context),
            text: self.places(shape.text),
            beside: shape.beside,
            inner: self.places(shape.inner),
            carried: self.places(shape.carried),
            base64: self.places(shape.base64),
            maker: self.places(shape.maker),
        }
    }
}

impl Ready {
    pub(super) fn fits(&self, look: &Look<'_, '_>) -> bool {
        self.when.iter().all(|mark| match mark {
            Mark::Has(place) => look.find(place).is_some(),
            Mark::Text(place) => look.find(place).is_some_and(|token| token.starts_with('"')),
            Mark::Any(places) => places.iter().any(|place| look.find(place).is_some()),
            Mark::Is(place, words) => {
                let found = look.find(place).and_then(text);
                found.is_some_and(|found| words.contains(&&*found))
            }
        })
    }
}

/// The members of an object.
type Members<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// A line, and which of the table's keys it has.
pub(super) struct Look<'l, 'a> {
    pub(super) line: &'l Line<'a>,
    present: Vec<bool>,
    /// The members of objects in the line that were looked at, by where they stand.
    inside: RefCell<Vec<(&'a str, Members<'a>)>>,
}

impl<'l, 'a> Look<'l, 'a> {
    pub(super) fn new(line: &'l Line<'a>) -> Self {
        let mut present = vec![false; READY.keys.len()];
        line.for_each_key(|key| {
            if let Some(present) = READY.keys.get(key).and_then(|at| present.get_mut(*at)) {
                *present = true;
            }
        });
        Self {
            line,
            present,
            inside: RefCell::default(),
        }
    }

    /// Returns the JSON at a place, if there is any.
    pub(super) fn find(&self, place: &Place) -> Option<&'a str> {
        if !*self.present.get(place.key)? {
            return None;
        }
        let first = self.line.get(place.first)?;
        self.steps(first, &place.rest)
    }

    fn steps(&self, token: &'a str, keys: &[&str]) -> Option<&'a str> {
        let Some((key, rest)) = keys.split_first() else {
            return Some(token);
        };
        let next = match token.starts_with('{') {
            true => self.member(token, key)?,
            false => step(token, key)?,
        };
        rest.iter().try_fold(next, |token, key| step(token, key))
    }

    /// Returns a member of an object in the line, whose members are read once.
    fn member(&self, object: &'a str, key: &str) -> Option<&'a str> {
        let mut inside = self.inside.borrow_mut();
        let known = inside
            .iter()
            .position(|(other, _)| std::ptr::eq(*other, object));
        let at = known.unwrap_or_else(|| {
            inside.push((object, members(object)));
            inside.len() - 1
        });
        let (_, members) = inside.get(at)?;
        let found = members.iter().find(|(other, _)| other == key);
        found.map(|(_, token)| *token)
    }

    /// Returns members of the object in which a place stands, and the place's own key.
    pub(super) fn beside<'k>(
        &self,
        place: &Place,
        keys: impl Iterator<Item = &'k str>,
    ) -> (&'static str, Vec<(&'k str, &'a str)>) {
        let (own, parent) = match place.rest.split_last() {
            Some((own, parent)) => (*own, Some(parent)),
            None => (place.first, None),
        };
        let present = self.present.get(place.key) == Some(&true);
        let object = parent.map(|parent| {
            let first = self.line.get(place.first).filter(|_| present);
            first.and_then(|first| self.steps(first, parent))
        });
        let others = keys.filter(|key| *key != own).filter_map(|key| {
            let token = match object {
                Some(object) => self.steps(object?, &[key]),
                None => self.line.get(key),
            };
            Some((key, token?))
        });
        (own, others.collect())
    }
}

/// Reads the members of an object; of equal keys the first counts.
fn members(object: &str) -> Members<'_> {
    let mut found = Members::new();
    let mut read = || {
        let mut scanner = Scanner::new(object);
        let mut next = scanner.first_key()?;
        while let Some(key) = next {
            found.push((key, scanner.value()?));
            next = scanner.next_key()?;
        }
        crate::scan::Scan::Ok(())
    };
    // What stands before a violation counts; lines have none.
    let _read = read();
    found
}

//! Lines of other programs, by a table.
//!
//! A line that neither this recorder nor the older one wrote is compared with the
//! shapes in [`table`]; of one that fits, the table tells where its fields stand.
//! Whatever fits no shape is read as a payload from the wire is, and in any case a
//! line keeps what nobody knows of: its content is the whole line then.

mod expand;
mod inner;
mod kinds;
pub(crate) mod path;
mod readable;
mod ready;
mod table;

use std::borrow::Cow;

use crate::escape::text;
use crate::line::Line;
use crate::links::Links;
use crate::normalise::{string, tags};
use crate::scan::elements;

pub(crate) use expand::is_list;
pub use expand::{message_ranges, object_len};
pub use readable::{Readable, readable};

use kinds::sender_of_kind;
use ready::{Look, Place, READY, Ready};

/// What a line of some other program says.
#[derive(Debug, Default)]
pub(crate) struct Other<'a> {
    pub(crate) topic: Option<Cow<'a, str>>,
    pub(crate) sender: Option<Cow<'a, str>>,
    pub(crate) timestamp: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) links: Links<'a>,
    pub(crate) tier: Option<Cow<'a, str>>,
    pub(crate) chain_type: Option<Cow<'a, str>>,
    pub(crate) shl_tags: Vec<Cow<'a, str>>,
    /// The content as JSON; `None` is the whole line.
    pub(crate) content: Option<Cow<'a, str>>,
}

/// Reads a line by the table; `depth` tells how many lines it stands in.
pub(crate) fn read<'a>(line: &Line<'a>, depth: usize) -> Other<'a> {
    let look = Look::new(line);
    let shape = shape_of(&look);
    let mut other = outer(&look, shape);
    if let Some(shape) = shape {
        inner::put(&look, shape, depth, &mut other);
    }
    other
}

/// Finds the shape of a line. One that has the usual fields is of none.
fn shape_of(look: &Look<'_, '_>) -> Option<&'static Ready> {
    if is_usual(look) {
        return None;
    }
    READY.shapes.iter().find(|shape| shape.fits(look))
}

fn is_usual(look: &Look<'_, '_>) -> bool {
    look.line.content.is_some() && look.line.sender.is_some()
}

fn outer<'a>(look: &Look<'_, 'a>, shape: Option<&Ready>) -> Other<'a> {
    let of = shape.unwrap_or(&READY.none);
    let any = &READY.any;
    let topic = string(&[look.line.topic])
        .and_then(text)
        .or_else(|| first(look, &of.topic, name))
        .or(shape.map(|shape| Cow::Borrowed(shape.name)));
    let wire = |places: &[Place]| {
        let found: Vec<_> = places.iter().map(|place| look.find(place)).collect();
        string(&found).and_then(text)
    };
    let shl_tags = READY.wire.tags.each_ref().map(|place| look.find(place));
    Other {
        topic,
        sender: match shape {
            Some(shape) => sender(look, of)
                .map(trimmed)
                .or(Some(Cow::Borrowed(shape.default))),
            None => sender(look, of),
        },
        timestamp: first(look, &of.time, time).or_else(|| first(look, &any.time, time)),
        id: named(look, &of.id, &any.id),
        links: Links {
            in_reply_to: named(look, &of.reply, &any.reply),
            context_id: first(look, &of.context, identifier)
                .or_else(|| first(look, &any.context, name)),
        },
        tier: wire(&READY.wire.tier),
        chain_type: wire(&READY.wire.chain_type),
        shl_tags: tags(&shl_tags)
            .into_iter()
            .flat_map(elements)
            .filter_map(text)
            .collect(),
        content: content(look, of),
    }
}

fn sender<'a>(look: &Look<'_, 'a>, of: &Ready) -> Option<Cow<'a, str>> {
    let any = &READY.any;
    let kind = |places| {
        let kind = first(look, places, name)?;
        sender_of_kind(&kind).map(Cow::Borrowed)
    };
    let wire = READY.wire.sender.each_ref().map(|place| look.find(place));
    first(look, &of.sender, name)
        .or_else(|| string(&wire).and_then(text))
        .or_else(|| kind(&of.kind))
        .or_else(|| first(look, &of.maker, name))
        .or_else(|| first(look, &any.sender, name))
        .or_else(|| kind(&any.kind))
}

/// Some programs write a line break behind a name.
fn trimmed(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.trim()),
        Cow::Owned(name) if name.trim().len() < name.len() => Cow::Owned(name.trim().to_owned()),
        name => name,
    }
}

/// Returns what was said, with what is said beside it; `None` is the whole line. A
/// content that says nothing counts only where nothing else says anything.
fn content<'a>(look: &Look<'_, 'a>, of: &Ready) -> Option<Cow<'a, str>> {
    let own = look.line.content.filter(|_| of.text.is_empty());
    let own_said = own.and_then(said);
    if is_usual(look) && own_said.is_some() {
        return own_said.map(Cow::Borrowed);
    }
    let places = match own {
        Some(_) => &READY.wire.content,
        None => &of.text,
    };
    let tabled = places.iter().find_map(|place| {
        let there = look.find(place).and_then(said)?;
        let with = beside(look, of, place, Some(there));
        Some(with.map_or(Cow::Borrowed(there), Cow::Owned))
    });
    let mut alone = places.iter();
    let tabled = tabled.or_else(|| {
        let alone = alone.find_map(|place| beside(look, of, place, None));
        alone.map(Cow::Owned)
    });
    let own_text = || own_said.or_else(|| own.and_then(|_| first(look, &READY.any.text, said)));
    // An empty text is what somebody said; of a tool's result it is less than the whole line.
    let is_somebodys = || first(look, &READY.any.sender, name).is_some();
    let nothing = own.filter(|own| is_usual(look) || (*own != "null" && is_somebodys()));
    tabled.or_else(|| own_text().or(nothing).map(Cow::Borrowed))
}

/// Makes an object of what was said at a place and what is said beside it; `None`
/// where that is nothing.
fn beside(
    look: &Look<'_, '_>,
    of: &Ready,
    place: &Place,
    said_there: Option<&str>,
) -> Option<String> {
    let keys = of.beside.iter().chain(READY.any.beside);
    let (key, mut members) = look.beside(place, keys.copied());
    members.retain(|(_, token)| said(token).is_some());
    if members.is_empty() {
        return None;
    }
    members.extend(said_there.map(|said| (key, said)));
    let members: Vec<String> = members
        .iter()
        .map(|(key, token)| format!("\"{key}\":{token}"))
        .collect();
    Some(format!("{{{}}}", members.join(",")))
}

/// Takes a shape's own places; where it has none, the usual ones.
fn named<'a>(look: &Look<'_, 'a>, own: &[Place], any: &[Place]) -> Option<Cow<'a, str>> {
    match own {
        [] => first(look, any, name),
        own => first(look, own, identifier),
    }
}

/// Returns the first of some places of a line at which there is what is wanted.
fn first<'a, T>(
    look: &Look<'_, 'a>,
    places: &[Place],
    want: impl Fn(&'a str) -> Option<T>,
) -> Option<T> {
    places.iter().find_map(|place| want(look.find(place)?))
}

/// A text that says something.
fn name(token: &str) -> Option<Cow<'_, str>> {
    text(token).filter(|text| !text.trim().is_empty())
}

/// A text, or a number as it is spelled.
fn identifier(token: &str) -> Option<Cow<'_, str>> {
    let is_number = token.starts_with(|c: char| c.is_ascii_digit());
    name(token).or_else(|| is_number.then_some(Cow::Borrowed(token)))
}

/// A text, or a number that can be a time, as it is spelled; of an object with
/// seconds, or with a date as MongoDB exports it, these.
fn time(token: &str) -> Option<Cow<'_, str>> {
    /// The first second with this many digits was in 1973.
    const DIGITS: usize = 9;
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    match token.as_bytes().first()? {
        b'{' => {
            let mut inside = ["seconds", "$date", "$numberLong"].into_iter();
            inside.find_map(|key| path::member(token, key).and_then(time))
        }
        _ if digits >= DIGITS => Some(Cow::Borrowed(token)),
        _ => name(token),
    }
}

/// A content, unless it is null or says nothing.
pub(crate) fn said(token: &str) -> Option<&str> {
    let is_empty = matches!(token, "null" | "\"\"" | "[]" | "{}");
    (!is_empty).then_some(token)
}

#[cfg(test)]
mod tests;

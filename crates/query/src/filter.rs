//! Which messages are asked for.
//!
//! What somebody asks for ([`Criteria`]) is compiled once into a [`Filter`],
//! which is then tested on the [`Fields`] of each message.

mod text;

use std::ops::RangeInclusive;

use regex::RegexBuilder;

use crate::error::Error;
use crate::fields::Fields;
use crate::marks::Marks;
use crate::time::Instant;
pub(crate) use text::Needle;
use text::Text;

/// What somebody asks for. Criteria combine: a message has to meet all of them.
///
/// Of several values for one field, one has to fit. A value behind a `!` must
/// not fit: `["a", "!b"]` is whatever is `a`, and is not `b`. A backslash in
/// front of the `!` makes it a part of the value.
///
/// Numbers and times leave a message out whatever the other criteria say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// Only messages of these tiers.
    pub tier: Vec<String>,
    /// Only messages of these chain types.
    pub chain: Vec<String>,
    /// Only messages of these senders.
    pub sender: Vec<String>,
    /// Only messages that came by a connection which one of these keys opened.
    pub key: Vec<String>,
    /// Only messages that were recorded first in another journal of one of these names.
    pub origin: Vec<String>,
    /// Only messages whose topic begins so: what a subscription to it would get.
    pub topic: Vec<String>,
    /// Only messages to which their sender gave one of these names.
    pub id: Vec<String>,
    /// Only messages that carry one of these tags.
    pub tag: Vec<String>,
    /// Only messages in whose content a value matches one of these regular
    /// expressions: a text, or a number or word as it is spelled; keys do not count.
    pub grep: Vec<String>,
    /// Whether `grep` takes upper and lower case for the same.
    pub ignore_case: bool,
    /// Only messages with this number or a higher one.
    pub from: Option<u64>,
    /// Only messages with this number or a lower one.
    pub to: Option<u64>,
    /// Only messages recorded at this time or later. For older recorders' lines,
    /// which do not tell, the sender's time counts.
    pub since: Option<Instant>,
    /// Only messages recorded before this time.
    pub until: Option<Instant>,
}

/// Criteria made ready to be tested on many messages.
///
/// ```
/// use query::{Criteria, Fields, Filter};
///
/// let filter = Filter::compile(&Criteria {
///     sender: vec!["gemini".to_owned(), "claude".to_owned()],
///     topic: vec!["!design".to_owned()],
///     ..Criteria::default()
/// })?;
/// let line = br#"{"topic":"review","sender":"gemini","content":1}"#;
/// assert!(filter.matches(&Fields::from(message::Record::parse(line)?)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Filter {
    fields: Vec<FieldTest>,
    window: Option<Window>,
    texts: Wanted<Text>,
    numbers: Option<RangeInclusive<u64>>,
    marks: Marks,
}

/// A stretch of time; its end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) since: Option<Instant>,
    pub(crate) until: Option<Instant>,
}

/// What is wanted of one field.
#[derive(Debug, Clone)]
pub(crate) struct FieldTest {
    pub(crate) kind: Kind,
    pub(crate) values: Wanted<Vec<u8>>,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tier,
    Chain,
    Sender,
    Key,
    Origin,
    Topic,
    Id,
    Tag,
}

/// One of the first has to fit, unless there is none, and none of the second.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<T> {
    pub(crate) any_of: Vec<T>,
    pub(crate) none_of: Vec<T>,
}

impl Filter {
    /// Compiles criteria; without any, every message matches.
    ///
    /// # Errors
    /// [`Error::Pattern`] where `grep` has no regular expression.
    pub fn compile(criteria: &Criteria) -> Result<Self, Error> {
        let kinds = [
            (Kind::Tier, &criteria.tier),
            (Kind::Sender, &criteria.sender),
            (Kind::Key, &criteria.key),
            (Kind::Origin, &criteria.origin),
            (Kind::Chain, &criteria.chain),
            (Kind::Topic, &criteria.topic),
            (Kind::Id, &criteria.id),
            (Kind::Tag, &criteria.tag),
        ];
        let fields = kinds.into_iter().filter(|(_, values)| !values.is_empty());
        let fields = fields.map(|(kind, values)| FieldTest {
            kind,
            values: Wanted::of(values, |value| value.as_bytes().to_vec()),
        });
        let texts = Wanted::of(&criteria.grep, |pattern| {
            Text::compile(pattern, criteria.ignore_case)
        });
        let (from, to) = (criteria.from, criteria.to);
        let numbers =
            (from.is_some() || to.is_some()).then(|| from.unwrap_or(0)..=to.unwrap_or(u64::MAX));
        let window = Window {
            since: criteria.since,
            until: criteria.until,
        };
        Ok(Self {
            fields: fields.collect(),
            window: window.is_bounded().then_some(window),
            texts: texts.transpose()?,
            numbers,
            marks: marks(criteria),
        })
    }

    /// Returns what is searched in texts, to be shown where it is found.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.marks.clone()
    }

    /// Tells whether every message matches because nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            fields,
            window,
            texts,
            numbers,
            marks: _,
        } = self;
        fields.is_empty() && window.is_none() && texts.is_empty() && numbers.is_none()
    }

    /// Tells whether a message is asked for, whatever its number.
    #[must_use]
    pub fn matches(&self, fields: &Fields<'_>) -> bool {
        self.fields.iter().all(|test| test.holds(fields))
            && self.window.is_none_or(|window| window.holds(fields))
            && (self.texts.is_empty() || self.texts.holds(|text| text.is_in(&fields.content)))
    }

    /// Tells whether a message with this number is asked for.
    #[must_use]
    pub fn accepts_number(&self, number: u64) -> bool {
        self.numbers
            .as_ref()
            .is_none_or(|range| range.contains(&number))
    }

    /// Returns the same filter for messages up to this number.
    pub(crate) fn up_to(&self, number: u64) -> Self {
        let asked = self.numbers.clone().unwrap_or(0..=u64::MAX);
        Self {
            numbers: Some(*asked.start()..=number.min(*asked.end())),
            ..self.clone()
        }
    }

    /// Returns what is asked of the fixed fields.
    pub(crate) fn field_tests(&self) -> &[FieldTest] {
        &self.fields
    }

    /// Tells whether the text of the content has to be looked at.
    pub(crate) fn has_text(&self) -> bool {
        !self.texts.is_empty()
    }

    /// Returns the numbers that are asked for, if not all are.
    pub(crate) fn numbers(&self) -> Option<&RangeInclusive<u64>> {
        self.numbers.as_ref()
    }

    /// Tells whether files may be read from somewhere in the middle, where nobody
    /// knows how many lines come before.
    pub(crate) fn is_narrow(&self) -> bool {
        self.numbers.is_some()
    }

    /// Returns the stretch of time that is asked for, if not all is.
    pub(crate) fn window(&self) -> Option<Window> {
        self.window
    }

    /// Returns for each text of which one has to be there the pieces that are in
    /// every value in which it is found, but for the case of ASCII letters.
    pub(crate) fn texts(&self) -> impl Iterator<Item = Vec<&[u8]>> {
        self.texts.any_of.iter().map(Text::pieces)
    }

    /// Returns what every line that matches has in it, if there is such a thing.
    pub(crate) fn needle(&self) -> Option<Needle> {
        let text = || match (&self.texts.any_of[..], &self.texts.none_of[..]) {
            ([text], _) => text.needle(),
            _ => None,
        };
        let only = |kind| {
            let test = self.fields.iter().find(|test| test.kind == kind)?;
            match &test.values.any_of[..] {
                [value] => Needle::of(std::str::from_utf8(value).ok()?),
                _ => None,
            }
        };
        only(Kind::Id).or_else(text).or_else(|| only(Kind::Key))
    }
}

/// Compiles what is searched once more, for texts that are shown.
fn marks(criteria: &Criteria) -> Marks {
    let wanted = criteria
        .grep
        .iter()
        .filter(|pattern| !pattern.starts_with('!'));
    let regexes = wanted.filter_map(|pattern| {
        let pattern = pattern
            .strip_prefix("\\!")
            .map_or(pattern.clone(), |rest| format!("!{rest}"));
        let mut builder = RegexBuilder::new(&pattern);
        builder
            .case_insensitive(criteria.ignore_case)
            .multi_line(true);
        builder.build().ok()
    });
    Marks::new(regexes)
}

impl FieldTest {
    /// Tells whether a message passes.
    pub(crate) fn holds(&self, fields: &Fields<'_>) -> bool {
        let values = &self.values;
        match self.kind {
            Kind::Tier => values.holds(|value| *fields.tier == **value),
            Kind::Chain => values.holds(|value| *fields.chain == **value),
            Kind::Sender => values.holds(|value| *fields.sender == **value),
            Kind::Key => {
                let key = fields.key_name();
                values.holds(|value| key.as_deref() == Some(value))
            }
            Kind::Origin => {
                let origin = fields.origin();
                values.holds(|value| origin.as_deref() == Some(value))
            }
            Kind::Topic => values.holds(|value| fields.topic.starts_with(value)),
            Kind::Id => values.holds(|value| fields.id.as_deref() == Some(value)),
            Kind::Tag => values.holds(|value| fields.tags.iter().any(|tag| tag == value)),
        }
    }
}

impl Window {
    fn is_bounded(self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    fn holds(self, fields: &Fields<'_>) -> bool {
        let time = fields.recorded_at.as_ref().unwrap_or(&fields.timestamp);
        let time = std::str::from_utf8(time).ok().and_then(Instant::parse);
        time.is_some_and(|time| self.has(time))
    }

    /// Tells whether a time is in it.
    pub(crate) fn has(self, time: Instant) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

impl<T> Wanted<T> {
    fn of(values: &[String], make: impl Fn(&str) -> T) -> Self {
        let mut wanted = Self::default();
        for value in values {
            match value.strip_prefix('!') {
                Some(value) => wanted.none_of.push(make(value)),
                None => {
                    let is_escaped = value.trim_start_matches('\\').starts_with('!');
                    let value = value
                        .strip_prefix('\\')
                        .filter(|_| is_escaped)
                        .unwrap_or(value);
                    wanted.any_of.push(make(value));
                }
            }
        }
        wanted
    }

    fn is_empty(&self) -> bool {
        self.any_of.is_empty() && self.none_of.is_empty()
    }

    fn holds(&self, mut fits: impl FnMut(&T) -> bool) -> bool {
        (self.any_of.is_empty() || self.any_of.iter().any(&mut fits))
            && !self.none_of.iter().any(fits)
    }
}

impl<T> Wanted<Result<T, Error>> {
    fn transpose(self) -> Result<Wanted<T>, Error> {
        Ok(Wanted {
            any_of: self.any_of.into_iter().collect::<Result<_, _>>()?,
            none_of: self.none_of.into_iter().collect::<Result<_, _>>()?,
        })
    }
}

impl<T> Default for Wanted<T> {
    fn default() -> Self {
        Self {
            any_of: Vec::new(),
            none_of: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;

//! Who answered whom, and how long it took.
//!
//! A reply and the message that it answers may be found by different workers.
//! Each keeps what it found by a hash of the message's name, and in the end they
//! are put together. When that becomes too much, only names are kept whose hash
//! begins with a zero bit, then with two, and so on: what is left is a sample of
//! pairs that is the same however the work was split.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::accumulator::Found;
use super::hash::hash;
use super::open;
use super::place::MessagePlace;
use crate::fields::{Content, bytes};
use crate::shape::{Reply, reply};
use crate::special::closing_quote;

/// More messages and replies than this are not put together. Each that is kept has
/// to be read further than others, so that this costs time as well as memory.
const KEPT: usize = if cfg!(test) { 64 } else { 1 << 15 };

static REPLY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("in_reply_to"));

/// Messages with names, and replies to names.
#[derive(Debug, Clone, Default)]
pub(super) struct Replies {
    /// The first message of each name.
    pub(super) asked: HashMap<u64, Asked>,
    pub(super) answers: Vec<Answer>,
    pub(super) level: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) name: u64,
    pub(super) place: MessagePlace,
    pub(super) time: Option<i64>,
    pub(super) is_question: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    /// The name of what it answers.
    pub(super) to: u64,
    pub(super) sender: u64,
    pub(super) time: Option<i64>,
}

/// What came of putting messages and replies together.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// How long replies took, in milliseconds, by the hash of their sender, in
    /// growing order.
    pub(super) times: HashMap<u64, Vec<i64>>,
    /// How many replies there are to messages that are there.
    pub(super) answers: u64,
    /// Questions without a reply, the newest last.
    pub(super) open: Vec<MessagePlace>,
    /// One in this many names was looked at.
    pub(super) one_in: u64,
}

impl Replies {
    /// Begins to keep no more names than are kept here.
    pub(super) fn beside(&self) -> Self {
        Self {
            level: self.level,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, found: &Found<'_>, time: Option<i64>) {
        if let Some(id) = &found.fields.id
            && let Some(name) = self.kept(id)
            && !id.is_empty()
        {
            let place = MessagePlace {
                file: found.file,
                offset: found.offset,
            };
            if self.is_first(name, place) {
                let asked = Asked {
                    name,
                    place,
                    time,
                    is_question: open::is_question(found.fields),
                };
                self.asked.insert(name, asked);
                self.thin_out();
            }
        }
        if let Some(to) = self.answered(found) {
            let sender = hash(&found.fields.sender);
            self.answers.push(Answer { to, sender, time });
            self.thin_out();
        }
    }

    /// Returns which name a message answers, if that one is kept.
    #[inline]
    fn answered(&self, found: &Found<'_>) -> Option<u64> {
        if let Some(to) = &found.fields.in_reply_to {
            return self.kept(to.as_ref()?);
        }
        // Before the content, a line of ours has no links.
        let text = match found.fields.content {
            Content::From(content) => content,
            _ => found.line,
        };
        let at = REPLY.find(text)?;
        let certain = only_name(text, at);
        if certain.is_some_and(|name| self.kept(name).is_none()) {
            return None;
        }
        let by_shape = match (certain, &found.fields.content) {
            (Some(_), Content::From(content)) => reply(content, at),
            _ => Reply::Unclear,
        };
        match by_shape {
            Reply::To(name) => self.kept(name),
            Reply::None => None,
            Reply::Unclear => {
                let record = message::Record::parse_fields(found.line).ok()?;
                self.kept(record.links().in_reply_to?.as_bytes())
            }
        }
    }

    fn kept(&self, name: &[u8]) -> Option<u64> {
        Some(hash(name)).filter(|name| name.leading_zeros() >= self.level)
    }

    /// Tells whether no message of this name is known that came before.
    fn is_first(&self, name: u64, place: MessagePlace) -> bool {
        let known = self.asked.get(&name);
        known.is_none_or(|known| place < known.place)
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.level = self.level.max(other.level);
        for asked in other.asked.into_values() {
            if self.is_first(asked.name, asked.place) {
                self.asked.insert(asked.name, asked);
            }
        }
        self.answers.extend(other.answers);
        self.raise(self.level);
        self.thin_out();
    }

    /// Drops names until there are few enough.
    ///
    /// A worker never drops more than will be dropped in the end: all have more
    /// than it has.
    #[inline]
    fn thin_out(&mut self) {
        while self.asked.len() + self.answers.len() > KEPT && self.level < u64::BITS {
            self.raise(self.level + 1);
        }
    }

    /// Drops the names that drop out at this level.
    pub(super) fn raise(&mut self, level: u32) {
        let level = self.level.max(level);
        self.level = level;
        self.asked.retain(|name, _| name.leading_zeros() >= level);
        self.answers
            .retain(|answer| answer.to.leading_zeros() >= level);
    }

    /// Puts replies and what they answer together.
    pub(super) fn matched(&self) -> Matched {
        let mut matched = Matched {
            one_in: 1_u64.checked_shl(self.level).unwrap_or(u64::MAX),
            ..Matched::default()
        };
        let mut answered = HashSet::new();
        for answer in &self.answers {
            let Some(asked) = self.asked.get(&answer.to) else {
                continue;
            };
            matched.answers += 1;
            answered.insert(answer.to);
            if let (Some(asked), Some(replied)) = (asked.time, answer.time) {
                // Clocks may be set back.
                let took = replied.saturating_sub(asked).max(0);
                matched.times.entry(answer.sender).or_default().push(took);
            }
        }
        matched
            .times
            .values_mut()
            .for_each(|times| times.sort_unstable());
        let open = self.asked.values().filter(|asked| asked.is_question);
        let open = open.filter(|asked| !answered.contains(&asked.name));
        matched.open = open.map(|asked| asked.place).collect();
        matched.open.sort_unstable();
        matched
    }
}

/// Returns the name that a message answers, if it answers any, of a record that is
/// read already.
pub(crate) fn name_of<'a>(record: &message::Record<'a>, line: &[u8]) -> Option<Cow<'a, [u8]>> {
    let told = record.tabled_reply();
    let told = told.or_else(|| REPLY.find(line).and_then(|_| record.links().in_reply_to));
    told.map(bytes)
}

/// Returns the name that a message answers if it answers any: what stands behind
/// the line's only `in_reply_to`, at that place. `None` where that is not certain.
///
/// It spares parsing the lines of names that are not kept.
fn only_name(line: &[u8], at: usize) -> Option<&[u8]> {
    let behind = line.get(at + REPLY.needle().len()..)?;
    if REPLY.find(behind).is_some() {
        return None;
    }
    let value = behind.strip_prefix(b"\"")?.trim_ascii_start();
    let value = value.strip_prefix(b":")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"")?;
    value.get(..closing_quote(value)?)
}

/// Returns the value that `percent` percent of the sorted values do not exceed, one that
/// occurs (the [nearest rank](https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method));
/// `None` where there is none.
///
/// ```
/// assert_eq!(query::percentile(&[1, 2, 3, 4], 50), Some(2));
/// ```
#[must_use]
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_only_where_it_is_certain() {
        let read = |line: &'static str| {
            let at = REPLY.find(line.as_bytes())?;
            only_name(line.as_bytes(), at)
        };
        assert_eq!(read(r#"{"in_reply_to" : "a","b":1}"#), Some(&b"a"[..]));
        for line in [
            r#"{"in_reply_to":"a\u0062"}"#,
            r#"{"in_reply_to":null}"#,
            r#"{"x":"in_reply_to","in_reply_to":"a"}"#,
            r#"{"payload":"{\"in_reply_to\":\"a\"}"}"#,
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn percentiles_are_values_that_occur() {
        let times: Vec<i64> = (1..=20).collect();
        assert_eq!(percentile(&times, 50), Some(10));
        assert_eq!(percentile(&times, 95), Some(19));
        assert_eq!(percentile(&times[..1], 95), Some(1));
        assert_eq!(percentile::<i64>(&[], 50), None);
    }
}

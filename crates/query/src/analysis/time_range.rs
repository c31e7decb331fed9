//! The earliest and the latest of many timestamps.

use std::cmp::Reverse;

use crate::time::Instant;

/// The earliest and the latest of many timestamps, compared as instants.
///
/// Of equal instants the one that came first stands for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeRange {
    first: Time,
    last: Time,
    /// Both, where they have the usual form.
    usual: Option<(Usual, Usual)>,
}

/// A text of the usual form; such texts are in the order of their times.
type Usual = [u64; 3];

/// A timestamp, and in which file and where in it its message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Time {
    instant: Instant,
    place: (usize, u64),
    text: String,
}

impl Time {
    /// Becomes another time, in the same memory.
    fn set(&mut self, instant: Instant, place: (usize, u64), text: &str) {
        self.instant = instant;
        self.place = place;
        self.text.clear();
        self.text.push_str(text);
    }
}

impl TimeRange {
    pub(super) fn new(instant: Instant, place: (usize, u64), text: &str) -> Self {
        let time = Time {
            instant,
            place,
            text: text.to_owned(),
        };
        let mut range = Self {
            first: time.clone(),
            last: time,
            usual: None,
        };
        range.remember();
        range
    }

    fn remember(&mut self) {
        let first = usual_form(self.first.text.as_bytes());
        self.usual = first.zip(usual_form(self.last.text.as_bytes()));
    }

    pub(super) fn add(&mut self, instant: Instant, place: (usize, u64), text: &str) {
        let (first, last) = (&self.first, &self.last);
        if (instant, place) < (first.instant, first.place) {
            self.first.set(instant, place, text);
        }
        if (instant, Reverse(place)) > (last.instant, Reverse(last.place)) {
            self.last.set(instant, place, text);
        }
        self.remember();
    }

    /// Tells, for most timestamps, that they change nothing.
    #[inline]
    pub(super) fn holds_already(&self, text: &[u8]) -> bool {
        let (Some((first, last)), Some(text)) = (self.usual, usual_form(text)) else {
            return false;
        };
        first < text && text < last
    }

    pub(super) fn merge(&mut self, other: Self) {
        let (first, last) = (other.first, other.last);
        if (first.instant, first.place) < (self.first.instant, self.first.place) {
            self.first = first;
        }
        if (last.instant, Reverse(last.place)) > (self.last.instant, Reverse(self.last.place)) {
            self.last = last;
        }
        self.remember();
    }

    /// Makes the range between two timestamps, each with where its message
    /// stands; `None` where they are none.
    pub(crate) fn between(
        first: ((usize, u64), String),
        last: ((usize, u64), String),
    ) -> Option<Self> {
        let time = |(place, text): ((usize, u64), String)| {
            let instant = Instant::parse(&text)?;
            Some(Time {
                instant,
                place,
                text,
            })
        };
        let mut range = Self {
            first: time(first)?,
            last: time(last)?,
            usual: None,
        };
        range.remember();
        Some(range)
    }

    /// Returns where the messages with the earliest and the latest timestamp
    /// stand in their files, and those timestamps.
    pub(crate) fn ends(&self) -> [(u64, &str); 2] {
        [&self.first, &self.last].map(|time| (time.place.1, &*time.text))
    }

    /// Returns the earliest timestamp as its sender wrote it.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.first.text
    }

    /// Returns the latest timestamp as its sender wrote it.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last.text
    }
}

/// Reads a text that, if it is a time at all, has the form of
/// `2025-11-20T04:30:00.123Z` and is no leap second.
#[inline]
pub(super) fn usual_form(text: &[u8]) -> Option<Usual> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let marks = [text[10], text[16], text[19], text[23]];
    let is_usual = marks == *b"T:.Z" && text[17] < b'6';
    let (words, _) = text.as_chunks::<8>();
    let word = |at: usize| words.get(at).map_or(0, |word| u64::from_be_bytes(*word));
    is_usual.then(|| [word(0), word(1), word(2)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_as_instants_and_kept_as_they_are() {
        let texts = [
            "2025-11-20T05:00:00.5",
            "2025-11-20T06:59:00+02:00",
            "2025-11-20T05:00:00.500Z",
            "2025-11-20T04:59:00Z",
        ];
        let times = texts.map(|text| (Instant::parse(text).unwrap(), text));
        let mut ranges = times
            .iter()
            .enumerate()
            .map(|(at, (instant, text))| TimeRange::new(*instant, (0, at as u64), text));
        // In whatever order they come.
        let mut range = ranges.next_back().unwrap();
        ranges.for_each(|other| range.merge(other));
        assert_eq!(range.first(), "2025-11-20T06:59:00+02:00");
        assert_eq!(range.last(), "2025-11-20T05:00:00.5");
    }
}

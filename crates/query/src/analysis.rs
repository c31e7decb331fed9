//! Statistics that tell how a conversation went.
//!
//! Everything is counted in one pass by several workers, in memory that does not
//! grow with the files: tables of names have a limit, times are kept in buckets
//! that become wider, and of replies a sample is kept once there are many. Only
//! where names exceed their limit does it matter in which order messages come.

mod accumulator;
mod coverage;
mod hash;
mod moment;
mod names;
mod open;
mod place;
mod replies;
mod report;
mod schema;
mod statistics;
pub(crate) mod store;
mod tally;
mod time_range;
mod timeline;

use crate::fields::Fields;
use crate::intern::Handle;
use crate::shape::Handles;
use crate::source::Entry;
use crate::time::{Clock, Instant};
use crate::zone::Zone;
pub use accumulator::{Accumulator, Found};
use coverage::Coverage;
use names::{Count, Names};
use replies::Replies;
pub(crate) use replies::name_of;
pub use replies::percentile;
pub use statistics::Statistics;
pub(crate) use store::FARTHEST;
pub use tally::Tally;
pub use time_range::TimeRange;
use timeline::Timeline;

pub use schema::{
    Activity, AnalysisReport, Bucket, Damaged, Gaps, Named, OpenQuestion, OpenQuestions, Range,
    ReplyTimes, Sender, Silence, Unit,
};

/// A field whose values can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Who sent the messages.
    Sender,
    /// Names of keys that proved who sent them.
    Key,
    /// First frames.
    Topic,
    /// Tags.
    Tag,
    /// Chain types.
    Chain,
}

/// What is known of a conversation, put together by [`count`](crate::count()).
///
/// [`report`](Self::report) makes numbers for people of it.
#[derive(Debug, Clone, Default)]
pub struct Analysis {
    /// The plain counts.
    pub counts: Statistics,
    bytes: u64,
    senders: Names,
    keys: Names,
    topics: Names,
    tags: Names,
    times: Timeline,
    clock: Clock,
    replies: Replies,
    numbers: Coverage,
}

impl Analysis {
    /// Returns when the first and the last message came, in milliseconds since 1970.
    pub(crate) fn time_range(&self) -> Option<(i64, i64)> {
        let all = self.senders.entries.iter().map(|entry| entry.count.times);
        let all = all.chain([self.senders.others.times]).flatten();
        all.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)))
    }

    /// Returns when the first and the last message came, as `2025-11-20 14:30:22`.
    #[must_use]
    pub fn recorded(&self, zone: &Zone) -> Option<(String, String)> {
        let (first, last) = self.time_range()?;
        let time = |time: i64| {
            let time = zone.at(Instant::from_milliseconds(time))?;
            Some(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
        };
        Some((time(first)?, time(last)?))
    }

    /// Returns the values of a field, how many messages have each, and when the
    /// last of them came, in milliseconds since 1970; most messages first.
    pub(crate) fn values(&self, kind: ValueKind) -> Vec<(String, u64, Option<i64>)> {
        let names = match kind {
            ValueKind::Sender => &self.senders,
            ValueKind::Key => &self.keys,
            ValueKind::Topic => &self.topics,
            ValueKind::Tag => &self.tags,
            ValueKind::Chain => {
                let chains = self.counts.chains.by_count().into_iter();
                return chains
                    .map(|(name, count)| (name.to_owned(), count, None))
                    .collect();
            }
        };
        let value = |entry: &names::Entry| {
            let last = entry.count.times.map(|(_, last)| last);
            (entry.name(), entry.count.messages, last)
        };
        names.by_count().into_iter().map(value).collect()
    }
}

impl Analysis {
    /// Counts a message that is shown.
    pub fn add_entry(&mut self, entry: &Entry<'_>, record: message::Record<'_>) {
        self.add(&Found {
            fields: &Fields::from(record),
            line: entry.line,
            file: 0,
            offset: entry.offset,
            number: entry.number,
            handles: Handles::default(),
        });
    }
}

impl Accumulator for Analysis {
    fn add(&mut self, found: &Found<'_>) {
        self.counts.add(found);
        let fields = found.fields;
        let length = found.line.len() as u64;
        self.bytes += length;
        let time = fields.recorded_at.as_ref().unwrap_or(&fields.timestamp);
        // One that nobody can mean would stretch the chart over thousands of years.
        let time = self
            .clock
            .read(time)
            .filter(|time| Instant::is_likely(*time));
        let (count, handles) = (Count::one(length, time), found.handles);
        self.senders.add(&fields.sender, handles.sender, count);
        if let Some(key) = fields.key_name() {
            self.keys.add(&key, Handle::default(), count);
        }
        self.topics.add(&fields.topic, handles.topic, count);
        self.tags.add_list(&fields.tags, handles.tags, count);
        if let Some(time) = time {
            self.times.add(time);
        }
        if let Some(number) = found.number {
            self.numbers.add(number);
        }
        self.replies.add(found, time);
    }

    fn merge(&mut self, other: Self) {
        self.counts.merge(other.counts);
        self.bytes += other.bytes;
        self.senders.merge(other.senders);
        self.keys.merge(other.keys);
        self.topics.merge(other.topics);
        self.tags.merge(other.tags);
        self.times.merge(other.times);
        self.replies.merge(other.replies);
        self.numbers.merge(other.numbers);
    }

    fn beside(known: &Analysis) -> Self {
        Self {
            replies: known.replies.beside(),
            ..Self::default()
        }
    }

    fn wants_replies() -> bool {
        true
    }

    fn of_sessions(known: Analysis) -> Option<Self> {
        Some(known)
    }
}

#[cfg(test)]
mod tests;

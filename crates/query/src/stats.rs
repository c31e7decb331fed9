//! Counts over the messages that match.

use std::collections::HashMap;

use crate::error::Error;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::source::{Entry, Place, Source};
use crate::time::Instant;

/// What is counted. It takes memory for each different tier, chain and sender,
/// not for each message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many messages match.
    pub messages: u64,
    /// Messages by tier.
    pub tiers: Tally,
    /// Messages by chain type.
    pub chains: Tally,
    /// Messages by sender.
    pub senders: Tally,
    /// The earliest and the latest timestamp.
    pub times: Option<TimeRange>,
}

/// How often each name occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(HashMap<String, u64>);

/// The earliest and the latest of many timestamps, compared as instants.
///
/// Of equal instants the one that came first stands for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeRange {
    first: (Instant, String),
    last: (Instant, String),
}

/// Counts the messages that match.
///
/// # Errors
/// [`Error::Read`] where the file can't be read.
pub fn count(
    source: &mut Source,
    filter: &Filter,
    findings: &mut Findings,
) -> Result<Statistics, Error> {
    let mut statistics = Statistics::default();
    source.read(Place::START, findings, &mut |entry| {
        if filter.matches(&entry.record) {
            statistics.add(&entry);
        }
        Ok(())
    })?;
    Ok(statistics)
}

impl Statistics {
    fn add(&mut self, entry: &Entry<'_>) {
        let record = &entry.record;
        self.messages += 1;
        self.tiers.add(&record.tier);
        self.chains.add(&record.chain_type);
        self.senders.add(&record.sender);
        if let Some(instant) = Instant::parse(&record.timestamp) {
            match &mut self.times {
                Some(times) => times.add(instant, &record.timestamp),
                None => self.times = Some(TimeRange::new(instant, &record.timestamp)),
            }
        }
    }
}

impl Tally {
    fn add(&mut self, name: &str) {
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(name.to_owned(), 1);
            }
        }
    }

    /// Returns names and counts in the order of the names.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&str, u64)> {
        let mut counts: Vec<_> = self
            .0
            .iter()
            .map(|(name, count)| (&**name, *count))
            .collect();
        counts.sort_unstable();
        counts
    }

    /// Returns names and counts, the largest count first, and by name where
    /// counts are equal.
    #[must_use]
    pub fn by_count(&self) -> Vec<(&str, u64)> {
        let mut counts = self.by_name();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

impl TimeRange {
    fn new(instant: Instant, text: &str) -> Self {
        Self {
            first: (instant, text.to_owned()),
            last: (instant, text.to_owned()),
        }
    }

    fn add(&mut self, instant: Instant, text: &str) {
        if instant < self.first.0 {
            self.first = (instant, text.to_owned());
        }
        if instant > self.last.0 {
            self.last = (instant, text.to_owned());
        }
    }

    /// Returns the earliest timestamp as its sender wrote it.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.first.1
    }

    /// Returns the latest timestamp as its sender wrote it.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last.1
    }
}

#[cfg(test)]
mod tests;

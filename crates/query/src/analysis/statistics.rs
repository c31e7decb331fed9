//! The plain counts of messages.

use super::Analysis;
use super::accumulator::{Accumulator, Found};
use super::tally::Tally;
use super::time_range::{TimeRange, usual_form};
use crate::time::{Clock, Instant};

/// What is counted. It takes memory for each different tier, chain and sender,
/// not for each message.
#[derive(Debug, Clone, Default)]
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
    pub(crate) clock: Clock,
}

impl Accumulator for Statistics {
    fn add(&mut self, found: &Found<'_>) {
        let Found {
            fields,
            file,
            offset,
            handles,
            ..
        } = *found;
        self.messages += 1;
        self.tiers.add_known(&fields.tier, handles.tier);
        self.chains.add_known(&fields.chain, handles.chain);
        self.senders.add_known(&fields.sender, handles.sender);
        if self
            .times
            .as_ref()
            .is_some_and(|times| times.holds_already(&fields.timestamp))
        {
            return;
        }
        let instant = self.instant(&fields.timestamp);
        if let Some(instant) = instant.filter(|time| Instant::is_likely(time.milliseconds())) {
            let place = (file, offset);
            let text = std::str::from_utf8(&fields.timestamp).unwrap_or_default();
            match &mut self.times {
                Some(times) => times.add(instant, place, text),
                None => self.times = Some(TimeRange::new(instant, place, text)),
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.messages += other.messages;
        self.tiers.merge(&other.tiers);
        self.chains.merge(&other.chains);
        self.senders.merge(&other.senders);
        match (&mut self.times, other.times) {
            (Some(times), Some(other)) => times.merge(other),
            (times @ None, other) => *times = other,
            _ => {}
        }
    }

    fn of_sessions(known: Analysis) -> Option<Self> {
        Some(known.counts)
    }

    fn is_of_counts() -> bool {
        true
    }
}

impl Statistics {
    /// Reads a timestamp; one of the usual form has nothing below a millisecond.
    fn instant(&mut self, text: &[u8]) -> Option<Instant> {
        match usual_form(text) {
            Some(_) => self.clock.read(text).map(Instant::from_milliseconds),
            None => Instant::parse(std::str::from_utf8(text).ok()?),
        }
    }
}

impl PartialEq for Statistics {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            messages,
            tiers,
            chains,
            senders,
            times,
            clock: _,
        } = self;
        let names = (&other.tiers, &other.chains, &other.senders);
        (messages, times) == (&other.messages, &other.times) && (tiers, chains, senders) == names
    }
}

impl Eq for Statistics {}

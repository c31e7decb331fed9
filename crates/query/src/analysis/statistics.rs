//! Counts over the messages that match.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::analysis::Analysis;
use crate::error::Error;
use crate::fields::Fields;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::index::{Need, Sessions};
use crate::intern::{Handle, Places, Recent};
use crate::scan::{self, Accumulator, Batch, Found, Job, Match, Numbers};
use crate::select::merge_findings;
use crate::shape::Handles;
use crate::source::Source;
use crate::time::{Clock, Instant};
use crate::window;

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

/// How often each name occurs.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    names: Vec<(Box<str>, u64)>,
    index: HashMap<Box<str>, usize>,
    recent: Recent,
    places: Places<usize>,
}

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

/// Counts the messages that match, in [`Statistics`] or whatever else counts.
///
/// Every line is checked, so that all damage is found.
///
/// # Errors
/// [`Error::Read`] where a file can't be read.
pub fn count<A: Accumulator>(
    source: &Source,
    filter: &Filter,
    findings: &mut Findings,
) -> Result<A, Error> {
    source.add_damage_to(findings);
    let can_be_known = filter.is_empty() && A::of_sessions(Analysis::default()).is_some();
    let known = if can_be_known {
        Sessions::of(source, A::is_of_counts())
    } else {
        Sessions::none(source)
    };
    let size = source.tuning.chunk;
    let stretches = window::narrowed(source, filter)?.into_iter();
    let to_read = stretches.filter_map(|stretch| known.rest_of(stretch));
    let chunks: Vec<_> = to_read.flat_map(|stretch| stretch.cut(size)).collect();
    let job = Job {
        parts: &source.parts,
        filter,
        needle: None,
        wants_matches: false,
        index: Some(Need::Lines),
        tuning: source.tuning,
    };
    let mut numbers = Numbers::new(&source.parts, source.tuning);
    let mut late = A::default();
    let mut lines = Some(0).filter(|_| !filter.is_narrow());
    let mut found = known.findings.clone();
    let mut counted: A = scan::run(job, &chunks, &|| A::beside(&known.analysis), &mut |batch| {
        lines = known.lines_before(batch.chunk).or(lines);
        let found = found[batch.chunk.part].get_or_insert_default();
        merge_findings(found, batch, &mut numbers, source, &mut lines)?;
        for uncertain in &batch.matches {
            let number = numbers.of(uncertain, batch.chunk)?;
            if filter.accepts_number(number) {
                add_late(&mut late, batch, uncertain);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    for found in found.into_iter().flatten() {
        findings.append(found);
    }
    counted.merge(late);
    match A::of_sessions(known.analysis).filter(|_| can_be_known) {
        Some(known) if chunks.is_empty() => Ok(known),
        Some(mut known) => {
            known.merge(counted);
            Ok(known)
        }
        None => Ok(counted),
    }
}

/// Counts a message whose number had to be looked up first.
fn add_late(counted: &mut impl Accumulator, batch: &Batch, found: &Match) {
    let line = batch.line(found);
    // It was read once, and so it can be read again.
    if let Ok(fields) = Fields::parse(line) {
        counted.add(&Found {
            fields: &fields,
            line,
            file: batch.chunk.part,
            offset: found.offset,
            number: None,
            handles: Handles::default(),
        });
    }
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

impl Tally {
    /// Counts a name.
    pub fn add(&mut self, name: &[u8]) {
        self.add_many(name, 1);
    }

    /// Counts a name several times.
    pub fn add_many(&mut self, name: &[u8], count: u64) {
        let at = self.place(name);
        self.names[at].1 += count;
    }

    /// Counts a name that may have a handle.
    #[inline(always)]
    fn add_known(&mut self, name: &[u8], handle: Handle) {
        let known = self.places.get(handle);
        match known.and_then(|at| self.names.get_mut(*at)) {
            Some((_, count)) => *count += 1,
            None => self.add_new(name, handle),
        }
    }

    #[cold]
    fn add_new(&mut self, name: &[u8], handle: Handle) {
        let at = self.place(name);
        self.names[at].1 += 1;
        self.places.set(handle, at);
    }

    /// Finds a name, or makes room for it.
    fn place(&mut self, name: &[u8]) -> usize {
        let is_at = |at: usize| {
            let known = self.names.get(at);
            known.is_some_and(|(known, _)| known.as_bytes() == name)
        };
        if let Some(at) = self.recent.find(name, is_at) {
            return at;
        }
        let at = self.find_or_add(&String::from_utf8_lossy(name));
        self.recent.set(name, at);
        at
    }

    fn find_or_add(&mut self, name: &str) -> usize {
        if let Some(at) = self.index.get(name) {
            return *at;
        }
        let at = self.names.len();
        self.names.push((name.into(), 0));
        self.index.insert(name.into(), at);
        at
    }

    /// Adds the counts of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (name, count) in &other.names {
            self.add_many(name.as_bytes(), *count);
        }
    }

    /// Returns names and counts in the order of the names.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&str, u64)> {
        let names = self.names.iter();
        let mut counts: Vec<_> = names.map(|(name, count)| (&**name, *count)).collect();
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
    fn new(instant: Instant, place: (usize, u64), text: &str) -> Self {
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

    fn add(&mut self, instant: Instant, place: (usize, u64), text: &str) {
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
    fn holds_already(&self, text: &[u8]) -> bool {
        let (Some((first, last)), Some(text)) = (self.usual, usual_form(text)) else {
            return false;
        };
        first < text && text < last
    }

    fn merge(&mut self, other: Self) {
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

impl PartialEq for Tally {
    fn eq(&self, other: &Self) -> bool {
        self.by_name() == other.by_name()
    }
}

impl Eq for Tally {}

/// Reads a text that, if it is a time at all, has the form of
/// `2025-11-20T04:30:00.123Z` and is no leap second.
#[inline]
fn usual_form(text: &[u8]) -> Option<Usual> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let marks = [text[10], text[16], text[19], text[23]];
    let is_usual = marks == *b"T:.Z" && text[17] < b'6';
    let (words, _) = text.as_chunks::<8>();
    let word = |at: usize| words.get(at).map_or(0, |word| u64::from_be_bytes(*word));
    is_usual.then(|| [word(0), word(1), word(2)])
}

#[cfg(test)]
mod tests;

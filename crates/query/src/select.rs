//! The newest messages that match, in memory that does not grow with the file.
//!
//! The file is read twice. The first pass counts, and remembers where the last
//! matching messages stand; the second one reads on from there and shows them.
//! So no more than one line is held at a time, however long the lines are.

use std::collections::VecDeque;

use crate::error::Error;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::source::{Entry, Place, Source};

/// For so many messages at most their places are remembered. To show more of
/// them, the second pass starts at the beginning and passes over the first ones.
const PLACES: u64 = if cfg!(test) { 4 } else { 4096 };

/// What there is to show, known before the first message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// How many messages the file holds.
    pub loaded: u64,
    /// How many of them match.
    pub matching: u64,
    /// How many of these are shown.
    pub shown: u64,
}

/// What messages are shown with, see [`format`](crate::TextFormat).
pub trait Sink {
    /// Is called once, before the first message.
    ///
    /// # Errors
    /// [`Error::Write`] where it can't be written.
    fn begin(&mut self, summary: &Summary) -> Result<(), Error>;

    /// Is called for each message, the oldest first.
    ///
    /// # Errors
    /// [`Error::Write`] where it can't be written.
    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error>;
}

/// Gives the newest matching messages, `limit` of them or all, to a sink.
///
/// # Errors
/// [`Error::Read`] where the file can't be read, and whatever the sink reports.
pub fn show(
    source: &mut Source,
    filter: &Filter,
    limit: Option<u64>,
    findings: &mut Findings,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let limit = limit.unwrap_or(u64::MAX);
    let mut newest = Newest::new(limit);
    let mut loaded = 0;
    source.read(Place::START, findings, &mut |entry| {
        loaded += 1;
        if filter.matches(&entry.record) {
            newest.add(&entry);
        }
        Ok(())
    })?;
    let shown = limit.min(newest.matching);
    sink.begin(&Summary {
        loaded,
        matching: newest.matching,
        shown,
    })?;
    if shown == 0 {
        return Ok(());
    }
    let (from, mut skip) = newest.start(shown);
    // The first pass has found what there is to find.
    source.read(from, &mut Findings::default(), &mut |mut entry| {
        if !filter.matches(&entry.record) {
            return Ok(());
        }
        if skip > 0 {
            skip -= 1;
            return Ok(());
        }
        // A number may follow from lines that are not read again.
        if let Some(place) = newest.last.pop_front() {
            entry.number = place.number;
        }
        sink.message(&entry)
    })
}

/// Counts matching messages and remembers the places of the last ones.
#[derive(Debug)]
struct Newest {
    /// How many places are remembered.
    places: usize,
    last: VecDeque<Place>,
    matching: u64,
}

impl Newest {
    fn new(limit: u64) -> Self {
        let places = if limit > PLACES { 0 } else { limit };
        Self {
            places: usize::try_from(places).unwrap_or(0),
            last: VecDeque::new(),
            matching: 0,
        }
    }

    fn add(&mut self, entry: &Entry<'_>) {
        self.matching += 1;
        if self.places == 0 {
            return;
        }
        if self.last.len() == self.places {
            self.last.pop_front();
        }
        self.last.push_back(Place {
            offset: entry.offset,
            number: entry.number,
        });
    }

    /// Tells where to read from, and how many matching messages to pass over.
    fn start(&self, shown: u64) -> (Place, u64) {
        match self.last.front() {
            Some(place) => (*place, 0),
            None => (Place::START, self.matching - shown),
        }
    }
}

#[cfg(test)]
mod tests;

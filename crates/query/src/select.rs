//! The messages that match, in the order that is asked for.
//!
//! For the newest ones the files are read from the end, and no further than it
//! takes to have found enough. Where everything is shown, messages are handed on
//! as they are found. Either way memory does not grow with the files.

mod around;
mod merged;
mod newest;

use std::ops::ControlFlow;

use crate::error::Error;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::index::{self, Need};
use crate::scan::{self, Batch, Job, Match, Numbers, merge_findings};
use crate::source::{Chunk, Entry, Source};
use crate::window;
pub use around::{Around, show_around};
use newest::Newest;

/// The places of up to this many messages are remembered. To show more of the
/// newest ones, all that match are counted first.
const PLACES: u64 = if cfg!(test) { 4 } else { 1 << 19 };
/// Files up to this size are read as a whole to tell how many messages there
/// are; of larger ones only what is shown is read.
const COUNTED: u64 = 32 << 20;

/// Which of the matching messages are shown, and which of them first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Order {
    /// How many of the newest ones; `None` is all.
    pub limit: Option<u64>,
    /// Whether the newest one comes first.
    pub newest_first: bool,
}

/// What there is to show, as far as it is known before the first message is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many messages the files hold, and how many of them match. That is
    /// counted only for a sink that wants it, and not where it would mean
    /// reading more than 32 MiB for a few messages at the end.
    pub counts: Option<Counts>,
    /// How many are shown.
    pub shown: Option<u64>,
}

/// How many messages there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were looked at.
    pub messages: u64,
    /// Those that match.
    pub matching: u64,
}

/// What messages are shown with, in a format or as data.
pub trait Sink {
    /// Tells whether the sink says how many messages there are before it shows
    /// them, which may mean that all is read twice.
    fn wants_counts(&self) -> bool {
        false
    }

    /// Tells whether numbers are asked for, and not only shown where they are known:
    /// see [`Entry::number`].
    fn wants_numbers(&self) -> bool {
        false
    }

    /// Is called once, before the first message.
    ///
    /// # Errors
    /// [`Error::Write`] where it can't be written.
    fn begin(&mut self, summary: &Summary) -> Result<(), Error>;

    /// Is called for each message in its turn.
    ///
    /// # Errors
    /// [`Error::Write`] where it can't be written.
    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error>;

    /// Is called by whoever asked, behind the last message.
    ///
    /// # Errors
    /// [`Error::Write`] where it can't be written.
    fn end(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Is called where there is nothing more to show for now.
    ///
    /// # Errors
    /// [`Error::Write`] where it can't be written.
    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Gives matching messages to a sink, oldest first unless told otherwise, and
/// returns how many they were.
///
/// Of a large file only what is needed is read, and damage is found only there;
/// for a search of text, only lines in which it may be are checked.
///
/// # Errors
/// [`Error::Read`] where a file can't be read, and whatever the sink reports.
pub fn show(
    source: &Source,
    filter: &Filter,
    order: Order,
    findings: &mut Findings,
    sink: &mut dyn Sink,
) -> Result<u64, Error> {
    let query = Query { source, filter };
    source.add_damage_to(findings);
    if source.is_merged {
        return merged::show(query, order, findings, sink);
    }
    let is_small = source.bytes() <= COUNTED;
    let counts = if sink.wants_counts() && (order.limit.is_none() || is_small) {
        Some(query.counts(findings)?)
    } else {
        None
    };
    // What was found once is not reported again.
    let mut ignored = Findings::default();
    let findings = if counts.is_some() {
        &mut ignored
    } else {
        findings
    };
    let limit = match (order.limit, counts) {
        (Some(limit), Some(counts)) => Some(limit.min(counts.matching)),
        (limit, _) => limit,
    };
    let shown = limit.or(counts.map(|counts| counts.matching));
    match limit {
        Some(limit) if order.newest_first => {
            // How many there are is known only in the end.
            let shown = shown.filter(|_| counts.is_some());
            sink.begin(&Summary { counts, shown })?;
            query.stream(true, 0, limit, findings, sink)
        }
        Some(limit) if limit <= PLACES => {
            let newest = Newest::find(query, limit, sink.wants_numbers(), findings)?;
            let shown = Some(newest.len());
            sink.begin(&Summary { counts, shown })?;
            newest.show(source, sink)?;
            Ok(newest.len())
        }
        Some(limit) => {
            let matching = match counts {
                Some(counts) => counts.matching,
                None => query.counts(&mut Findings::default())?.matching,
            };
            let shown = Some(limit.min(matching));
            sink.begin(&Summary { counts, shown })?;
            let skipped = matching.saturating_sub(limit);
            query.stream(false, skipped, limit, findings, sink)
        }
        None => {
            sink.begin(&Summary { counts, shown })?;
            query.stream(order.newest_first, 0, u64::MAX, findings, sink)
        }
    }
}

/// Counts the messages that match. Where text is searched, only the lines in
/// which it may be are looked at, so that the first of the counts is of these.
///
/// # Errors
/// [`Error::Read`] where a file can't be read.
pub fn matching(source: &Source, filter: &Filter, findings: &mut Findings) -> Result<u64, Error> {
    let query = Query { source, filter };
    source.add_damage_to(findings);
    let needle = filter.needle();
    let chunks = query.chunks(window::narrowed(source, filter)?);
    let mut matching = 0;
    let mut numbers = Numbers::new(&source.parts, source.tuning);
    let mut lines = Some(0).filter(|_| !filter.is_narrow());
    query.scan(&chunks, needle.is_some(), false, &mut |batch| {
        merge_findings(findings, batch, &mut numbers, source, &mut lines)?;
        matching += query.matching_in(batch, &mut numbers)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(matching)
}

/// A question to some files.
#[derive(Debug, Clone, Copy)]
struct Query<'a> {
    source: &'a Source,
    filter: &'a Filter,
}

impl<'a> Query<'a> {
    fn chunks(self, stretches: Vec<Chunk>) -> Vec<Chunk> {
        let size = self.source.tuning.chunk;
        stretches
            .into_iter()
            .flat_map(|stretch| stretch.cut(size))
            .collect()
    }

    fn scan(
        self,
        chunks: &[Chunk],
        may_skip: bool,
        wants_matches: bool,
        deliver: &mut scan::Deliver<'_>,
    ) -> Result<(), Error> {
        let need = if wants_matches {
            Need::Lines
        } else {
            Need::Count
        };
        let needle = self.filter.needle().filter(|_| may_skip);
        let job = Job {
            parts: &self.source.parts,
            filter: self.filter,
            needle: needle.as_ref(),
            wants_matches,
            tuning: self.source.tuning,
        };
        index::scan(job, need, chunks, &|| (), deliver)
    }

    /// Counts all messages, and those that match; every line is checked.
    fn counts(self, findings: &mut Findings) -> Result<Counts, Error> {
        let source = self.source;
        let mut counts = Counts::default();
        let mut numbers = Numbers::new(&source.parts, source.tuning);
        let mut lines = Some(0);
        let chunks = self.chunks(source.stretches());
        self.scan(&chunks, false, false, &mut |batch| {
            merge_findings(findings, batch, &mut numbers, source, &mut lines)?;
            counts.messages += batch.messages;
            counts.matching += self.matching_in(batch, &mut numbers)?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(counts)
    }

    /// Counts the matches in a batch that was only counted.
    fn matching_in(self, batch: &Batch, numbers: &mut Numbers<'a>) -> Result<u64, Error> {
        let mut matching = batch.matching;
        for uncertain in &batch.matches {
            let number = numbers.of(uncertain, batch.chunk)?;
            matching += u64::from(self.filter.accepts_number(number));
        }
        Ok(matching)
    }

    /// Shows matches as they are found: not the first ones, and no more than the limit.
    fn stream(
        self,
        newest_first: bool,
        mut skipped: u64,
        mut limit: u64,
        findings: &mut Findings,
        sink: &mut dyn Sink,
    ) -> Result<u64, Error> {
        if limit == 0 {
            return Ok(0);
        }
        let mut shown = 0;
        let source = self.source;
        let numbers = Numbers::new(&source.parts, source.tuning);
        let mut numbers = numbers.exact(!newest_first || sink.wants_numbers());
        let is_known = !newest_first && !self.filter.is_narrow();
        let mut lines = Some(0).filter(|_| is_known);
        let mut chunks = self.chunks(window::narrowed(source, self.filter)?);
        if newest_first {
            chunks.reverse();
        }
        self.scan(&chunks, true, true, &mut |batch| {
            merge_findings(findings, batch, &mut numbers, source, &mut lines)?;
            let mut matches = std::mem::take(&mut batch.matches);
            if newest_first {
                matches.reverse();
            }
            for found in &matches {
                if self.filter.numbers().is_some() {
                    let number = numbers.of(found, batch.chunk)?;
                    if !self.filter.accepts_number(number) {
                        continue;
                    }
                }
                if skipped > 0 {
                    skipped -= 1;
                    continue;
                }
                let number = numbers.shown(found, batch.chunk)?;
                sink.message(&entry(
                    found,
                    number,
                    batch.line(found),
                    source,
                    batch.chunk,
                ))?;
                shown += 1;
                limit -= 1;
                if limit == 0 {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(shown)
    }
}

pub(crate) fn entry<'e>(
    found: &Match,
    number: Option<u64>,
    line: &'e [u8],
    source: &'e Source,
    chunk: Chunk,
) -> Entry<'e> {
    Entry {
        number,
        path: &source.parts[chunk.part].path,
        offset: found.offset,
        integrity: found.integrity,
        line,
        depth: 0,
    }
}

#[cfg(test)]
mod tests;

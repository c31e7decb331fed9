//! What an index tells, gathered on the way through a session.

use std::fmt;

use super::column::Column;
use super::dictionary::{Dictionary, put_tags};
use super::directory::Block;
use super::file::Dictionaries;
use super::grams::Bitmap;
use crate::analysis::{Accumulator, Analysis, FARTHEST, Found};
use crate::scan::Batch;
use crate::time::Instant;
use crc_fast::crc32_iscsi as crc32c;

/// The values of one message, in the order of the columns.
pub(super) type Row = [u32; Column::ALL.len()];

/// Counts everything, and gathers the rows of a block.
#[derive(Default)]
pub(super) struct Collector {
    pub(super) analysis: Analysis,
    /// The block's text, if the index is to tell of it.
    pub(super) text: Option<Bitmap>,
    pub(super) dictionaries: [Dictionary; Column::NAMED.len()],
    rows: Vec<Row>,
    times: Vec<i64>,
    /// The first line's offset and number, and those that the next one must have.
    first: Option<(u64, u64)>,
    next: (u64, u64),
    is_odd: bool,
    tags: Vec<u8>,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl From<Known> for Collector {
    /// Goes on behind what an index knows already.
    fn from(known: Known) -> Self {
        Self {
            analysis: known.analysis,
            dictionaries: known.dictionaries.map(Dictionary::from),
            ..Self::default()
        }
    }
}

/// What an index knows already.
pub(super) struct Known {
    pub(super) analysis: Analysis,
    pub(super) dictionaries: Dictionaries,
}

/// Returns the hash of a message's name; never 0.
pub(super) fn id_hash(id: &[u8]) -> u32 {
    crc32c(id).max(1)
}

impl Accumulator for Collector {
    fn add(&mut self, found: &Found<'_>) {
        self.analysis.add(found);
        if self.is_odd || self.row(found).is_none() {
            self.is_odd = true;
        }
    }

    fn wants_replies() -> bool {
        true
    }

    fn merge(&mut self, other: Self) {
        // Rows have their order from a single worker: there is never another one.
        self.analysis.merge(other.analysis);
        self.is_odd = true;
    }
}

impl Collector {
    pub(super) fn new(has_text: bool) -> Self {
        Self {
            text: has_text.then(Bitmap::default),
            ..Self::default()
        }
    }

    /// Adds a message's row; `None` where the message is out of the ordinary.
    fn row(&mut self, found: &Found<'_>) -> Option<()> {
        let fields = found.fields;
        let here = (found.offset, found.number?);
        if !journal::raw::is_sealed(found.line) || self.first.is_some_and(|_| here != self.next) {
            return None;
        }
        let length = found.line.len();
        self.next = (
            here.0 + length as u64 + 1,
            here.1.checked_add(1).filter(|_| here.1 > 0)?,
        );
        let time = milliseconds(fields.recorded_at.as_deref()?)?;
        if !fields
            .tags
            .iter()
            .all(|tag| std::str::from_utf8(tag).is_ok())
        {
            return None;
        }
        put_tags(&fields.tags, &mut self.tags);
        let [sender, topic, tier, chain, tags] = &mut self.dictionaries;
        self.rows.push([
            u32::try_from(length).ok()?,
            0,
            sender.number(&fields.sender),
            topic.number(&fields.topic),
            tier.number(&fields.tier),
            chain.number(&fields.chain),
            tags.number(&self.tags),
            fields.id.as_deref().map_or(0, id_hash),
        ]);
        self.times.push(time);
        if let Some(text) = &mut self.text {
            found.fields.content.any_value(&mut |value| {
                text.add(value);
                false
            });
        }
        self.first.get_or_insert(here);
        Some(())
    }

    /// Ends a block; its rows are put behind `rows` where it is plain.
    pub(super) fn end_block(&mut self, batch: &Batch, rows: &mut Vec<Row>) -> Block {
        let block = self.block(batch).unwrap_or_default();
        if block.rows > 0 {
            for (row, time) in self.rows.iter_mut().zip(&self.times) {
                let delta = u32::try_from(time - block.time).unwrap_or(0);
                row[Column::Time.at()] = delta;
            }
            rows.extend(&self.rows);
        }
        self.rows.clear();
        self.times.clear();
        self.first = None;
        self.is_odd = false;
        block
    }

    /// What is known of a block where all of its lines are as usual.
    fn block(&self, batch: &Batch) -> Option<Block> {
        let rows = self.rows.len() as u64;
        let is_all = batch.lines == Some(rows) && batch.messages == rows;
        let is_clean = batch.damaged == 0 && batch.altered == 0;
        if self.is_odd || !is_all || !is_clean {
            return None;
        }
        let (offset, first_number) = self.first.unwrap_or_default();
        let first = self.times.iter().copied().min().unwrap_or(0);
        let last = self.times.iter().copied().max().unwrap_or(0);
        Some(Block {
            is_plain: true,
            rows: u32::try_from(rows).ok()?,
            offset,
            first_number,
            time: first,
            span: u32::try_from(last - first).ok()?,
            sum: 0,
        })
    }
}

/// Reads a time as milliseconds, if that is all of it.
fn milliseconds(text: &[u8]) -> Option<i64> {
    let (seconds, nanoseconds) = Instant::parse(std::str::from_utf8(text).ok()?)?.parts();
    let time = seconds * 1_000 + i64::from(nanoseconds / 1_000_000);
    let is_exact = nanoseconds % 1_000_000 == 0;
    (is_exact && (-FARTHEST..FARTHEST).contains(&time)).then_some(time)
}

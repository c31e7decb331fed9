//! The numbers of records that do not carry one.
//!
//! Such a record counts on from the one before it, so its number may follow from
//! lines far before its chunk: from the last verified record, or else from the
//! beginning of the file. That is looked up only where somebody asks.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use journal::Integrity;
use journal::raw::{Checked, Numbering, ReadFile};

use super::sort::{Match, Number};
use crate::error::Error;
use crate::source::{Chunk, Part, Source, Tuning, load};

/// Looks up numbers, and remembers what it had to read for that.
#[derive(Debug)]
pub(crate) struct Numbers<'a> {
    parts: &'a [Part],
    tuning: Tuning,
    open: Option<(usize, Arc<dyn ReadFile>)>,
    buffer: Vec<u8>,
    /// The numbering where a chunk begins.
    starts: BTreeMap<(usize, u64), Numbering>,
    /// The numbers of the records in the chunk that was asked for last.
    last: Option<(Chunk, HashMap<u64, u64>)>,
    /// Those of the chunk of which they were shown last, as far as it tells them.
    carried: Option<(Chunk, HashMap<u64, u64>)>,
    is_exact: bool,
}

/// Is given where a record begins, the number that it carries, its number and what
/// its checksum says.
type See<'s> = dyn FnMut(u64, Option<u64>, u64, Integrity) + 's;

impl<'a> Numbers<'a> {
    pub(crate) fn new(parts: &'a [Part], tuning: Tuning) -> Self {
        Self {
            parts,
            tuning,
            open: None,
            buffer: Vec::new(),
            starts: BTreeMap::new(),
            last: None,
            carried: None,
            is_exact: false,
        }
    }

    /// Returns the number of a record that was found in a chunk.
    pub(crate) fn of(&mut self, found: &Match, chunk: Chunk) -> Result<u64, Error> {
        if let Number::Known(number) = found.number {
            return Ok(number);
        }
        if self.last.as_ref().is_none_or(|(last, _)| *last != chunk) {
            let start = self.before(chunk)?;
            let mut numbers = HashMap::new();
            let end = self.pass(chunk, start, &mut |offset, _, number, _| {
                numbers.insert(offset, number);
            })?;
            // The next chunk is asked for next, most of the time.
            self.starts.insert((chunk.part, chunk.end), end);
            self.last = Some((chunk, numbers));
        }
        let numbers = self.last.as_ref().map(|(_, numbers)| numbers);
        let number = numbers.and_then(|numbers| numbers.get(&found.offset));
        // A record is missing only where the file was changed meanwhile.
        Ok(number.copied().unwrap_or(0))
    }

    /// Returns the number of a record as it is shown. In a large file of lines without
    /// checksums it is the one that the record carries, or that the ones before it in
    /// its chunk do, and `None` where there is none, unless [`of`](Self::of) has to
    /// be asked anyway: that would mean to read all that comes before.
    pub(crate) fn shown(&mut self, found: &Match, chunk: Chunk) -> Result<Option<u64>, Error> {
        let is_far = chunk.start > self.tuning.far;
        let is_known = self.starts.contains_key(&(chunk.part, chunk.start));
        if matches!(found.number, Number::Known(_)) || self.is_exact || !is_far || is_known {
            return self.of(found, chunk).map(Some);
        }
        if self.carried.as_ref().is_none_or(|(last, _)| *last != chunk) {
            let (mut numbers, mut is_carried) = (HashMap::new(), false);
            self.pass(
                chunk,
                Numbering::default(),
                &mut |offset, own, number, _| {
                    is_carried |= own.is_some();
                    if is_carried {
                        numbers.insert(offset, number);
                    }
                },
            )?;
            self.carried = Some((chunk, numbers));
        }
        let numbers = self.carried.as_ref().map(|(_, numbers)| numbers);
        Ok(numbers.and_then(|numbers| numbers.get(&found.offset).copied()))
    }

    /// Looks up all numbers, however much has to be read for that.
    pub(crate) fn exact(mut self, is_exact: bool) -> Self {
        self.is_exact = is_exact;
        self
    }

    /// Returns the number of the last record of a file.
    pub(crate) fn last_of(&mut self, part: usize) -> Result<u64, Error> {
        let end = self.parts.get(part).map_or(0, |part| part.end);
        let behind = Chunk {
            part,
            start: end,
            end,
        };
        Ok(self.before(behind)?.last())
    }

    /// Finds out how far the numbering has come where a chunk begins.
    fn before(&mut self, chunk: Chunk) -> Result<Numbering, Error> {
        let mut steps = Vec::new();
        let mut at = chunk.start;
        let mut numbering = loop {
            if let Some(known) = self.starts.get(&(chunk.part, at)) {
                break known.clone();
            }
            if at == 0 {
                break Numbering::default();
            }
            let start = at.saturating_sub(self.tuning.chunk);
            let step = Chunk {
                start,
                end: at,
                ..chunk
            };
            let mut is_certain = false;
            let mut see = |_, _, _, integrity| is_certain |= integrity == Integrity::Verified;
            let end = self.pass(step, Numbering::default(), &mut see)?;
            if is_certain {
                break end;
            }
            steps.push(step);
            at = start;
        };
        for step in steps.into_iter().rev() {
            numbering = self.pass(step, numbering, &mut |_, _, _, _| {})?;
            self.starts.insert((step.part, step.end), numbering.clone());
        }
        Ok(numbering)
    }

    /// Goes through a chunk, and gives each record to `see`.
    fn pass(
        &mut self,
        chunk: Chunk,
        mut numbering: Numbering,
        see: &mut See<'_>,
    ) -> Result<Numbering, Error> {
        let part = &self.parts[chunk.part];
        let file = match &self.open {
            Some((at, file)) if *at == chunk.part => file,
            _ => &self.open.insert((chunk.part, part.open()?)).1,
        };
        let max_line = self.tuning.max_line;
        let lines = load(file.as_ref(), part, chunk, max_line, &mut self.buffer)?;
        let bytes = self.buffer.get(lines.from..lines.to).unwrap_or_default();
        let mut offset = lines.base + lines.from as u64;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            if let Some(record) = crate::pieces::one(text) {
                let (own, integrity) = (record.message_num, Integrity::Unverified);
                see(offset, own, numbering.assign(own, integrity), integrity);
                offset += line.len() as u64;
                continue;
            }
            for piece in crate::pieces::sort(text, text.len() < line.len()) {
                match piece.checked {
                    Checked::Bad(_) => numbering.skip(),
                    Checked::Record { number, integrity } => {
                        let (own, at) = (number, offset + piece.range.start as u64);
                        see(at, own, numbering.assign(own, integrity), integrity);
                    }
                }
            }
            offset += line.len() as u64;
        }
        if lines.too_long.is_some() {
            numbering.skip();
        }
        Ok(numbering)
    }
}

impl Source {
    /// Returns the number of the last message of a file, if there is any.
    pub(crate) fn last_number(&self, path: &Path) -> Option<u64> {
        let part = self.parts.iter().position(|part| part.path == path)?;
        let mut numbers = Numbers::new(&self.parts, self.tuning);
        numbers.last_of(part).ok()
    }
}

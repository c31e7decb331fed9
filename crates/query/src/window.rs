//! Which stretches of the files can hold the numbers that are asked for.
//!
//! In a session numbers grow: that is what its writer promises. So the stretch that
//! belongs to a range of them is found by halving, led by verified records alone. A
//! file from elsewhere may have been put together of several sessions in any order,
//! and is looked at as a whole.
//!
//! Of times nobody promises that they grow: clocks are set back, and forth again,
//! which no sample of records tells. Where a session has an index, that knows the
//! earliest and the latest time of each of its blocks ([`index`](crate::index)).
//! Anything else is looked at as a whole, line by line.

use std::ops::RangeInclusive;
use std::sync::Arc;

use journal::raw::ReadFile;

use crate::error::Error;
use crate::filter::Filter;
use crate::shape::Reader;
use crate::source::{Chunk, Part, Source, load};

/// Below this many bytes reading is cheaper than halving.
const SMALL: u64 = if cfg!(test) { 1 << 10 } else { 128 << 10 };
/// So much is read in search of a verified record.
const FARTHEST: u64 = 1 << 20;

/// Returns the stretches of the files that can hold what a filter asks for.
pub(crate) fn narrowed(source: &Source, filter: &Filter) -> Result<Vec<Chunk>, Error> {
    let mut stretches = source.stretches();
    let Some(numbers) = filter.numbers() else {
        return Ok(stretches);
    };
    for stretch in &mut stretches {
        let part = &source.parts[stretch.part];
        if !part.is_session {
            continue;
        }
        let mut halving = Halving {
            file: part.open()?,
            part,
            max_line: source.tuning.max_line,
            buffer: Vec::new(),
            reader: Reader::new(),
        };
        *stretch = halving.narrow(*stretch, numbers)?;
    }
    Ok(stretches)
}

/// What is known of a verified record.
struct Mark {
    offset: u64,
    number: u64,
}

struct Halving<'a> {
    file: Arc<dyn ReadFile>,
    part: &'a Part,
    max_line: usize,
    buffer: Vec<u8>,
    reader: Reader,
}

impl Halving<'_> {
    fn narrow(&mut self, stretch: Chunk, numbers: &RangeInclusive<u64>) -> Result<Chunk, Error> {
        let narrow = self.behind(stretch, |mark| mark.number < *numbers.start())?;
        self.before(narrow, |mark| mark.number > *numbers.end())
    }

    /// Leaves out the beginning, up to a mark that is too early.
    fn behind(&mut self, stretch: Chunk, is_early: impl Fn(&Mark) -> bool) -> Result<Chunk, Error> {
        let (mut start, mut end) = (stretch.start, stretch.end);
        while end.saturating_sub(start) > SMALL {
            let middle = start + (end - start) / 2;
            match self.mark(Chunk {
                start: middle,
                end,
                ..stretch
            })? {
                Some(mark) if is_early(&mark) => start = mark.offset,
                _ => end = middle,
            }
        }
        Ok(Chunk { start, ..stretch })
    }

    /// Leaves out the end, from a mark on that is too late.
    fn before(&mut self, stretch: Chunk, is_late: impl Fn(&Mark) -> bool) -> Result<Chunk, Error> {
        let (mut start, mut end) = (stretch.start, stretch.end);
        while end.saturating_sub(start) > SMALL {
            let middle = start + (end - start) / 2;
            match self.mark(Chunk {
                start: middle,
                end,
                ..stretch
            })? {
                Some(mark) if is_late(&mark) => end = mark.offset,
                _ => start = middle,
            }
        }
        Ok(Chunk { end, ..stretch })
    }

    /// Finds the first verified record in a stretch.
    fn mark(&mut self, stretch: Chunk) -> Result<Option<Mark>, Error> {
        const PIECE: u64 = 8 << 10;
        let farthest = stretch.end.min(stretch.start + FARTHEST);
        for piece in (Chunk {
            end: farthest,
            ..stretch
        })
        .cut(PIECE)
        {
            let file = self.file.as_ref();
            let lines = load(file, self.part, piece, self.max_line, &mut self.buffer)?;
            let mut offset = lines.base + lines.from as u64;
            let bytes = self.buffer.get(lines.from..lines.to).unwrap_or_default();
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                if let Some(mark) = mark(line.trim_ascii_end(), offset, &mut self.reader) {
                    return Ok(Some(mark));
                }
                offset += line.len() as u64;
            }
        }
        Ok(None)
    }
}

fn mark(line: &[u8], offset: u64, reader: &mut Reader) -> Option<Mark> {
    if !journal::raw::is_sealed(line) {
        return None;
    }
    let number = match reader.read(line) {
        Some(read) => read.number,
        None => message::Record::parse_fields(line).ok()?.message_num?,
    };
    Some(Mark { offset, number })
}

#[cfg(test)]
mod tests;

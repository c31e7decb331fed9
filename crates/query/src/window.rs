//! Which stretches of the files can hold what is asked for.
//!
//! Message numbers grow, and so does the recorder's clock, but for small steps
//! back when it is set. So the stretch that belongs to a range of numbers or times
//! is found by halving. Where the clock was set back by more, which records here and
//! there show, times are looked for in all of it. Only verified records lead the way. What senders say of
//! the time decides nothing here: their clocks differ.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use journal::ReadFile;

use crate::error::Error;
use crate::filter::Filter;
use crate::scan::{Chunk, load};
use crate::shape::Reader;
use crate::source::{Part, Source};
use crate::time::Instant;

/// So far the recorder's clock may be set back without any message being missed.
const SET_BACK: Duration = Duration::from_secs(60);
/// Below this many bytes reading is cheaper than halving.
const SMALL: u64 = if cfg!(test) { 1 << 10 } else { 128 << 10 };
/// In so many places it is looked whether the clock was set back.
const SAMPLES: u64 = if cfg!(test) { 16 } else { 256 };
/// So much is read in search of a verified record.
const FARTHEST: u64 = 1 << 20;

/// Returns the stretches of the files that can hold what a filter asks for.
pub(crate) fn narrowed(source: &Source, filter: &Filter) -> Result<Vec<Chunk>, Error> {
    let mut stretches = source.stretches();
    if filter.numbers().is_none() && filter.window().is_none() {
        return Ok(stretches);
    }
    for stretch in &mut stretches {
        let part = &source.parts[stretch.part];
        let mut halving = Halving {
            file: part.open()?,
            part,
            max_line: source.tuning.max_line,
            buffer: Vec::new(),
            reader: Reader::new(),
        };
        *stretch = halving.narrow(*stretch, filter)?;
    }
    Ok(stretches)
}

/// What is known of a verified record.
struct Mark {
    offset: u64,
    number: u64,
    recorded_at: Option<Instant>,
}

struct Halving<'a> {
    file: Arc<dyn ReadFile>,
    part: &'a Part,
    max_line: usize,
    buffer: Vec<u8>,
    reader: Reader,
}

impl Halving<'_> {
    fn narrow(&mut self, stretch: Chunk, filter: &Filter) -> Result<Chunk, Error> {
        let mut narrow = stretch;
        if let Some(numbers) = filter.numbers() {
            narrow = self.behind(narrow, |mark| mark.number < *numbers.start())?;
            narrow = self.before(narrow, |mark| mark.number > *numbers.end())?;
        }
        let window = filter.window();
        if window.is_none() || !self.times_lead_the_way(narrow)? {
            return Ok(narrow);
        }
        if let Some(since) = window.and_then(|window| window.since) {
            let since = since.earlier(SET_BACK);
            narrow = self.behind(narrow, |mark| mark.recorded_at.is_some_and(|at| at < since))?;
        }
        if let Some(until) = window.and_then(|window| window.until) {
            let until = until.later(SET_BACK);
            narrow = self.before(narrow, |mark| mark.recorded_at.is_some_and(|at| at > until))?;
        }
        Ok(narrow)
    }

    /// Tells whether halving by times finds what is asked for: in records here and
    /// there in the stretch the clock was nowhere set back. That is asked of a
    /// session with an index, too, so that the answers are the same with one and
    /// without.
    fn times_lead_the_way(&mut self, stretch: Chunk) -> Result<bool, Error> {
        let length = stretch.end.saturating_sub(stretch.start);
        if length <= SMALL {
            return Ok(true);
        }
        self.never_steps_back(stretch, (length / SAMPLES).max(SMALL / 16))
    }

    fn never_steps_back(&mut self, stretch: Chunk, step: u64) -> Result<bool, Error> {
        let mut latest: Option<Instant> = None;
        let mut at = stretch.start;
        while at < stretch.end {
            let piece = Chunk {
                start: at,
                ..stretch
            };
            let Some(mark) = self.mark(piece)? else {
                return Ok(true);
            };
            if let (Some(before), Some(now)) = (latest, mark.recorded_at)
                && now.later(SET_BACK) < before
            {
                return Ok(false);
            }
            latest = latest.max(mark.recorded_at);
            at = mark.offset.max(at) + step;
        }
        Ok(true)
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
    if !journal::is_sealed(line) {
        return None;
    }
    let (number, recorded_at) = match reader.read(line) {
        Some(read) => (read.number, Some(Cow::Borrowed(read.recorded_at))),
        None => {
            let record = message::Record::parse(line).ok()?;
            let number = record.message_num?;
            (number, crate::Fields::from(record).recorded_at)
        }
    };
    let recorded_at = recorded_at.as_deref().map(std::str::from_utf8);
    Some(Mark {
        offset,
        number,
        recorded_at: recorded_at.and_then(|text| Instant::parse(text.ok()?)),
    })
}

#[cfg(test)]
mod tests;

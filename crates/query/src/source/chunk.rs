//! The lines that begin in a stretch of a file, read into memory.

use journal::raw::ReadFile;

use super::Part;
use crate::error::Error;

/// So much more than the chunk is read at once, for the end of its last line.
const BEHIND: usize = 8 << 10;
/// So much is read at once of a line that is too long to be held.
const SKIPPED: usize = 1 << 20;

/// The system copies bytes several times as fast where they have the same place
/// within their cache lines before and after.
pub(crate) const CACHE_LINE: usize = 64;

/// A stretch of a file; it has the lines that begin in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Chunk {
    /// Which of the files.
    pub(crate) part: usize,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Chunk {
    /// Cuts a stretch of a file into chunks of `size` bytes.
    pub(crate) fn cut(self, size: u64) -> impl DoubleEndedIterator<Item = Self> {
        let count = self.end.saturating_sub(self.start).div_ceil(size);
        (0..count).map(move |at| {
            let start = self.start + at * size;
            let end = self.end.min(start + size);
            Self { start, end, ..self }
        })
    }
}

/// What was read of a chunk.
#[derive(Debug, Default)]
pub(crate) struct LoadedLines {
    /// The offset in the file of the buffer's first byte.
    pub(crate) base: u64,
    /// Where in the buffer the lines begin and end.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Offset and length of a last line that is too long to be held.
    pub(crate) too_long: Option<(u64, u64)>,
}

/// Reads a chunk's lines into a buffer that is used again and again.
pub(crate) fn load(
    file: &dyn ReadFile,
    part: &Part,
    chunk: Chunk,
    max_line: usize,
    buffer: &mut Vec<u8>,
) -> Result<LoadedLines, Error> {
    // The byte before tells whether a line begins at the start.
    let before = chunk.start.saturating_sub(1);
    let left = part.end.saturating_sub(before);
    let most = left.min(chunk.end.saturating_sub(before) + BEHIND as u64);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if buffer.len() < most.saturating_add(CACHE_LINE) {
        buffer.resize(most.saturating_add(CACHE_LINE), 0);
    }
    let base = before.saturating_sub(lag(before, buffer) as u64);
    let mut reading = Reading {
        file,
        part,
        base,
        buffer,
        filled: 0,
    };
    let length = usize::try_from(chunk.end - base).unwrap_or(usize::MAX);
    reading.fill_to(length + BEHIND)?;
    let from = match chunk.start {
        0 => 0,
        _ => {
            let skipped = usize::try_from(before - base).unwrap_or(0);
            match memchr::memchr(b'\n', reading.filled_bytes(skipped)) {
                Some(at) if skipped + at + 1 < length => skipped + at + 1,
                _ => return Ok(LoadedLines::default()),
            }
        }
    };
    let mut lines = LoadedLines {
        base,
        from,
        ..LoadedLines::default()
    };
    if reading.filled < length {
        // The file was cut back meanwhile.
        let whole = memchr::memrchr(b'\n', reading.filled_bytes(0));
        lines.to = whole.map_or(0, |at| at + 1).max(from);
        return Ok(lines);
    }
    match reading.end_of_line(length - 1, max_line)? {
        Some(end) => lines.to = end,
        None => {
            lines.to = reading.last_line(length).max(from);
            let start = base + lines.to as u64;
            let end = reading.pass_line(start)?;
            match reading.hold_record(start, end)? {
                true => lines.to = reading.filled,
                false => lines.too_long = Some((start, end - start)),
            }
        }
    }
    Ok(lines)
}

/// Returns how many bytes before `offset` reading has to begin for what is at the
/// beginning of a buffer to have the same place in its cache line as in the file.
pub(crate) fn lag(offset: u64, buffer: &[u8]) -> usize {
    const MASK: u64 = CACHE_LINE as u64 - 1;
    let within_file = usize::try_from(offset & MASK).unwrap_or(0);
    within_file.wrapping_sub(buffer.as_ptr().addr()) % CACHE_LINE
}

struct Reading<'a> {
    file: &'a dyn ReadFile,
    part: &'a Part,
    base: u64,
    buffer: &'a mut Vec<u8>,
    filled: usize,
}

impl Reading<'_> {
    fn filled_bytes(&self, from: usize) -> &[u8] {
        self.buffer.get(from..self.filled).unwrap_or_default()
    }

    /// Reads until the buffer holds `wanted` bytes, or the file ends.
    fn fill_to(&mut self, wanted: usize) -> Result<(), Error> {
        let left = usize::try_from(self.part.end.saturating_sub(self.base));
        let wanted = wanted.min(left.unwrap_or(usize::MAX));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while let Some(room) = self.buffer.get_mut(self.filled..wanted)
            && !room.is_empty()
        {
            match self
                .part
                .read_at(self.file, room, self.base + self.filled as u64)?
            {
                0 => break,
                count => self.filled += count,
            }
        }
        Ok(())
    }

    /// Finds the end of the line that the byte at `from` belongs to, behind its
    /// newline; `None` where the line is too long.
    fn end_of_line(&mut self, from: usize, max_line: usize) -> Result<Option<usize>, Error> {
        let mut searched = from;
        loop {
            let newline = memchr::memchr(b'\n', self.filled_bytes(searched));
            let end = newline.map_or(self.filled, |at| searched + at);
            // Most lines are shorter than the limit wherever they begin.
            if end > max_line && end - self.last_line(from + 1) > max_line {
                return Ok(None);
            }
            if newline.is_some() {
                return Ok(Some(end + 1));
            }
            searched = self.filled;
            self.fill_to(self.filled.saturating_mul(2))?;
            if self.filled == searched {
                return Ok(Some(self.filled));
            }
        }
    }

    /// Finds the beginning of the last line that begins before `end`.
    fn last_line(&self, end: usize) -> usize {
        let before = self.buffer.get(..end.saturating_sub(1)).unwrap_or_default();
        memchr::memrchr(b'\n', before).map_or(0, |at| at + 1)
    }

    /// Reads on to the end of a long line, behind its newline, if the line is a
    /// record that a journal has written.
    fn hold_record(&mut self, start: u64, end: u64) -> Result<bool, Error> {
        let is_record = journal::raw::is_sealed_at(end - start, |buf, at| {
            self.part.read_exact(self.file, buf, start + at)
        })?;
        if is_record {
            let wanted = usize::try_from(end + 1 - self.base).unwrap_or(usize::MAX);
            // The buffer may reach beyond it already.
            self.fill_to(wanted)?;
            self.filled = self.filled.min(wanted);
        }
        Ok(is_record)
    }

    /// Finds the end of the line at `start`, before its newline, in a part of
    /// the buffer that is not needed any more.
    fn pass_line(&mut self, start: u64) -> Result<u64, Error> {
        let mut at = start;
        let mut piece = vec![0; SKIPPED];
        loop {
            let left = usize::try_from(self.part.end - at).unwrap_or(SKIPPED);
            let room = piece.get_mut(..left.min(SKIPPED)).unwrap_or_default();
            let count = match room {
                [] => 0,
                room => self.part.read_at(self.file, room, at)?,
            };
            let read = piece.get(..count).unwrap_or_default();
            if let Some(newline) = memchr::memchr(b'\n', read) {
                return Ok(at + newline as u64);
            }
            if count == 0 {
                return Ok(at);
            }
            at += count as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_same_place_in_their_cache_lines() {
        let buffer = vec![0; 200];
        for offset in 0..200_u64 {
            let behind = usize::try_from(offset).unwrap() + 64 - lag(offset, &buffer);
            assert_eq!(behind % 64, buffer.as_ptr().addr() % 64, "{offset}");
        }
    }
}

//! Where does each line of a file begin and end, read from the back?

use std::collections::VecDeque;

use crate::error::ReadError;
use crate::options::DEFAULT_MAX_LINE;
use crate::reader::Reader;
use crate::record::Ending;
use crate::session_file::SessionFile;
use crate::stretch::{PhysicalLine, Stretch};

/// How much is read at once, at least.
pub(super) const CHUNK: usize = 64 << 10;

/// The physical lines of a file, the last one first.
#[derive(Debug)]
pub(super) struct BackwardLines {
    pub(super) file: SessionFile,
    /// The length in bytes beyond which a line is passed over.
    pub(super) max_line: usize,
    /// Whether a longer line is held all the same if it is a record of ours.
    pub(super) holds_records: bool,
    /// The file's bytes from `base` on; those behind `end` are done with.
    buffer: Vec<u8>,
    base: u64,
    end: usize,
    position: Position,
}

/// What is known of the place from which reading goes towards the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// At the end of the file, whose last line may lack its newline.
    AtEnd(Ending),
    /// Behind a line whose newline was passed.
    BehindLine,
    /// The line that begins the file was taken.
    Exhausted,
}

impl BackwardLines {
    /// Reads what stands before `end`.
    pub(super) fn new(file: SessionFile, end: u64, ending: Ending) -> Self {
        let position = match end {
            0 => Position::Exhausted,
            _ => Position::AtEnd(ending),
        };
        Self {
            file,
            max_line: DEFAULT_MAX_LINE,
            holds_records: true,
            buffer: Vec::new(),
            base: end,
            end: 0,
            position,
        }
    }

    /// Reads the same file's lines before an offset at which a line begins.
    pub(super) fn before(&self, offset: u64) -> Self {
        let mut lines = Self::new(self.file.clone(), offset, Ending::Closed);
        lines.max_line = self.max_line;
        lines.holds_records = self.holds_records;
        lines
    }

    /// Reads the same file from its start.
    pub(super) fn forward(&self) -> Reader {
        let mut reader = Reader::new(self.file.clone(), Ending::Closed);
        if !self.holds_records {
            reader.set_max_line(self.max_line);
        }
        reader
    }

    /// Tells whether the line that begins the file was taken.
    pub(super) fn is_exhausted(&self) -> bool {
        self.position == Position::Exhausted
    }

    /// Returns the bytes of a part of the last line taken.
    pub(super) fn bytes(&self, stretch: Stretch) -> &[u8] {
        stretch.bytes_in(&self.buffer, self.base)
    }

    #[cfg(test)]
    pub(super) fn buffer_len(&self) -> usize {
        self.buffer.len()
    }

    /// Sees to it that something is pending; false at the start of the file.
    pub(super) fn refill(&mut self, pending: &mut VecDeque<Stretch>) -> Result<bool, ReadError> {
        while pending.is_empty() {
            match self.previous_line()? {
                Some(line) => line.sort_into(pending),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn previous_line(&mut self) -> Result<Option<PhysicalLine<'_>>, ReadError> {
        let mut ended = match self.position {
            Position::AtEnd(_) => self.pass_last_newline()?,
            Position::BehindLine | Position::Exhausted => true,
        };
        if !ended && self.position == Position::AtEnd(Ending::Live) {
            // In a live file such a line is still being written.
            self.take_line(ended)?;
            ended = true;
        }
        if self.is_exhausted() {
            return Ok(None);
        }
        self.take_line(ended).map(Some)
    }

    /// Tells whether the file's last byte is a newline, and passes it.
    fn pass_last_newline(&mut self) -> Result<bool, ReadError> {
        if self.end == 0 {
            self.fill()?;
        }
        let ended = self.end > 0 && self.buffer.get(self.end - 1) == Some(&b'\n');
        if ended {
            self.end -= 1;
            self.position = Position::BehindLine;
        }
        Ok(ended)
    }

    /// Takes the line that ends at `end`, and passes the newline before it.
    fn take_line(&mut self, ended: bool) -> Result<PhysicalLine<'_>, ReadError> {
        let (newline, dropped) = self.find_newline()?;
        let range = newline.map_or(0, |at| at + 1)..self.end;
        self.end = newline.unwrap_or(0);
        self.position = match newline {
            Some(_) => Position::BehindLine,
            None => Position::Exhausted,
        };
        let offset = self.base + range.start as u64;
        let length = range.len() as u64 + dropped;
        if length > self.max_line as u64 {
            return self.take_long_line(offset, length, ended);
        }
        Ok(PhysicalLine::Held {
            offset,
            bytes: self.buffer.get(range).unwrap_or_default(),
            ended,
        })
    }

    /// Reads a long line if it is a record that was written here.
    fn take_long_line(
        &mut self,
        offset: u64,
        length: u64,
        ended: bool,
    ) -> Result<PhysicalLine<'_>, ReadError> {
        if !self.holds_records || !self.file.is_sealed_at(offset, length)? {
            return Ok(PhysicalLine::TooLong { offset, length });
        }
        // What stands before the line's own newline is read again.
        self.base = offset.saturating_sub(1);
        self.end = 0;
        let before = usize::from(offset > 0);
        let count = usize::try_from(length).unwrap_or(usize::MAX - 1) + before;
        self.buffer.resize(count, 0);
        self.file.read_exact(&mut self.buffer, self.base)?;
        Ok(PhysicalLine::Held {
            offset,
            bytes: self.buffer.get(before..).unwrap_or_default(),
            ended,
        })
    }

    /// Finds the newline before the line that ends at `end`, and how many of
    /// the line's bytes were dropped because it is beyond the limit.
    fn find_newline(&mut self) -> Result<(Option<usize>, u64), ReadError> {
        let mut dropped = 0;
        loop {
            let unread = self.buffer.get(..self.end).unwrap_or_default();
            let newline = memchr::memrchr(b'\n', unread);
            if newline.is_some() || self.base == 0 {
                return Ok((newline, dropped));
            }
            if dropped > 0 || self.end > self.max_line {
                dropped += self.end as u64;
                self.end = 0;
            }
            // After an error the call may be repeated: the line is then found
            // anew from where it ends.
            let end = self.base + self.end as u64 + dropped;
            if let Err(error) = self.fill() {
                self.base = end;
                self.end = 0;
                return Err(error);
            }
        }
    }

    /// Puts the bytes before `base` in front of the buffer.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.truncate(self.end);
        // A long line doubles what is read, so that it is copied seldom.
        let wanted = CHUNK.max(self.buffer.len()) as u64;
        let count = wanted.min(self.base);
        let from = self.base - count;
        let mut front = vec![0; usize::try_from(count).unwrap_or(0)];
        self.file.read_exact(&mut front, from)?;
        self.end += front.len();
        front.extend_from_slice(&self.buffer);
        self.buffer = front;
        self.base = from;
        Ok(())
    }
}

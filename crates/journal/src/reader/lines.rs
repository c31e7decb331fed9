//! Where does each line of a file begin and end, read from the front?

use crate::error::ReadError;
use crate::options::DEFAULT_MAX_LINE;
use crate::record::Ending;
use crate::session_file::SessionFile;
use crate::stretch::{PhysicalLine, Stretch};

/// How much is read at once.
pub(super) const CHUNK: usize = 256 << 10;

/// The physical lines of a file, in order.
#[derive(Debug)]
pub(super) struct LineReader {
    pub(super) file: SessionFile,
    pub(super) ending: Ending,
    /// The length in bytes beyond which a line is passed over.
    pub(super) max_line: usize,
    /// Whether a longer line is held all the same if it is a record of ours.
    pub(super) holds_records: bool,
    /// Nothing at or beyond this offset is in the buffer.
    limit: u64,
    /// Bytes `start..filled` of the buffer are read but not consumed.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    /// The offset in the file of the buffer's first byte.
    base: u64,
    /// How many lines were passed since the start of the file, where that is known.
    passed: Option<u64>,
}

impl LineReader {
    pub(super) fn new(file: SessionFile, ending: Ending) -> Self {
        Self {
            file,
            ending,
            max_line: DEFAULT_MAX_LINE,
            holds_records: true,
            limit: u64::MAX,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            base: 0,
            passed: Some(0),
        }
    }

    /// Returns the offset at which reading ends.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Reads up to this offset from now on, and gives up what lies behind it.
    pub(super) fn set_limit(&mut self, offset: u64) {
        self.limit = offset;
        let allowed = usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.filled = self.filled.min(allowed.max(self.start));
    }

    /// Returns where the next line begins.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Returns the place in the file, from 1, of the last line.
    pub(super) fn last_line(&self) -> Option<u64> {
        self.passed
    }

    /// Returns the bytes of a part of the last line.
    pub(super) fn bytes(&self, stretch: Stretch) -> &[u8] {
        stretch.bytes_in(&self.buffer, self.base)
    }

    #[cfg(test)]
    pub(super) fn buffer_len(&self) -> usize {
        self.buffer.len()
    }

    /// Goes to an offset at which a line begins.
    pub(super) fn seek(&mut self, offset: u64) {
        self.read_again_from(offset);
        self.passed = (offset == 0).then_some(0);
    }

    /// Goes behind the next newline, or to the end where there is none.
    pub(super) fn seek_next(&mut self) -> Result<(), ReadError> {
        let ended = self.find_newline()?;
        self.start += usize::from(ended);
        Ok(())
    }

    /// Returns the next line, and `None` at the end. In a live file, a later
    /// call may find what was written since.
    pub(super) fn next_line(&mut self) -> Result<Option<PhysicalLine<'_>>, ReadError> {
        let mut searched = 0;
        loop {
            let unread = self.unread();
            let newline = memchr::memchr(b'\n', unread.get(searched..).unwrap_or_default());
            let length = newline.map_or(unread.len(), |at| searched + at);
            if length > self.max_line {
                return self.pass_long_line();
            }
            if newline.is_some() {
                return Ok(Some(self.take(length, true)));
            }
            searched = length;
            if !self.fill()? {
                break;
            }
        }
        if self.ending == Ending::Closed && searched > 0 {
            return Ok(Some(self.take(searched, false)));
        }
        // A writer whose disk is full takes the beginning of a line back and
        // may write another one there: it is read again.
        self.filled = self.start;
        Ok(None)
    }

    fn take(&mut self, length: usize, ended: bool) -> PhysicalLine<'_> {
        let (offset, range) = (self.offset(), self.start..self.start + length);
        self.pass(range.end, ended);
        PhysicalLine::Held {
            offset,
            bytes: self.buffer.get(range).unwrap_or_default(),
            ended,
        }
    }

    /// Passes over a line that is longer than the limit without holding it,
    /// unless it is a record that was written here.
    fn pass_long_line(&mut self) -> Result<Option<PhysicalLine<'_>>, ReadError> {
        let offset = self.offset();
        match self.find_newline() {
            Ok(ended) if ended || self.ending == Ending::Closed => {
                let length = self.offset() - offset;
                if self.hold_record(offset, length, ended)? {
                    return Ok(Some(self.take(to_usize(length), ended)));
                }
                self.pass(self.start, ended);
                Ok(Some(PhysicalLine::TooLong { offset, length }))
            }
            unfinished => {
                // The call may be repeated, and must not take the rest of the
                // line for a line.
                self.read_again_from(offset);
                unfinished.map(|_| None)
            }
        }
    }

    /// Reads a long line if it is a record that was written here; else the
    /// place stays behind it.
    fn hold_record(&mut self, offset: u64, length: u64, ended: bool) -> Result<bool, ReadError> {
        if !self.holds_records {
            return Ok(false);
        }
        let place = (self.base, self.start, self.filled);
        self.read_again_from(offset);
        let is_record = self.file.is_sealed_at(offset, length)?;
        if is_record {
            let count = to_usize(length) + usize::from(ended);
            self.buffer.resize(count.max(self.buffer.len()), 0);
            let line = self.buffer.get_mut(..count).unwrap_or_default();
            self.file.read_exact(line, offset)?;
            self.filled = count;
        } else {
            (self.base, self.start, self.filled) = place;
        }
        Ok(is_record)
    }

    fn pass(&mut self, end: usize, ended: bool) {
        self.start = end + usize::from(ended);
        self.passed = self.passed.map(|passed| passed + 1);
    }

    /// Goes to the next newline; false where there is none.
    fn find_newline(&mut self) -> Result<bool, ReadError> {
        loop {
            if let Some(newline) = memchr::memchr(b'\n', self.unread()) {
                self.start += newline;
                return Ok(true);
            }
            self.start = self.filled;
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    fn read_again_from(&mut self, offset: u64) {
        self.base = offset;
        self.start = 0;
        self.filled = 0;
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.filled).unwrap_or_default()
    }

    /// Reads on behind `filled`; false at the end of the file or the limit.
    fn fill(&mut self) -> Result<bool, ReadError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.base += self.start as u64;
            self.filled -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() {
            self.buffer = vec![0; CHUNK];
        }
        // A long line doubles the buffer, so that it is copied seldom.
        if self.buffer.len() - self.filled < CHUNK / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let offset = self.base + self.filled as u64;
        let allowed = usize::try_from(self.limit.saturating_sub(offset)).unwrap_or(usize::MAX);
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let wanted = room.len().min(allowed);
        let room = room.get_mut(..wanted).unwrap_or_default();
        let count = self.file.read_at(room, offset)?;
        self.filled += count;
        Ok(count > 0)
    }
}

/// No line that can be held is longer than this type's largest number.
fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

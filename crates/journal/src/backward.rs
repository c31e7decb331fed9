//! Reads one file from its end towards its start.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::damage::{Damage, Integrity, Reason};
use crate::error::ReadError;
use crate::fs::{FileSystem, ReadFile, RealFs};
use crate::line::{Checked, Piece, line_pieces};
use crate::options::DEFAULT_MAX_LINE;
use crate::reader::{Ending, Item, Line, Problem, Reader, Record, open_file, owned};
use crate::session::CURRENT;

/// How much is read at once, at least.
const CHUNK: usize = 64 << 10;
/// How many numbers are kept from counting forwards.
const COUNTED: usize = 4096;

/// Reads the records of one session file, the newest first.
///
/// Numbers are those that a [`Reader`] gives. Damage carries no line number,
/// since the lines before it are not counted.
#[derive(Debug)]
pub struct Backward {
    path: PathBuf,
    file: Arc<dyn ReadFile>,
    max_line: usize,
    /// The file's bytes from `base` on; those behind `end` are done with.
    buffer: Vec<u8>,
    base: u64,
    end: usize,
    start: Start,
    pieces: VecDeque<Piece>,
    too_long: Option<Damage>,
    /// The number of the record before the last one given out, where that
    /// record has none of its own.
    implied: Option<u64>,
    /// Offsets and numbers of the records before, as far as they were counted.
    counted: VecDeque<(u64, u64)>,
    /// Whether the search for a checked number came by any number.
    numbered: bool,
    broken: bool,
}

/// What is known of the place from which reading goes towards the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// At the end of the file, whose last line may lack its newline.
    AtEnd(Ending),
    /// Behind a line whose newline was passed.
    BehindLine,
    /// The line that begins the file was taken.
    Exhausted,
}

/// A physical line, with its newline passed.
enum Found {
    Line { range: Range<usize>, ended: bool },
    TooLong(Damage),
}

impl Backward {
    /// Opens a session file of the local file system at its end.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be opened or measured.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        Self::open_in(&RealFs, path.as_ref())
    }

    /// Opens a session file of the given file system at its end. In the current
    /// session, what stands behind the last newline is still being written.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be opened or measured.
    pub fn open_in(fs: &dyn FileSystem, path: &Path) -> Result<Self, ReadError> {
        let file = open_file(fs, path)?;
        let size = file
            .size()
            .map_err(|source| failed("measure", path, 0, source))?;
        let live = path.file_name().is_some_and(|name| name == CURRENT);
        let ending = if live { Ending::Live } else { Ending::Closed };
        Ok(Self::new(path, file, size, ending))
    }

    /// Reads what stands before `end`.
    pub(crate) fn new(path: &Path, file: Arc<dyn ReadFile>, end: u64, ending: Ending) -> Self {
        Self {
            path: path.to_owned(),
            file,
            max_line: DEFAULT_MAX_LINE,
            buffer: Vec::new(),
            base: end,
            end: 0,
            start: if end == 0 {
                Start::Exhausted
            } else {
                Start::AtEnd(ending)
            },
            pieces: VecDeque::new(),
            too_long: None,
            implied: None,
            counted: VecDeque::new(),
            numbered: false,
            broken: false,
        }
    }

    /// Sets the length in bytes beyond which a line is damage.
    pub fn set_max_line(&mut self, bytes: usize) {
        self.max_line = bytes;
    }

    /// Returns the record or damage before the last one, and `None` at the
    /// start of the file.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        if !self.is_ready()? {
            return Ok(None);
        }
        if let Some(damage) = self.too_long.take() {
            return Ok(Some(Item::Damage(damage)));
        }
        match self.pieces.pop_back() {
            Some(piece) => self.give(piece).map(Some),
            None => Ok(None),
        }
    }

    /// Finds the next record behind which a reader knows the numbering: one
    /// with a right checksum and a number, among at most so many lines. Gives
    /// its offset and number.
    fn next_anchor(&mut self, lines: usize) -> Result<Option<(u64, u64)>, ReadError> {
        for _ in 0..lines {
            if !self.is_ready()? {
                break;
            }
            self.too_long = None;
            while let Some(piece) = self.pieces.pop_back() {
                let Checked::Record {
                    number: Some(number),
                    integrity,
                } = piece.checked
                else {
                    continue;
                };
                self.numbered = true;
                if integrity == Integrity::Verified {
                    return Ok(Some((self.base + piece.range.start as u64, number)));
                }
            }
        }
        Ok(None)
    }

    /// Returns the number that a new record must be beyond, as far as the
    /// file's last lines tell; `None` where they carry no checked number.
    pub(crate) fn highest_number(mut self) -> Result<Option<u64>, ReadError> {
        /// So many lines made by hand may follow the last one of ours.
        const LOOKED_AT: usize = 1000;
        /// So many lines at the end may be repeated ones.
        const REPEATED: usize = 32;
        let mut reader = self.forward();
        match self.next_anchor(LOOKED_AT)? {
            Some((from, number)) => reader.seek(from, number.checked_sub(1)),
            // A short file in which some line carries a number is counted.
            None if self.start == Start::Exhausted && self.numbered => {}
            None => return Ok(None),
        }
        while reader.next_item()?.is_some() {}
        let mut highest = reader.highest_number();
        for _ in 0..REPEATED {
            match self.next_anchor(1)? {
                Some((_, number)) => highest = highest.max(number),
                None => break,
            }
        }
        Ok(Some(highest).filter(|highest| *highest > 0))
    }

    fn forward(&self) -> Reader {
        let mut reader = Reader::new(&self.path, Arc::clone(&self.file), Ending::Closed);
        reader.set_max_line(self.max_line);
        reader
    }

    fn is_ready(&mut self) -> Result<bool, ReadError> {
        while self.pieces.is_empty() && self.too_long.is_none() {
            match self.previous_line()? {
                None => return Ok(false),
                Some(Found::TooLong(damage)) => self.too_long = Some(damage),
                Some(Found::Line { range, ended }) => self.examine(range, ended),
            }
        }
        Ok(true)
    }

    fn previous_line(&mut self) -> Result<Option<Found>, ReadError> {
        loop {
            let ended = match self.start {
                Start::Exhausted => return Ok(None),
                Start::BehindLine => true,
                Start::AtEnd(_) => self.pass_last_newline()?,
            };
            let live = !ended && self.start == Start::AtEnd(Ending::Live);
            let found = self.take_line(ended)?;
            // In a live file such a line is still being written.
            if !live {
                return Ok(Some(found));
            }
        }
    }

    /// Tells whether the file's last byte is a newline, and passes it.
    fn pass_last_newline(&mut self) -> Result<bool, ReadError> {
        if self.end == 0 {
            self.fill()?;
        }
        let ended = self.end > 0 && self.buffer.get(self.end - 1) == Some(&b'\n');
        if ended {
            self.end -= 1;
            self.start = Start::BehindLine;
        }
        Ok(ended)
    }

    /// Takes the line that ends at `end`, and passes the newline before it.
    fn take_line(&mut self, ended: bool) -> Result<Found, ReadError> {
        // What the line has behind the buffer, once it is beyond the limit.
        let mut dropped = 0;
        let newline = loop {
            let unread = self.buffer.get(..self.end).unwrap_or_default();
            match memchr::memrchr(b'\n', unread) {
                None if self.base > 0 => {
                    if dropped > 0 || self.end > self.max_line {
                        dropped += self.end as u64;
                        self.end = 0;
                    }
                    // After an error the call may be repeated: the line is then
                    // found anew from where it ends.
                    let end = self.base + self.end as u64 + dropped;
                    if let Err(error) = self.fill() {
                        self.base = end;
                        self.end = 0;
                        return Err(error);
                    }
                }
                found => break found,
            }
        };
        let range = newline.map_or(0, |at| at + 1)..self.end;
        match newline {
            Some(at) => {
                self.end = at;
                self.start = Start::BehindLine;
            }
            None => self.start = Start::Exhausted,
        }
        let length = range.len() as u64 + dropped;
        if length <= self.max_line as u64 {
            return Ok(Found::Line { range, ended });
        }
        Ok(Found::TooLong(Damage {
            path: self.path.clone(),
            line: None,
            offset: self.base + range.start as u64,
            length,
            reason: Reason::TooLong,
        }))
    }

    fn examine(&mut self, range: Range<usize>, ended: bool) {
        let line = self.buffer.get(range.clone()).unwrap_or_default();
        if line.trim_ascii().is_empty() {
            return;
        }
        self.pieces
            .extend(line_pieces(line, ended).into_iter().map(|mut piece| {
                piece.range.start += range.start;
                piece.range.end += range.start;
                piece
            }));
    }

    fn give(&mut self, piece: Piece) -> Result<Item<'_>, ReadError> {
        let offset = self.base + piece.range.start as u64;
        match piece.checked {
            Checked::Record { number, integrity } => {
                let number = match self.number(number, integrity, offset) {
                    Ok(number) => number,
                    Err(error) => {
                        self.pieces.push_back(piece);
                        return Err(error);
                    }
                };
                let line = self.buffer.get(piece.range).unwrap_or_default();
                Ok(Item::Record(Record {
                    number,
                    offset,
                    line,
                    integrity,
                }))
            }
            Checked::Bad(reason) => {
                let length = piece.range.len() as u64;
                let path = self.path.clone();
                Ok(Item::Damage(Damage {
                    path,
                    line: None,
                    offset,
                    length,
                    reason,
                }))
            }
        }
    }

    /// Returns the number that a forward reader gives to the record at `offset`.
    fn number(
        &mut self,
        own: Option<u64>,
        integrity: Integrity,
        offset: u64,
    ) -> Result<u64, ReadError> {
        while self.counted.back().is_some_and(|(at, _)| *at > offset) {
            self.counted.pop_back();
        }
        let counted = self.counted.back().filter(|(at, _)| *at == offset);
        let number = match (own, integrity, self.implied, counted) {
            (Some(own), Integrity::Verified, _, _) => own,
            // A line without a number counts on from the one before it.
            (_, _, Some(implied), _) => implied,
            (_, _, _, Some((_, number))) => *number,
            _ => self.count_forward(offset)?,
        };
        self.implied = match own {
            None => number.checked_sub(1).filter(|implied| *implied > 0),
            Some(_) => None,
        };
        Ok(number)
    }

    /// Counts from the last record whose number is beyond doubt, or from the
    /// start of the file. It takes as long as reading what lies between, and
    /// is needed once per run of lines without a number, or once for some
    /// thousand lines whose own numbers are in doubt.
    fn count_forward(&mut self, offset: u64) -> Result<u64, ReadError> {
        let file = Arc::clone(&self.file);
        let mut before = Self::new(&self.path, file, offset, Ending::Closed);
        before.set_max_line(self.max_line);
        let mut reader = self.forward();
        if let Some((from, number)) = before.next_anchor(usize::MAX)? {
            reader.seek(from, number.checked_sub(1));
        }
        self.counted.clear();
        while let Some(item) = reader.next_item()? {
            let Item::Record(record) = item else { continue };
            if record.offset >= offset {
                return Ok(record.number);
            }
            if self.counted.len() == COUNTED {
                self.counted.pop_front();
            }
            self.counted.push_back((record.offset, record.number));
        }
        Ok(reader.last_number())
    }

    /// Puts the bytes before `base` in front of the buffer.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.truncate(self.end);
        // A long line doubles what is read, so that it is copied seldom.
        let wanted = CHUNK.max(self.buffer.len()) as u64;
        let count = wanted.min(self.base);
        let from = self.base - count;
        let mut front = vec![0; usize::try_from(count).unwrap_or(0)];
        let mut read = 0;
        while let Some(rest) = front.get_mut(read..).filter(|rest| !rest.is_empty()) {
            let at = from + read as u64;
            let got = self.file.read_at(rest, at);
            let got = got.map_err(|source| failed("read", &self.path, at, source))?;
            if got == 0 {
                let source = std::io::ErrorKind::UnexpectedEof.into();
                return Err(failed("read", &self.path, at, source));
            }
            read += got;
        }
        front.extend_from_slice(&self.buffer);
        self.end += read;
        self.buffer = front;
        self.base = from;
        Ok(())
    }
}

fn failed(operation: &'static str, path: &Path, offset: u64, source: std::io::Error) -> ReadError {
    ReadError {
        operation,
        path: path.to_owned(),
        offset,
        source,
    }
}

impl Iterator for Backward {
    type Item = Result<Line, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        match self.next_item() {
            Ok(item) => Some(owned(item?)),
            Err(error) => {
                self.broken = true;
                Some(Err(error.into()))
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Reads one file forwards: bytes to lines, lines to records and damage.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::backward::Backward;
use crate::damage::{Damage, Integrity, Reason};
use crate::error::ReadError;
use crate::fs::{FileSystem, ReadFile, RealFs};
use crate::line::{Checked, Piece, line_pieces};
use crate::numbering::Numbering;
use crate::options::DEFAULT_MAX_LINE;
use crate::session::CURRENT;

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// One record of a journal, borrowed from the reader's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number; lines without one of their own count on from the line before.
    pub number: u64,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// The line, without its newline.
    pub line: &'a [u8],
    /// What its checksum says.
    pub integrity: Integrity,
}

/// One record of a journal, with its own copy of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number; lines without one of their own count on from the line before.
    pub number: u64,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// The line, without its newline.
    pub bytes: Vec<u8>,
    /// What its checksum says.
    pub integrity: Integrity,
}

impl Line {
    /// Reads the record back into a value; members that the value does not
    /// have, such as `message_num` and `crc`, are passed over.
    ///
    /// # Errors
    /// Whatever serde_json says of a line that is no such value.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.bytes)
    }
}

/// What a reader comes upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record.
    Record(Record<'a>),
    /// Bytes that are none. Reading goes on behind them.
    Damage(Damage),
}

/// What an iterator over records comes upon that is no record.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Bytes that are no record; the iterator goes on behind them.
    #[error("damage: {0}")]
    Damage(Damage),
    /// The file could not be read; the iterator ends.
    #[error(transparent)]
    Io(#[from] ReadError),
}

/// What a last line without newline is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A line that is still being written: reading ends before it.
    Live,
    /// A line that was cut off: a record if it is whole, and damage if not.
    Closed,
}

/// Reads the records of one session file in order.
///
/// It holds a buffer of 256 KiB, or as much as the longest line needs.
/// [`next_item`](Self::next_item) lends records without copying; as an
/// [`Iterator`] it copies each line.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: Arc<dyn ReadFile>,
    ending: Ending,
    max_line: usize,
    limit: u64,
    /// Bytes `start..filled` of the buffer are read but not consumed.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    /// The offset in the file of the buffer's first byte.
    base: u64,
    /// The number of the line at `start`, where it is known.
    line: Option<u64>,
    numbering: Numbering,
    /// Parts of the last line that are still to be given out.
    pieces: VecDeque<Piece>,
    piece_line: Option<u64>,
    /// A line beyond the limit that is still to be reported.
    too_long: Option<Damage>,
    broken: bool,
}

/// A physical line in the buffer.
enum Found {
    Line { range: Range<usize>, ended: bool },
    TooLong(Damage),
    End,
}

impl Reader {
    /// Opens a session file of the local file system from its start. The
    /// current session is read as [`Ending::Live`], all others as closed.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        Self::open_in(&RealFs, path.as_ref())
    }

    /// Opens a session file of the given file system from its start.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be opened.
    pub fn open_in(fs: &dyn FileSystem, path: &Path) -> Result<Self, ReadError> {
        let live = path.file_name().is_some_and(|name| name == CURRENT);
        let file = open_file(fs, path)?;
        let ending = if live { Ending::Live } else { Ending::Closed };
        Ok(Self::new(path, file, ending))
    }

    pub(crate) fn new(path: &Path, file: Arc<dyn ReadFile>, ending: Ending) -> Self {
        Self {
            path: path.to_owned(),
            file,
            ending,
            max_line: DEFAULT_MAX_LINE,
            limit: u64::MAX,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            base: 0,
            line: Some(1),
            numbering: Numbering::default(),
            pieces: VecDeque::new(),
            piece_line: None,
            too_long: None,
            broken: false,
        }
    }

    /// Sets what a last line without newline is taken for.
    pub fn set_ending(&mut self, ending: Ending) {
        self.ending = ending;
    }

    /// Sets the length in bytes beyond which a line is damage.
    pub fn set_max_line(&mut self, bytes: usize) {
        self.max_line = bytes;
    }

    /// Never reads at or beyond this offset; it must be where a line begins.
    pub fn set_limit(&mut self, offset: u64) {
        self.limit = offset;
    }

    /// Goes to an offset at which a line begins. `last` is the number of the
    /// record before it, where that is known.
    pub fn seek(&mut self, offset: u64, last: Option<u64>) {
        self.base = offset;
        self.start = 0;
        self.filled = 0;
        self.line = (offset == 0).then_some(1);
        self.numbering = last.map_or_else(Numbering::default, Numbering::after);
        self.pieces.clear();
        self.too_long = None;
    }

    /// Goes to the first line that begins at or behind an offset in the middle
    /// of the file.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub fn seek_line_from(&mut self, offset: u64) -> Result<(), ReadError> {
        let Some(before) = offset.checked_sub(1) else {
            self.seek(0, Some(0));
            return Ok(());
        };
        self.seek(before, None);
        if self.pass_line()? {
            self.start += 1;
        }
        Ok(())
    }

    /// Returns the path of the file being read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where reading goes on, in bytes from the start of the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        if let Some(damage) = &self.too_long {
            return damage.offset;
        }
        let next = self
            .pieces
            .front()
            .map_or(self.start, |piece| piece.range.start);
        self.base + next as u64
    }

    pub(crate) fn file_len(&self) -> Result<u64, ReadError> {
        self.file.size().map_err(|source| self.failed(source))
    }

    /// Reads the same file from its present end towards its start.
    pub(crate) fn backward(&self) -> Result<Backward, ReadError> {
        let (file, size) = (Arc::clone(&self.file), self.file_len()?);
        Ok(Backward::new(&self.path, file, size, self.ending))
    }

    fn failed(&self, source: std::io::Error) -> ReadError {
        let offset = self.base + self.filled as u64;
        ReadError {
            operation: "read",
            path: self.path.clone(),
            offset,
            source,
        }
    }

    /// Returns the number of the last record read, or 0.
    #[must_use]
    pub fn last_number(&self) -> u64 {
        self.numbering.last()
    }

    /// Returns the number that a new record must be beyond.
    pub(crate) fn highest_number(&self) -> u64 {
        self.numbering.highest()
    }

    /// Returns the number of the file's first record, and goes to the start.
    pub(crate) fn first_number(&mut self) -> Result<Option<u64>, ReadError> {
        self.seek(0, None);
        let first = self.find_first()?;
        self.seek(0, None);
        Ok(first)
    }

    /// Tells whether the file's first record carries a number, and goes to the
    /// start.
    pub(crate) fn first_is_numbered(&mut self) -> Result<bool, ReadError> {
        self.seek(0, None);
        let mut numbered = false;
        while self.is_ready()? {
            if let Some(Checked::Record { number, .. }) = self.pieces.front().map(|p| p.checked) {
                numbered = number.is_some();
                break;
            }
            self.next_item()?;
        }
        self.seek(0, None);
        Ok(numbered)
    }

    /// An altered first line may carry any number; the next line that was not
    /// altered tells what it was.
    fn find_first(&mut self) -> Result<Option<u64>, ReadError> {
        let (mut first, mut before) = (None, 0);
        while let Some(item) = self.next_item()? {
            let Item::Record(record) = item else { continue };
            match record.integrity {
                Integrity::Verified => {
                    return Ok(Some(record.number.saturating_sub(before).max(1)));
                }
                Integrity::Unverified => return Ok(first.or(Some(record.number))),
                Integrity::Altered => {}
            }
            first = first.or(Some(record.number));
            before += 1;
        }
        Ok(first)
    }

    /// Returns the file's first bytes, at most `count` of them.
    pub(crate) fn head(&self, count: usize) -> Result<Vec<u8>, ReadError> {
        let mut head = vec![0; count];
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self
                .file
                .read_at(rest, filled as u64)
                .map_err(|source| self.failed(source))?
            {
                0 => break,
                read => filled += read,
            }
        }
        head.truncate(filled);
        Ok(head)
    }

    /// Returns the next record or stretch of damage, and `None` at the end. In
    /// a live file, a later call may find what was written since.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read; the call may be repeated.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        if !self.is_ready()? {
            return Ok(None);
        }
        if let Some(damage) = self.too_long.take() {
            self.numbering.skip();
            return Ok(Some(Item::Damage(damage)));
        }
        let piece = self.pieces.pop_front();
        Ok(piece.map(|piece| self.give(piece)))
    }

    /// Tells whether there is a next item, and reads as much as that takes.
    pub(crate) fn is_ready(&mut self) -> Result<bool, ReadError> {
        while self.pieces.is_empty() && self.too_long.is_none() {
            match self.find_line()? {
                Found::End => return Ok(false),
                Found::TooLong(damage) => self.too_long = Some(damage),
                Found::Line { range, ended } => self.examine(range, ended),
            }
        }
        Ok(true)
    }

    /// Reads up to, but not over, the first record numbered `target` or more
    /// and the damage right behind the record numbered one less.
    pub(crate) fn skip_below(&mut self, target: u64) -> Result<(), ReadError> {
        while self.is_ready()? {
            let before = self.numbering.clone();
            let mut number = None;
            match self.pieces.front().map(|piece| piece.checked) {
                Some(Checked::Record {
                    number: own,
                    integrity,
                }) => number = Some(self.numbering.assign(own, integrity)),
                _ => self.numbering.skip(),
            }
            if number.is_some_and(|number| number >= target) {
                self.numbering = before;
                break;
            }
            if self.too_long.take().is_none() {
                self.pieces.pop_front();
            }
            if number.is_some_and(|number| number + 1 == target) {
                break;
            }
        }
        Ok(())
    }

    /// Sorts the line at `range` into pieces.
    fn examine(&mut self, range: Range<usize>, ended: bool) {
        let line = self.buffer.get(range.clone()).unwrap_or_default();
        if !line.trim_ascii().is_empty() {
            self.pieces
                .extend(line_pieces(line, ended).into_iter().map(|mut piece| {
                    piece.range.start += range.start;
                    piece.range.end += range.start;
                    piece
                }));
        }
        self.piece_line = self.line;
        self.line = self.line.map(|line| line + 1);
        self.start = range.end + usize::from(ended);
    }

    fn give(&mut self, piece: Piece) -> Item<'_> {
        let offset = self.base + piece.range.start as u64;
        match piece.checked {
            Checked::Record { number, integrity } => Item::Record(Record {
                number: self.numbering.assign(number, integrity),
                offset,
                line: self.buffer.get(piece.range).unwrap_or_default(),
                integrity,
            }),
            Checked::Bad(reason) => {
                self.numbering.skip();
                Item::Damage(Damage {
                    path: self.path.clone(),
                    line: self.piece_line,
                    offset,
                    length: piece.range.len() as u64,
                    reason,
                })
            }
        }
    }

    /// Finds the line at `start` and reads as much as that takes.
    fn find_line(&mut self) -> Result<Found, ReadError> {
        let mut searched = 0;
        loop {
            let unread = self.buffer.get(self.start..self.filled).unwrap_or_default();
            let unsearched = unread.get(searched..).unwrap_or_default();
            if let Some(newline) = memchr::memchr(b'\n', unsearched) {
                let end = self.start + searched + newline;
                if end - self.start > self.max_line {
                    return self.skip_long_line();
                }
                return Ok(Found::Line {
                    range: self.start..end,
                    ended: true,
                });
            }
            searched = unread.len();
            if searched > self.max_line {
                return self.skip_long_line();
            }
            if !self.fill()? {
                if self.ending == Ending::Closed && searched > 0 {
                    let range = self.start..self.filled;
                    return Ok(Found::Line {
                        range,
                        ended: false,
                    });
                }
                // A writer whose disk is full takes the beginning of a line
                // back and may write another one there: it is read again.
                self.filled = self.start;
                return Ok(Found::End);
            }
        }
    }

    /// Passes over a line that is longer than the limit without holding it.
    fn skip_long_line(&mut self) -> Result<Found, ReadError> {
        let (offset, line) = (self.offset(), self.line);
        let ended = match self.pass_line() {
            Ok(false) if self.ending == Ending::Live => {
                self.go_back(offset);
                return Ok(Found::End);
            }
            Ok(ended) => ended,
            Err(error) => {
                // The call may be repeated, and must not take the rest of the
                // line for a line.
                self.go_back(offset);
                return Err(error);
            }
        };
        let length = self.offset() - offset;
        self.start += usize::from(ended);
        self.line = line.map(|line| line + 1);
        let path = self.path.clone();
        Ok(Found::TooLong(Damage {
            path,
            line,
            offset,
            length,
            reason: Reason::TooLong,
        }))
    }

    /// Goes to the next newline; false where there is none.
    fn pass_line(&mut self) -> Result<bool, ReadError> {
        loop {
            let unread = self.buffer.get(self.start..self.filled).unwrap_or_default();
            if let Some(newline) = memchr::memchr(b'\n', unread) {
                self.start += newline;
                return Ok(true);
            }
            self.start = self.filled;
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Reads again from where the current line begins.
    fn go_back(&mut self, offset: u64) {
        self.base = offset;
        self.start = 0;
        self.filled = 0;
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
        let read = self.file.read_at(room, offset);
        let count = read.map_err(|source| self.failed(source))?;
        self.filled += count;
        Ok(count > 0)
    }
}

pub(crate) fn open_file(fs: &dyn FileSystem, path: &Path) -> Result<Arc<dyn ReadFile>, ReadError> {
    let opened = fs.open_read(path);
    opened.map(Arc::from).map_err(|source| ReadError {
        operation: "open",
        path: path.to_owned(),
        offset: 0,
        source,
    })
}

impl Iterator for Reader {
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

pub(crate) fn owned(item: Item<'_>) -> Result<Line, Problem> {
    match item {
        Item::Record(Record {
            number,
            offset,
            line,
            integrity,
        }) => Ok(Line {
            number,
            offset,
            bytes: line.to_vec(),
            integrity,
        }),
        Item::Damage(damage) => Err(Problem::Damage(damage)),
    }
}

#[cfg(test)]
mod tests;

//! Reads one file from its end towards its start.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::damage::{Damage, Integrity};
use crate::error::ReadError;
use crate::fs::{FileSystem, ReadFile, RealFs};
use crate::line::{Checked, Piece};
use crate::reader::{Ending, Item, Line, Problem, Reader, Record, line_pieces, open_file, owned};
use crate::session::CURRENT;

/// How much is read at once, at least.
const CHUNK: usize = 64 << 10;

/// Reads the records of one session file, the newest first.
///
/// Numbers are those that a [`Reader`] gives. Damage carries no line number,
/// since the lines before it are not counted.
#[derive(Debug)]
pub struct Backward {
    path: PathBuf,
    file: Arc<dyn ReadFile>,
    /// The file's bytes from `base` on; those behind `end` are done with.
    buffer: Vec<u8>,
    base: u64,
    end: usize,
    /// Whether the line that begins the file was taken.
    exhausted: bool,
    pieces: VecDeque<Piece>,
    numbers: Numbers,
    broken: bool,
}

/// What is known of the record that was given out last.
#[derive(Debug, Default)]
struct Numbers {
    last: Option<u64>,
    /// The number of the record before it, where that has none of its own.
    implied: Option<u64>,
}

impl Backward {
    /// Opens a session file of the local file system at its end.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be opened or read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        Self::open_in(&RealFs, path.as_ref())
    }

    /// Opens a session file of the given file system at its end.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be opened or read.
    pub fn open_in(fs: &dyn FileSystem, path: &Path) -> Result<Self, ReadError> {
        let file = open_file(fs, path)?;
        let base = file
            .size()
            .map_err(|source| failed("measure", path, 0, source))?;
        let mut backward = Self {
            path: path.to_owned(),
            file,
            buffer: Vec::new(),
            base,
            end: 0,
            exhausted: base == 0,
            pieces: VecDeque::new(),
            numbers: Numbers::default(),
            broken: false,
        };
        let live = path.file_name().is_some_and(|name| name == CURRENT);
        if !backward.exhausted {
            backward.fill()?;
            backward.pass_last_newline(live)?;
        }
        Ok(backward)
    }

    /// In a live file, what stands behind the last newline is still being written.
    fn pass_last_newline(&mut self, live: bool) -> Result<(), ReadError> {
        if self.buffer.last() == Some(&b'\n') {
            self.end -= 1;
        } else if live {
            match self.find_newline()? {
                Some(newline) => self.end = newline,
                None => self.exhausted = true,
            }
        }
        Ok(())
    }

    /// Returns the record or damage before the last one, and `None` at the
    /// start of the file.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        while self.pieces.is_empty() {
            let Some(range) = self.previous_line()? else {
                return Ok(None);
            };
            self.examine(range);
        }
        match self.pieces.pop_back() {
            Some(piece) => self.give(piece).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the last record's own number, if it has one, without counting.
    pub(crate) fn last_own_number(&mut self) -> Result<Option<u64>, ReadError> {
        while let Some(range) = self.previous_line()? {
            self.examine(range);
            while let Some(piece) = self.pieces.pop_back() {
                if let Checked::Record { number, .. } = piece.checked {
                    return Ok(number);
                }
            }
        }
        Ok(None)
    }

    fn previous_line(&mut self) -> Result<Option<Range<usize>>, ReadError> {
        if self.exhausted {
            return Ok(None);
        }
        let newline = self.find_newline()?;
        let line = newline.map_or(0, |at| at + 1)..self.end;
        match newline {
            Some(at) => self.end = at,
            None => self.exhausted = true,
        }
        Ok(Some(line))
    }

    /// Finds the last newline before `end`, and reads as much as that takes.
    fn find_newline(&mut self) -> Result<Option<usize>, ReadError> {
        loop {
            let unread = self.buffer.get(..self.end).unwrap_or_default();
            match memchr::memrchr(b'\n', unread) {
                None if self.base > 0 => self.fill()?,
                found => return Ok(found),
            }
        }
    }

    fn examine(&mut self, range: Range<usize>) {
        let line = self.buffer.get(range.clone()).unwrap_or_default();
        if line.trim_ascii().is_empty() {
            return;
        }
        self.pieces
            .extend(line_pieces(line, true).into_iter().map(|mut piece| {
                piece.range.start += range.start;
                piece.range.end += range.start;
                piece
            }));
    }

    fn give(&mut self, piece: Piece) -> Result<Item<'_>, ReadError> {
        let offset = self.base + piece.range.start as u64;
        match piece.checked {
            Checked::Record { number, integrity } => {
                let number = self.number(number, integrity, offset)?;
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
        let Numbers { last, implied } = self.numbers;
        let number = match (own, integrity) {
            (Some(own), Integrity::Verified) => own,
            // The usual case of an edited line: its number still fits.
            (Some(own), _) if last.is_some_and(|last| own.checked_add(1) == Some(last)) => own,
            (None, _) if implied.is_some() => implied.unwrap_or_default(),
            _ => self.count_forward(offset)?,
        };
        let implied = if own.is_none() {
            number.checked_sub(1)
        } else {
            None
        };
        self.numbers = Numbers {
            last: Some(number),
            implied,
        };
        Ok(number)
    }

    /// Counts from the start of the file. It takes as long as reading the file
    /// up to `offset`, and is needed once per run of lines without a number.
    fn count_forward(&self, offset: u64) -> Result<u64, ReadError> {
        let mut reader = Reader::new(&self.path, Arc::clone(&self.file), Ending::Closed);
        while let Some(item) = reader.next_item()? {
            if let Item::Record(record) = item
                && record.offset >= offset
            {
                return Ok(record.number);
            }
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

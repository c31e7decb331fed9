//! Which records does a file hold, read from the back?

mod anchors;
mod lines;
mod numbers;

use std::collections::VecDeque;
use std::path::Path;

use self::anchors::Anchors;
use self::lines::BackwardLines;
use self::numbers::Numbers;
use crate::error::ReadError;
use crate::fs::{FileSystem, RealFs};
use crate::line::Checked;
use crate::record::{Ending, Item, Line, Problem, Record};
use crate::session_file::SessionFile;
use crate::stretch::Stretch;

/// Reads the records of one session file, the newest first.
///
/// Numbers are those that a [`Reader`](crate::Reader) gives. Damage carries no
/// line number, since the lines before it are not counted.
#[derive(Debug)]
pub struct Backward {
    lines: BackwardLines,
    /// Parts of the last line that are still to be given out, from the back.
    pending: VecDeque<Stretch>,
    numbers: Numbers,
    /// Whether the iterator has ended at a failed read.
    broken: bool,
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
        Self::of(SessionFile::open(fs, path)?)
    }

    /// Reads a file that is open, from its present end.
    pub(crate) fn of(file: SessionFile) -> Result<Self, ReadError> {
        let (size, ending) = (file.size()?, file.ending());
        Ok(Self::new(file, size, ending))
    }

    /// Reads what stands before `end`.
    pub(crate) fn new(file: SessionFile, end: u64, ending: Ending) -> Self {
        Self {
            lines: BackwardLines::new(file, end, ending),
            pending: VecDeque::new(),
            numbers: Numbers::default(),
            broken: false,
        }
    }

    /// Sets the length in bytes beyond which a line is damage, whatever it holds;
    /// see [`Reader::set_max_line`](crate::Reader::set_max_line).
    pub fn set_max_line(&mut self, bytes: usize) {
        self.lines.max_line = bytes;
        self.lines.holds_records = false;
    }

    /// Returns the record or damage before the last one, and `None` at the
    /// start of the file.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        self.lines.refill(&mut self.pending)?;
        let Some(&stretch) = self.pending.back() else {
            return Ok(None);
        };
        let Stretch {
            offset, checked, ..
        } = stretch;
        let item = match checked {
            Checked::Record { number, integrity } => Item::Record(Record {
                number: self
                    .numbers
                    .assign(number, integrity, offset, &self.lines)?,
                offset,
                line: self.lines.bytes(stretch),
                integrity,
            }),
            Checked::Bad(reason) => {
                Item::Damage(stretch.damage(self.lines.file.path(), None, reason))
            }
        };
        // Only now: where counting fails, the call may be repeated.
        self.pending.pop_back();
        Ok(Some(item))
    }

    /// Returns the number that a new record must be beyond, as far as the
    /// lines at the end of the file tell, of which none has been read yet;
    /// `None` where they carry no checked number.
    pub(crate) fn highest_number(self) -> Result<Option<u64>, ReadError> {
        Anchors::new(self.lines).highest_number()
    }
}

impl Iterator for Backward {
    type Item = Result<Line, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let next = self.next_item().transpose();
        let next = next.map(|item| item?.into_owned());
        self.broken = matches!(next, Some(Err(Problem::Io(_))));
        next
    }
}

#[cfg(test)]
mod tests;

//! Which records does a file hold, read from the front, and under which numbers?

mod beginning;
mod lines;

use std::collections::VecDeque;
use std::path::Path;

use self::lines::LineReader;
use crate::damage::{Integrity, Reason};
use crate::error::ReadError;
use crate::fs::{FileSystem, RealFs};
use crate::line::Checked;
use crate::numbering::Numbering;
use crate::record::{Ending, Item, Line, Problem, Record};
use crate::session_file::SessionFile;
use crate::stretch::Stretch;

/// Reads the records of one session file in order.
///
/// It holds a buffer of 256 KiB, or as much as the longest line needs.
/// [`next_item`](Self::next_item) lends records without copying; as an
/// [`Iterator`] it copies each line.
#[derive(Debug)]
pub struct Reader {
    lines: LineReader,
    /// Parts of the last line that are still to be given out.
    pending: VecDeque<Stretch>,
    numbering: Numbering,
    /// Whether the iterator has ended at a failed read.
    broken: bool,
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
        let file = SessionFile::open(fs, path)?;
        let ending = file.ending();
        Ok(Self::new(file, ending))
    }

    /// Reads a file that is open, up to the offset `limit`, at which a line
    /// begins or the file ends. What stands at or behind it is never looked at,
    /// not even to read ahead.
    #[must_use]
    pub fn of(file: SessionFile, limit: u64) -> Self {
        let mut reader = Self::new(file, Ending::Live);
        reader.set_limit(limit);
        reader
    }

    /// Reads a session that somebody may be writing.
    #[must_use]
    pub fn live(file: SessionFile) -> Self {
        Self::new(file, Ending::Live)
    }

    pub(crate) fn new(file: SessionFile, ending: Ending) -> Self {
        Self {
            lines: LineReader::new(file, ending),
            pending: VecDeque::new(),
            numbering: Numbering::default(),
            broken: false,
        }
    }

    /// Sets what a last line without newline is taken for.
    pub fn set_ending(&mut self, ending: Ending) {
        self.lines.ending = ending;
    }

    /// Sets the length in bytes beyond which a line is damage, whatever it holds.
    ///
    /// Without it, whatever a journal has written is read, and only what is no
    /// such record is damage beyond [`DEFAULT_MAX_LINE`](crate::DEFAULT_MAX_LINE).
    pub fn set_max_line(&mut self, bytes: usize) {
        self.lines.max_line = bytes;
        self.lines.holds_records = false;
    }

    /// Sets the length beyond which only a record is held.
    #[cfg(test)]
    pub(crate) fn set_garbage_limit(&mut self, bytes: usize) {
        self.lines.max_line = bytes;
    }

    /// Never reads at or beyond this offset; it must be where a line begins.
    ///
    /// What was read ahead behind it is given up, so the limit holds from now
    /// on whatever came before. Only a limit that is set before anything is read
    /// keeps the bytes behind it from being looked at; [`of`](Self::of) does that.
    pub fn set_limit(&mut self, offset: u64) {
        self.lines.set_limit(offset);
        if let Some(next) = self.pending.front()
            && next.offset >= offset
        {
            self.lines.seek(next.offset);
            self.pending.clear();
        }
    }

    /// Goes to an offset at which a line begins. `last` is the number of the
    /// record before it, where that is known.
    pub fn seek(&mut self, offset: u64, last: Option<u64>) {
        self.lines.seek(offset);
        self.pending.clear();
        self.numbering = last.map_or_else(Numbering::default, Numbering::after);
    }

    /// Goes to the first line that begins at or behind an offset in the middle
    /// of the file.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub(crate) fn seek_line_from(&mut self, offset: u64) -> Result<(), ReadError> {
        let Some(before) = offset.checked_sub(1) else {
            self.seek(0, Some(0));
            return Ok(());
        };
        self.seek(before, None);
        self.lines.seek_next()
    }

    /// Returns the path of the file being read.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.lines.file.path()
    }

    /// Returns where reading goes on, in bytes from the start of the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        let next = self.pending.front();
        next.map_or_else(|| self.lines.offset(), |stretch| stretch.offset)
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

    /// Returns the file's present length, which may be beyond the limit.
    pub(crate) fn file_len(&self) -> Result<u64, ReadError> {
        self.lines.file.size()
    }

    /// Returns where the file ends now, or the limit where that comes first.
    pub(crate) fn end(&self) -> Result<u64, ReadError> {
        Ok(self.file_len()?.min(self.lines.limit()))
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
        let next = self.pending.pop_front();
        Ok(next.map(|stretch| self.give(stretch)))
    }

    /// Tells whether there is a next item, and reads as much as that takes.
    pub(crate) fn is_ready(&mut self) -> Result<bool, ReadError> {
        while self.pending.is_empty() {
            match self.lines.next_line()? {
                Some(line) => line.sort_into(&mut self.pending),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn give(&mut self, stretch: Stretch) -> Item<'_> {
        match stretch.checked {
            Checked::Record { number, integrity } => Item::Record(Record {
                number: self.numbering.assign(number, integrity),
                offset: stretch.offset,
                line: self.lines.bytes(stretch),
                integrity,
            }),
            Checked::Bad(reason) => {
                self.numbering.skip();
                Item::Damage(stretch.damage(self.path(), self.lines.last_line(), reason))
            }
        }
    }

    /// Reads up to, but not over, the first record numbered `target` or more
    /// the damage right behind the record numbered one less, and a line beyond
    /// the limit that may be that record.
    pub(crate) fn skip_below(&mut self, target: u64) -> Result<(), ReadError> {
        while self.is_ready()? {
            let Some(stretch) = self.pending.front() else {
                break;
            };
            let Checked::Record { number, integrity } = stretch.checked else {
                // A line beyond the limit may be that very record.
                if stretch.checked == Checked::Bad(Reason::TooLong)
                    && self.numbering.next() >= target
                {
                    break;
                }
                self.numbering.skip();
                self.pending.pop_front();
                continue;
            };
            let before = self.numbering.clone();
            let number = self.numbering.assign(number, integrity);
            if number >= target {
                self.numbering = before;
                break;
            }
            self.pending.pop_front();
            // An altered number may be what was altered.
            if number + 1 == target && integrity != Integrity::Altered {
                break;
            }
        }
        Ok(())
    }
}

impl Iterator for Reader {
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

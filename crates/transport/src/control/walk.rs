//! Walks all committed records in the order of their numbers: archives first,
//! then the session being written, and on behind it as it grows.
//!
//! The session being written is read through the file that the tail knows, and
//! only as far as it is committed. It reads files only. What is new is in the system's cache, and a consumer
//! that is far behind takes no memory from anybody.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use journal::raw::RealFs;
use journal::{Archive, Item, ReadError, Reader, Sessions, open_at};

use crate::health::Health;
use crate::segment::cut_short;
use crate::tail::{Current, Tail};

/// How much is passed over before the caller should look around.
const MAX_SKIPPED: usize = 512;

/// A place in the journal, and the file that goes on from there.
pub(super) struct Walker {
    sessions: Sessions,
    tail: Arc<Tail>,
    health: Arc<Health>,
    /// All records up to this number have been passed.
    number: u64,
    /// How many numbers in a row before the record held no readable one.
    gap: u64,
    open: Option<Open>,
    /// The archives, as far as they were listed.
    archives: Vec<Archive>,
    /// Archives that were read to their end.
    done: HashSet<String>,
    /// The record's line.
    line: Vec<u8>,
}

struct Open {
    reader: Reader,
    file: File,
}

enum File {
    /// The session being written, as far as it was committed then.
    Current(Current),
    Archive(String),
}

/// What a walker finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A record: see [`Walker::record`].
    Record,
    /// Nothing yet, but the caller should look around.
    Skipped,
    /// Nothing more is committed.
    Head,
}

impl Walker {
    /// Stands behind a number; what it finds comes after that.
    pub(super) fn after(number: u64, dir: &Path, tail: &Arc<Tail>, health: &Arc<Health>) -> Self {
        Self {
            sessions: Sessions::of(dir),
            tail: Arc::clone(tail),
            health: Arc::clone(health),
            number,
            gap: 0,
            open: None,
            archives: Vec::new(),
            done: HashSet::new(),
            line: Vec::new(),
        }
    }

    /// Returns the number of the record that was found last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Returns how many numbers before the record hold none that can be read,
    /// since this was asked last.
    pub(super) fn take_gap(&mut self) -> u64 {
        std::mem::take(&mut self.gap)
    }

    /// Counts a record as one that can't be read.
    pub(super) fn skip_unreadable(&mut self) {
        self.gap += 1;
        self.health.passed_over();
    }

    /// Returns the line of the record that was found last.
    pub(super) fn record(&self) -> &[u8] {
        &self.line
    }

    /// Tells whether everything that is committed was passed.
    pub(super) fn is_at_head(&self) -> bool {
        self.number + 1 >= self.tail.current().next
    }

    /// Goes to the next record.
    pub(super) fn step(&mut self) -> Result<Step, ReadError> {
        for _ in 0..MAX_SKIPPED {
            if self.open.is_none() && !self.find()? {
                return Ok(Step::Head);
            }
            match self.read()? {
                Read::Record => return Ok(Step::Record),
                Read::Passed => {}
                Read::Head => return Ok(Step::Head),
                Read::Elsewhere => self.open = None,
            }
        }
        Ok(Step::Skipped)
    }

    /// Opens the file that holds the next number; false at the head.
    fn find(&mut self) -> Result<bool, ReadError> {
        let current = self.tail.current();
        let next = self.number + 1;
        if next >= current.next {
            return Ok(false);
        }
        if next < current.first
            && let Some(archive) = self.next_archive(next)?
        {
            let reader = open_at(&RealFs, &archive.path, next)?;
            let file = File::Archive(archive.session().to_owned());
            self.open = Some(Open { reader, file });
            return Ok(true);
        }
        let mut reader = current.segment.reader(current.bytes)?;
        reader.seek_number(next)?;
        let file = File::Current(current);
        self.open = Some(Open { reader, file });
        Ok(true)
    }

    /// Returns the first archive, of those that were not read to their end,
    /// that may hold a number or else comes behind it.
    fn next_archive(&mut self, number: u64) -> Result<Option<Archive>, ReadError> {
        if let Some(archive) = self.listed(number) {
            return Ok(Some(archive));
        }
        // Sessions may have been closed since the list was made.
        self.archives = self.sessions.closed()?;
        Ok(self.listed(number))
    }

    fn listed(&self, number: u64) -> Option<Archive> {
        let behind = |archive: &Archive| {
            let next = self.archives.iter().find(|next| next.first > archive.first);
            next.is_some_and(|next| next.first <= number)
        };
        let mut left = self
            .archives
            .iter()
            .filter(|archive| !self.done.contains(archive.session()));
        left.find(|archive| !behind(archive)).cloned()
    }

    fn read(&mut self) -> Result<Read, ReadError> {
        let Some(Open { reader, .. }) = &mut self.open else {
            return Ok(Read::Passed);
        };
        let record = match reader.next_item()? {
            Some(Item::Record(record)) => record,
            Some(Item::Damage(damage)) => {
                log::debug!("a consumer passed over {damage}");
                self.health.passed_over();
                return Ok(Read::Passed);
            }
            None => return self.end_of_file(),
        };
        if record.number <= self.number {
            return Ok(Read::Passed);
        }
        self.gap += record.number - self.number - 1;
        self.number = record.number;
        self.line.clear();
        self.line.extend_from_slice(record.line);
        Ok(Read::Record)
    }

    /// Tells where to go on behind what could be read of the file.
    fn end_of_file(&mut self) -> Result<Read, ReadError> {
        let Some(Open { reader, file }) = &mut self.open else {
            return Ok(Read::Elsewhere);
        };
        let current = match file {
            File::Archive(name) => {
                self.done.insert(std::mem::take(name));
                return Ok(Read::Elsewhere);
            }
            File::Current(current) => current,
        };
        if reader.offset() < current.bytes {
            return Err(cut_short(reader.path(), reader.offset()));
        }
        let now = self.tail.current();
        if now.ordinal == current.ordinal {
            if now.bytes == current.bytes {
                return Ok(Read::Head);
            }
            reader.set_limit(now.bytes);
            *current = now;
            return Ok(Read::Passed);
        }
        // It was closed meanwhile: the rest of it is read from the same file.
        let end = current.segment.end().unwrap_or_default();
        if end <= current.bytes {
            return Ok(Read::Elsewhere);
        }
        reader.set_limit(end);
        current.bytes = end;
        Ok(Read::Passed)
    }
}

enum Read {
    Record,
    /// Something that is not wanted.
    Passed,
    Head,
    /// The file has no more.
    Elsewhere,
}

#[cfg(test)]
mod tests;

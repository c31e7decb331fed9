//! Follows a journal while it is written, through rotation.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::archive_names;
use crate::backward::Backward;
use crate::error::ReadError;
use crate::fs::{FileSystem, RealFs};
use crate::locate::seek_number;
use crate::reader::{Ending, Item, Reader};
use crate::session::Layout;

/// How much of a session's beginning tells it from others; it contains the
/// first record's number.
const IDENTITY: usize = 256;

/// Reads records as they come, across archived sessions, each once and in order.
///
/// It takes no lock and disturbs no writer. It may show a record a moment
/// before its fsync has returned.
#[derive(Debug)]
pub struct Follower {
    fs: Arc<dyn FileSystem>,
    layout: Layout,
    source: Option<Source>,
    /// The number of the last record given out, or of the one before the first.
    last: u64,
    /// The first numbers of the archives, which never change.
    firsts: HashMap<String, u64>,
}

/// The session being read.
#[derive(Debug)]
struct Source {
    reader: Reader,
    /// Whether nothing is added to it any more.
    closed: bool,
}

/// A session that could be read.
#[derive(Debug)]
struct Candidate {
    path: PathBuf,
    first: u64,
    /// The current session, opened: it may have another name a moment later.
    live: Option<Reader>,
}

impl Follower {
    /// Follows the journal in a directory from the record after `number` on; 0
    /// is the oldest there is.
    ///
    /// # Errors
    /// [`ReadError`] where a file can't be read. A directory that does not
    /// exist yet is waited for.
    pub fn after(dir: impl AsRef<Path>, number: u64) -> Result<Self, ReadError> {
        let layout = Layout::new(dir.as_ref());
        let fs: Arc<dyn FileSystem> = Arc::new(RealFs);
        let mut follower = Self {
            fs,
            layout,
            source: None,
            last: number,
            firsts: HashMap::new(),
        };
        let sessions = follower.sessions()?;
        // The session in which the record would be is the last that begins
        // before it; without one, whatever comes first.
        let containing = sessions
            .iter()
            .rposition(|session| session.first <= number + 1);
        if let Some(session) = sessions.into_iter().nth(containing.unwrap_or(0)) {
            follower.open(session)?;
        }
        Ok(follower)
    }

    /// Follows the journal in a directory from what is recorded next.
    ///
    /// # Errors
    /// As [`after`](Self::after).
    pub fn from_end(dir: impl AsRef<Path>) -> Result<Self, ReadError> {
        let layout = Layout::new(dir.as_ref());
        let fs = RealFs;
        let mut newest = archive_names(&fs, &layout)?;
        newest.sort();
        let archives = newest.iter().rev().map(|(name, _)| layout.archive(name));
        for path in std::iter::once(layout.current()).chain(archives) {
            if let Some(number) = last_number(&fs, &path)? {
                return Self::after(dir, number);
            }
        }
        Self::after(dir, 0)
    }

    /// Returns the next record or stretch of damage, and `None` where nothing
    /// new has come yet: the caller waits a little and asks again.
    ///
    /// # Errors
    /// [`ReadError`] where a file can't be read; the call may be repeated.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        if !self.advance()? {
            return Ok(None);
        }
        let Some(source) = &mut self.source else {
            return Ok(None);
        };
        let item = source.reader.next_item()?;
        if let Some(Item::Record(record)) = &item {
            self.last = self.last.max(record.number);
        }
        Ok(item)
    }

    /// Goes to a source that has a next item; false where there is none yet.
    fn advance(&mut self) -> Result<bool, ReadError> {
        loop {
            let Some(source) = &mut self.source else {
                if !self.open_next()? {
                    return Ok(false);
                }
                continue;
            };
            if source.reader.is_ready()? {
                return Ok(true);
            }
            if source.closed {
                self.source = None;
            } else if source.reader.offset() == 0 {
                // An empty session is never archived: it may be another file by now.
                self.source = None;
                return Ok(false);
            } else if rotated(self.fs.as_ref(), &self.layout.current(), &source.reader)? {
                // What was added before it was closed is still to be read.
                source.closed = true;
                source.reader.set_ending(Ending::Closed);
            } else {
                return Ok(false);
            }
        }
    }

    /// Opens the oldest session that begins behind the last record.
    fn open_next(&mut self) -> Result<bool, ReadError> {
        let last = self.last;
        let next = self
            .sessions()?
            .into_iter()
            .find(|session| session.first > last);
        next.map_or(Ok(false), |session| self.open(session).map(|()| true))
    }

    fn open(&mut self, session: Candidate) -> Result<(), ReadError> {
        let closed = session.live.is_none();
        let mut reader = match session.live {
            Some(reader) => reader,
            None => Reader::open_in(self.fs.as_ref(), &session.path)?,
        };
        seek_number(&mut reader, self.last + 1)?;
        self.source = Some(Source { reader, closed });
        Ok(())
    }

    /// Lists the sessions that hold a record, in the order of their numbers.
    ///
    /// The current one is opened first: whatever is older than it is in the
    /// archive by then.
    fn sessions(&mut self) -> Result<Vec<Candidate>, ReadError> {
        let mut sessions = Vec::new();
        let path = self.layout.current();
        let live = if_there(Reader::open_in(self.fs.as_ref(), &path))?;
        for (name, _) in archive_names(self.fs.as_ref(), &self.layout)? {
            let path = self.layout.archive(&name);
            if let Some(first) = self.first_of_archive(name, &path)? {
                sessions.push(Candidate {
                    path,
                    first,
                    live: None,
                });
            }
        }
        sessions.sort_by(|a, b| (a.first, &a.path).cmp(&(b.first, &b.path)));
        if let Some(mut reader) = live
            && let Some(first) = reader.first_number()?
        {
            let behind = sessions.partition_point(|session| session.first <= first);
            sessions.insert(
                behind,
                Candidate {
                    path,
                    first,
                    live: Some(reader),
                },
            );
        }
        Ok(sessions)
    }

    fn first_of_archive(&mut self, name: String, path: &Path) -> Result<Option<u64>, ReadError> {
        if let Some(first) = self.firsts.get(&name) {
            return Ok(Some(*first));
        }
        let first = Reader::open_in(self.fs.as_ref(), path)?.first_number()?;
        if let Some(first) = first {
            self.firsts.insert(name, first);
        }
        Ok(first)
    }
}

/// Tells whether a path no longer leads to the file that a reader has open.
///
/// No file identity works on every system, but sessions begin with different
/// numbers.
fn rotated(fs: &dyn FileSystem, path: &Path, reader: &Reader) -> Result<bool, ReadError> {
    let ours = reader.head(IDENTITY)?;
    let there = if_there(Reader::open_in(fs, path))?;
    let theirs = there.map(|there| there.head(IDENTITY)).transpose()?;
    Ok(theirs.is_none_or(|theirs| !theirs.starts_with(&ours)))
}

/// Returns the number of a session's last record, if it has one.
fn last_number(fs: &dyn FileSystem, path: &Path) -> Result<Option<u64>, ReadError> {
    let Some(mut backward) = if_there(Backward::open_in(fs, path))? else {
        return Ok(None);
    };
    while let Some(item) = backward.next_item()? {
        if let Item::Record(record) = item {
            return Ok(Some(record.number));
        }
    }
    Ok(None)
}

/// Takes a missing file for none.
fn if_there<T>(opened: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match opened {
        Err(error) if error.source.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

#[cfg(test)]
mod tests;

//! Follows a journal while it is written, through rotation.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::backward::Backward;
use crate::error::ReadError;
use crate::fs::{FileSystem, RealFs};
use crate::reader::Reader;
use crate::record::{Ending, Item};
use crate::session::current_session;
use crate::sessions::{Holding, SessionOrder, Sessions};

/// How much of a session's beginning tells it from others; it contains the
/// first record's number.
const IDENTITY: usize = 256;

/// Reads records as they come, across archived sessions, each once and in order.
///
/// It takes no lock and disturbs no writer. It may show a record a moment
/// before its fsync has returned, and so one that a full or failing disk then
/// made the writer take back; what is recorded under that number instead is
/// not shown again.
#[derive(Debug)]
pub struct Follower {
    fs: Arc<dyn FileSystem>,
    /// The path of the session being written.
    path: PathBuf,
    sessions: Sessions,
    source: Option<Source>,
    /// The session that was read last, and those before it are done with.
    done: Option<SessionOrder>,
    /// The number of the last record given out, or of the one before the first.
    last: u64,
}

/// The session being read.
#[derive(Debug)]
struct Source {
    reader: Reader,
    place: SessionOrder,
    /// Whether nothing is added to it any more.
    closed: bool,
    /// Records up to this number were given out before they were taken back.
    given: Option<u64>,
}

/// What became of the file behind the reader of the current session.
enum Change {
    None,
    /// It is closed and has another name now.
    Rotated,
    /// Bytes that were read have been taken back.
    CutBack,
}

impl Follower {
    /// Follows the journal in a directory from the record after `number` on; 0
    /// is the oldest there is.
    ///
    /// # Errors
    /// [`ReadError`] where a file can't be read. A directory that does not
    /// exist yet is waited for.
    pub fn after(dir: impl AsRef<Path>, number: u64) -> Result<Self, ReadError> {
        let mut follower = Self::new(dir.as_ref());
        follower.last = number;
        let mut sessions = follower.sessions()?;
        // The session in which the record would be is the last that begins
        // before it; without one, whatever comes first.
        let containing = sessions
            .iter()
            .rposition(|session| session.place.first <= number.saturating_add(1))
            .filter(|_| number > 0);
        let from = containing.unwrap_or(0);
        if from < sessions.len() {
            let session = sessions.remove(from);
            follower.open(session, number)?;
        }
        Ok(follower)
    }

    /// Follows the journal in a directory from what is recorded next.
    ///
    /// # Errors
    /// As [`after`](Self::after).
    pub fn from_end(dir: impl AsRef<Path>) -> Result<Self, ReadError> {
        let mut follower = Self::new(dir.as_ref());
        for session in follower.sessions()?.into_iter().rev() {
            let backward = session.backward(follower.fs.as_ref())?;
            if let Some(number) = last_number(backward)? {
                return Self::after(dir, number);
            }
        }
        Ok(follower)
    }

    fn new(dir: &Path) -> Self {
        let fs: Arc<dyn FileSystem> = Arc::new(RealFs);
        Self {
            sessions: Sessions::of_in(Arc::clone(&fs), dir),
            fs,
            path: current_session(dir),
            source: None,
            done: None,
            last: 0,
        }
    }

    /// Returns the number of the last record given out, or of the one behind
    /// which it began; 0 where there was none.
    #[must_use]
    pub fn last_number(&self) -> u64 {
        self.last
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
            self.last = record.number;
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
            if let Some(given) = source.given {
                source.reader.skip_below(given.saturating_add(1))?;
                if source.reader.is_ready()? || source.reader.last_number() >= given {
                    source.given = None;
                }
            }
            if source.reader.is_ready()? {
                return Ok(true);
            }
            if source.closed {
                self.done = self.source.take().map(place_of);
                continue;
            }
            if source.reader.offset() == 0 {
                // Without a whole line it can't be told from another file.
                self.source = None;
                return Ok(false);
            }
            match change(self.fs.as_ref(), &self.path, &source.reader)? {
                Change::None => return Ok(false),
                Change::Rotated => {
                    // What was added before it was closed is still to be read.
                    source.closed = true;
                    source.reader.set_ending(Ending::Closed);
                }
                Change::CutBack => {
                    source.given = Some(self.last);
                    source.reader.seek(0, None);
                }
            }
        }
    }

    /// Opens the session behind the one that was read last.
    fn open_next(&mut self) -> Result<bool, ReadError> {
        let done = self.done.clone();
        let next = self
            .sessions()?
            .into_iter()
            .find(|session| done.as_ref().is_none_or(|done| session.place > *done));
        let Some(session) = next else {
            return Ok(false);
        };
        self.open(session, self.last).map(|()| true)
    }

    /// Opens a session behind the record numbered `last`, if it has that.
    fn open(&mut self, session: Holding, last: u64) -> Result<(), ReadError> {
        let (closed, numbered) = (session.is_closed(), session.numbered);
        let place = session.place.clone();
        let mut reader = session.reader(self.fs.as_ref())?;
        // A session without numbers counts from 1 and is read as a whole, but
        // where the caller named a record in it.
        let inside = place.first <= last && (numbered || self.done.is_none());
        if inside {
            reader.seek_number(last.saturating_add(1))?;
        }
        self.source = Some(Source {
            reader,
            place,
            closed,
            given: None,
        });
        Ok(())
    }

    /// Lists the sessions that hold a record, in the order of their numbers.
    fn sessions(&mut self) -> Result<Vec<Holding>, ReadError> {
        self.sessions.all()?.holding()
    }
}

/// Tells whether a path still leads to the file that a reader has open.
///
/// No file identity works on every system, but sessions begin with different
/// numbers. Both beginnings may grow while they are compared.
fn change(fs: &dyn FileSystem, path: &Path, reader: &Reader) -> Result<Change, ReadError> {
    if reader.file_len()? < reader.offset() {
        return Ok(Change::CutBack);
    }
    let ours = reader.head(IDENTITY)?;
    let there = match Reader::open_in(fs, path) {
        Err(error) if error.is_not_found() => return Ok(Change::Rotated),
        opened => opened?,
    };
    let theirs = there.head(IDENTITY)?;
    let rotated = if theirs.is_empty() {
        !ours.is_empty()
    } else {
        ours.iter()
            .zip(&theirs)
            .any(|(ours, theirs)| ours != theirs)
    };
    Ok(if rotated {
        Change::Rotated
    } else {
        Change::None
    })
}

/// Returns the place of a session that was read to its end. A first line that
/// was altered may have looked like another number at first.
fn place_of(source: Source) -> SessionOrder {
    let Source {
        mut reader,
        mut place,
        ..
    } = source;
    let first = reader.first_number().ok().flatten();
    place.first = first.unwrap_or(place.first);
    place
}

/// Returns the number of a session's last record, if it has one.
fn last_number(mut backward: Backward) -> Result<Option<u64>, ReadError> {
    while let Some(item) = backward.next_item()? {
        if let Item::Record(record) = item {
            return Ok(Some(record.number));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;

//! Which closed sessions are old enough to go, and what is kept of those that went?
//!
//! Nothing else in this crate removes a session. What is removed is written down
//! first, in a small history of the journal's own, so that numbers that were removed
//! on purpose are told from those that are missing. The steps of a removal, and what
//! is there if the machine stops right after each:
//!
//! 1. write down which numbers go, and sync that: the session, whose file counts;
//! 2. remove its file, and sync the directory: the history alone;
//! 3. remove what was derived from it: the same.

use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::archives::Archive;
use crate::error::{AtPath, IoError, synced};
use crate::fs::{FileSystem, LockGuard, RealFs, sync_dir_if_possible};
use crate::head::now;
use crate::operation::Operation;
use crate::removed::Removed;
use crate::sealed_text;
use crate::session::Layout;
use crate::session_file::SessionFile;
use crate::sessions::Sessions;
use crate::span::{Span, of_file};

/// What is to be kept. Without any of these everything is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Sessions that were closed longer ago may go.
    pub age: Option<Duration>,
    /// Sessions may go while all of them together take more bytes on the disk.
    pub size: Option<u64>,
    /// Sessions may go while less than this share of the disk is free, in percent.
    pub free_percent: Option<u8>,
}

/// What a decision about retention depends on beside the sessions.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// The time.
    pub now: SystemTime,
    /// How many bytes the session being written has.
    pub current: u64,
    /// How many bytes the disk has free, and altogether, where that is known.
    pub disk: Option<(u64, u64)>,
    /// Records from this number on are still needed by somebody.
    pub needed_from: u64,
}

/// A closed session, and what tells whether it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedSession {
    /// Its file.
    pub archive: Archive,
    /// The number of its last record.
    pub last: u64,
    /// When it was closed, as far as its file tells.
    pub closed: SystemTime,
}

/// A session that may go, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The session.
    pub session: ClosedSession,
    /// Which rule it breaks, in words.
    pub reason: String,
}

/// What follows from the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What may go, oldest first.
    pub expired: Vec<Expired>,
    /// The oldest session that would go, but that somebody still needs: nothing behind
    /// it goes either.
    pub held: Option<Expired>,
}

impl Retention {
    /// Chooses which closed sessions go: the oldest first, never the newest, and none
    /// that is needed, nor any behind it.
    #[must_use]
    pub fn plan(&self, sessions: &[ClosedSession], around: &Surroundings) -> Plan {
        let mut plan = Plan::default();
        let stored: u64 = sessions.iter().map(|one| one.archive.stored).sum();
        let mut size = stored + around.current;
        let mut free = around.disk.map(|(free, _)| free);
        let candidates = sessions.len().saturating_sub(1);
        for session in sessions.iter().take(candidates) {
            let Some(reason) = self.breach(session, size, free, around) else {
                break;
            };
            let expired = Expired {
                session: session.clone(),
                reason,
            };
            if session.last >= around.needed_from {
                plan.held = Some(expired);
                break;
            }
            size -= session.archive.stored;
            free = free.map(|free| free + session.archive.stored);
            plan.expired.push(expired);
        }
        plan
    }

    fn breach(
        &self,
        session: &ClosedSession,
        size: u64,
        free: Option<u64>,
        around: &Surroundings,
    ) -> Option<String> {
        let age = around.now.duration_since(session.closed).ok();
        if let (Some(most), Some(age)) = (self.age, age)
            && age > most
        {
            let days = age.as_secs() / 86_400;
            return Some(format!("it was closed {days} days ago"));
        }
        if let Some(most) = self.size.filter(|most| size > *most) {
            return Some(format!("the journal takes {size} bytes, more than {most}"));
        }
        let (least, free, (_, total)) = (self.free_percent?, free?, around.disk?);
        let is_short = u128::from(free) * 100 < u128::from(total) * u128::from(least);
        is_short.then(|| format!("{free} of {total} bytes are free, less than {least} %"))
    }
}

/// Somebody else looks after the same journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpkeepError {
    /// Another process is at it.
    #[error("another program compresses, removes or copies sessions of {} just now", .dir.display())]
    Busy {
        /// The journal's directory.
        dir: PathBuf,
    },
    /// A file operation failed.
    #[error(transparent)]
    Io(#[from] IoError),
}

/// Looks after the closed sessions of a journal, beside its writer: one at a time.
#[derive(Debug)]
pub struct Upkeep {
    fs: Arc<dyn FileSystem>,
    layout: Layout,
    _lock: Box<dyn LockGuard>,
}

impl Upkeep {
    /// Begins to look after a journal of the local file system.
    ///
    /// # Errors
    /// [`UpkeepError::Busy`] where another process does.
    pub fn begin(dir: impl AsRef<Path>) -> Result<Self, UpkeepError> {
        Self::begin_in(Arc::new(RealFs), dir.as_ref())
    }

    /// Begins to look after a journal of the given file system.
    ///
    /// # Errors
    /// [`UpkeepError::Busy`] where another process does.
    pub fn begin_in(fs: Arc<dyn FileSystem>, dir: &Path) -> Result<Self, UpkeepError> {
        let layout = Layout::new(dir);
        let path = layout.upkeep_lock();
        let lock = match fs.lock(&path) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let dir = dir.to_owned();
                return Err(UpkeepError::Busy { dir });
            }
            result => result.at(Operation::Lock, &path)?,
        };
        Ok(Self {
            fs,
            layout,
            _lock: lock,
        })
    }

    /// Lists the closed sessions, oldest first.
    ///
    /// # Errors
    /// [`IoError`] where a file can't be read.
    pub fn sessions(&self) -> Result<Vec<ClosedSession>, IoError> {
        let mut sessions = Vec::new();
        let archives = Sessions::of_in(Arc::clone(&self.fs), self.layout.dir()).closed()?;
        for archive in archives {
            let file = SessionFile::open(self.fs.as_ref(), &archive.path)?;
            // Without numbers nobody knows what would be missing: it stays.
            let Some(Span { last, .. }) = of_file(&file)? else {
                continue;
            };
            let closed = self.fs.modified(&archive.path);
            let closed = closed.at(Operation::Measure, &archive.path)?;
            sessions.push(ClosedSession {
                archive,
                last,
                closed,
            });
        }
        Ok(sessions)
    }

    /// Compresses a closed session, see [`compress`](crate::compress()).
    ///
    /// # Errors
    /// [`CompressError`](crate::CompressError); the session is then as it was.
    #[cfg(feature = "compression")]
    pub fn compress(
        &self,
        archive: &Archive,
        level: i32,
    ) -> Result<crate::Compressed, crate::CompressError> {
        crate::compress(self.fs.as_ref(), &archive.path, level)
    }

    /// Removes a closed session for good, and what was derived from it, and writes down
    /// that it did.
    ///
    /// # Errors
    /// [`IoError`]; the call may be repeated.
    pub fn remove(&self, expired: &Expired) -> Result<Removed, IoError> {
        let ClosedSession { archive, last, .. } = &expired.session;
        let removed = Removed {
            session: archive.session().to_owned(),
            first: archive.first,
            last: *last,
            bytes: archive.stored,
            removed_at: now(),
            reason: expired.reason.clone(),
        };
        self.note(&removed)?;
        remove_if_there(self.fs.as_ref(), &archive.path)?;
        let dir = self.layout.archive_dir();
        synced(sync_dir_if_possible(self.fs.as_ref(), &dir), &dir)?;
        let derived = format!("{}.index", archive.session());
        for entry in self.fs.list(&dir).at(Operation::List, &dir)? {
            if entry.name.starts_with(&derived) {
                remove_if_there(self.fs.as_ref(), &self.layout.archive(&entry.name))?;
            }
        }
        Ok(removed)
    }

    /// Adds a line to the history.
    fn note(&self, removed: &Removed) -> Result<(), IoError> {
        let path = self.layout.removed();
        let text = sealed_text::write(removed).map_err(io::Error::other);
        let text = text.at(Operation::Append, &path)?;
        let mut file = self.fs.open_append(&path).at(Operation::Open, &path)?;
        // What a crash has torn stays a line of its own.
        let is_new = file.size().at(Operation::Measure, &path)? == 0;
        let text = match is_new {
            true => text,
            false => format!("\n{text}"),
        };
        match file.append(&[IoSlice::new(text.as_bytes())]) {
            Ok(written) if written == text.len() => {}
            Ok(_) => return Err(ErrorKind::WriteZero.into()).at(Operation::Append, &path),
            Err(error) => return Err(error).at(Operation::Append, &path),
        }
        synced(file.sync(), &path)?;
        let dir = self.layout.dir();
        synced(sync_dir_if_possible(self.fs.as_ref(), dir), dir).map(drop)
    }
}

fn remove_if_there(fs: &dyn FileSystem, path: &Path) -> Result<(), IoError> {
    match fs.remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.at(Operation::Remove, path),
    }
}

#[cfg(test)]
mod tests;

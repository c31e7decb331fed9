//! How does a program write a journal? Open, commit, archive.

mod checkpoints;
mod close;
mod failure;
mod heads;
mod leave;
mod outcome;
mod state;
mod write;

use std::path::{Path, PathBuf};

use self::checkpoints::Checkpoints;
use self::heads::Heads;
pub use self::outcome::{Archived, Committed, FreshFile};
use self::state::{Cause, Leftover, WriterState};
use crate::archive::sync_move;
use crate::error::{CommitError, IoError, OpenError};
use crate::fs::{AppendFile, LockGuard};
use crate::group::Group;
use crate::lock::take_lock;
use crate::operation::Operation;
use crate::options::Options;
use crate::recovery::{Recovery, create_dirs, open_session, survey};
use crate::session::{Layout, Session};
use crate::session_file::SessionFile;

/// Writes one journal; there is at most one per directory at a time.
///
/// Most embedders want [`Journal`](crate::Journal), which groups what several
/// threads append. The writer is for programs with a pipeline of their own.
#[derive(Debug)]
pub struct Writer {
    options: Options,
    layout: Layout,
    /// `None` between closing a session and beginning the next one.
    file: Option<Box<dyn AppendFile>>,
    session: Session,
    next: u64,
    state: WriterState,
    leftover: Leftover,
    checkpoints: Checkpoints,
    heads: Heads,
    /// What made the writer leave files, until a commit reports it.
    fresh: Vec<FreshFile>,
    lock: Option<Box<dyn LockGuard>>,
}

impl Writer {
    /// Opens a journal for writing: creates the directory where it is missing,
    /// takes the lock, and reads what is there.
    ///
    /// # Errors
    /// [`OpenError::Locked`] where another process writes to the directory,
    /// [`OpenError::Io`] with the file where an operation fails.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, Recovery), OpenError> {
        let layout = Layout::new(dir.as_ref());
        let fs = options.fs.as_ref();
        create_dirs(fs, &layout)?;
        let lock = take_lock(fs, &layout)?;
        // An earlier writer may have renamed the last session and come no
        // further. A new file must not take its name before that is durable.
        let synced = sync_move(fs, &layout)?;
        let (file, bytes, fenced) = open_session(fs, &layout)?;
        let (mut found, standing) = survey(&options, &layout, fenced)?;
        found.unsynced_names = !synced;
        let session = Session {
            ordinal: 0,
            bytes,
            records: found.records,
            first: found.first,
        };
        let mut writer = Self {
            next: found.next,
            checkpoints: Checkpoints::after(&found),
            options,
            layout,
            file: Some(file),
            session,
            state: WriterState::default(),
            leftover: Leftover::default(),
            heads: Heads::new(standing),
            fresh: Vec::new(),
            lock: Some(lock),
        };
        writer.store_found_head()?;
        writer.checkpoint();
        Ok((writer, found))
    }

    /// Accepts nothing more, because a commit did not return.
    pub(crate) fn abandon(&mut self) {
        self.state = WriterState::Finished(Cause {
            operation: Operation::WriteRecords,
            path: self.layout.current(),
            reason: "a commit panicked".to_owned(),
        });
    }

    /// Returns the number that the next group's first record must have.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Returns the session being written.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session
    }

    /// Returns the path of the session being written.
    #[must_use]
    pub fn session_path(&self) -> PathBuf {
        self.layout.current()
    }

    /// Returns the file of the session being written, for reading; `None`
    /// where there is none just now, which the next commit changes.
    ///
    /// It is the very file that commits go to, whatever its path leads to. A
    /// program that reads what it has recorded, and only that, reads it up to
    /// the last commit's end.
    #[must_use]
    pub fn session_file(&self) -> Option<SessionFile> {
        let file = self.file.as_ref()?;
        Some(SessionFile::new(&self.layout.current(), file.reading()))
    }

    /// Returns an empty group that follows what is committed.
    #[must_use]
    pub fn group(&self) -> Group {
        Group::new(self.next, self.options.max_line)
    }

    /// Writes groups that follow each other with one write, syncs them with one
    /// fsync, and returns when they are on stable storage.
    ///
    /// A failed fsync says nothing about what the disk holds, and a second one
    /// may succeed without writing anything. So after any failure but a full
    /// disk the file is cut back and archived, and the groups go to a fresh one.
    ///
    /// # Errors
    /// [`CommitError::NoRoom`] where the disk is full: nothing is recorded, and
    /// the same groups may be tried again. After any other error but
    /// [`CommitError::OutOfOrder`] the writer accepts nothing more.
    pub fn commit(&mut self, groups: &[&Group]) -> Result<Committed, CommitError> {
        if let WriterState::Finished(cause) = &self.state {
            return Err(cause.to_commit_error());
        }
        let next = self.check_order(groups)?;
        self.record(groups)?;
        self.cover(groups, next - 1)?;
        let bytes: u64 = groups.iter().map(|group| group.bytes().len() as u64).sum();
        let offset = self.session.bytes;
        self.session.bytes += bytes;
        self.session.records += next - self.next;
        self.next = next;
        self.checkpoint();
        Ok(Committed {
            session: self.session.ordinal,
            offset,
            bytes,
            last: next - 1,
            fresh: std::mem::take(&mut self.fresh),
        })
    }

    /// Returns the number behind the last group.
    fn check_order(&self, groups: &[&Group]) -> Result<u64, CommitError> {
        groups.iter().try_fold(self.next, |next, group| {
            if group.first() == next {
                Ok(group.next())
            } else {
                Err(CommitError::OutOfOrder {
                    last: next - 1,
                    found: group.first(),
                })
            }
        })
    }

    /// Closes the current session, if there is anything in it, and begins a new
    /// one. The label becomes part of the archive's name.
    ///
    /// # Errors
    /// [`IoError`] with the step's file. Where that is no failed fsync, the
    /// session goes on being written, and the call may be repeated. After a
    /// failed one, and where a commit failed for good, nothing is archived.
    pub fn archive(&mut self, label: Option<&str>) -> Result<Option<Archived>, IoError> {
        match &self.state {
            WriterState::Finished(cause) => Err(cause.to_io_error()),
            WriterState::Leaving(_) => self
                .leave()
                .inspect_err(|error| self.finish_after_failed_sync(error)),
            WriterState::Usable if self.session.bytes == 0 => Ok(None),
            WriterState::Usable => self.close(label).map(Some),
        }
    }
}

#[cfg(test)]
mod tests;

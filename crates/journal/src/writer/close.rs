//! How is a session closed and the next one begun?
//!
//! The steps on disk, and what a crash leaves of each, are described in
//! [`crate::archive`].

use super::Writer;
use super::outcome::Archived;
use super::state::{Cause, Leftover, WriterState};
use crate::archive::{move_session, sync_move};
use crate::error::{IoError, synced};

impl Writer {
    /// Closes the session and opens the next one's file.
    pub(super) fn close(&mut self, label: Option<&str>) -> Result<Archived, IoError> {
        self.settle()?;
        self.cover_session()?;
        // An open file may refuse to be renamed on Windows.
        self.file = None;
        let moved = self.move_away(label).or_else(|error| {
            if error.is_failed_sync() {
                return Err(error);
            }
            // A network's file system may have renamed the file nevertheless:
            // a new one must not take its name before that is durable.
            sync_move(self.options.fs.as_ref(), &self.layout).and(Err(error))
        });
        if let Err(error) = &moved
            && error.is_failed_sync()
        {
            // Nobody knows under which name the file is after a crash.
            self.finish_after_failed_sync(error);
            return moved;
        }
        self.settle_head();
        // What went wrong with the next session's file says nothing about this one: the
        // next commit tells, and tries again unless it was a failed fsync.
        let _told_later: Result<(), IoError> = self
            .reopen()
            .inspect_err(|error| self.finish_after_failed_sync(error));
        moved
    }

    /// Sees to it that the file ends, also after a crash, where it was
    /// committed: other bytes do not belong into a closed session.
    fn settle(&mut self) -> Result<(), IoError> {
        self.cut_back()?;
        if let (Leftover::Unsynced, Some(file)) = (self.leftover, &mut self.file) {
            let synced = synced(file.sync(), &self.layout.current());
            synced.inspect_err(|error| self.finish_after_failed_sync(error))?;
        }
        Ok(())
    }

    /// Moves the session's file into the archive.
    pub(super) fn move_away(&mut self, label: Option<&str>) -> Result<Archived, IoError> {
        let stamp = (self.options.stamp)();
        let fs = self.options.fs.as_ref();
        let name = move_session(fs, &self.layout, &stamp, label)?;
        let synced = sync_move(fs, &self.layout);
        let closed = self.session;
        self.session = closed.following(self.next);
        self.heads.note_next_session();
        self.leftover = Leftover::Nothing;
        synced.map(|_| Archived {
            session: closed.ordinal,
            path: self.layout.archive(&name),
            name,
            records: closed.records,
            bytes: closed.bytes,
        })
    }

    /// Accepts nothing any more where the error is a failed fsync.
    pub(super) fn finish_after_failed_sync(&mut self, error: &IoError) {
        if error.is_failed_sync() {
            self.state = WriterState::Finished(Cause::from(error));
        }
    }
}

//! What becomes of groups whose write or fsync failed?
//!
//! A full disk is waited for: the file is cut back, and the same groups may be
//! tried again. After any other failure the file is left and they go to a fresh
//! one; where that fails too, the writer is finished.

use std::mem;

use super::Writer;
use super::state::{Cause, Leftover, WriterState};
use crate::error::{CommitError, IoError};
use crate::group::Group;
use crate::operation::Operation;

impl Writer {
    /// Writes the groups to the session's file, or to a fresh one.
    pub(super) fn record(&mut self, groups: &[&Group]) -> Result<(), CommitError> {
        if !matches!(self.state, WriterState::Leaving(_)) {
            match self.write_and_sync(groups) {
                Ok(()) => return Ok(()),
                Err(error) if self.file.is_none() => return Err(self.not_written(groups, error)),
                Err(error) if error.is_full() && error.operation == Operation::WriteRecords => {
                    return Err(self.give_back(groups, error));
                }
                Err(error) => self.state = WriterState::Leaving(Cause::from(&error)),
            }
        }
        self.record_in_fresh_file(groups)
    }

    fn record_in_fresh_file(&mut self, groups: &[&Group]) -> Result<(), CommitError> {
        if let Err(error) = self.leave() {
            return Err(self.not_written(groups, error));
        }
        match self.write_and_sync(groups) {
            Ok(()) => Ok(()),
            Err(error) if self.file.is_none() => Err(self.not_written(groups, error)),
            Err(error) if error.is_full() => {
                // A file system may find out only at the fsync that it is full.
                if error.is_failed_sync() {
                    self.state = WriterState::Leaving(Cause::from(&error));
                }
                Err(self.give_back(groups, error))
            }
            Err(error) => Err(self.give_up(error)),
        }
    }

    /// Takes back what a full disk let through of a group.
    pub(super) fn give_back(&mut self, groups: &[&Group], error: IoError) -> CommitError {
        self.leftover = Leftover::Uncut;
        // Where that fails, the next commit or archiving tries again.
        let _uncut: Result<(), IoError> = self.cut_back();
        no_room(groups, error)
    }

    /// Tells that there was no file to write to, as the old one could not be
    /// left or the new one not be opened. The next commit tries again when
    /// there is room, but a sync that failed is not repeated.
    fn not_written(&mut self, groups: &[&Group], error: IoError) -> CommitError {
        if error.is_full() && !error.is_failed_sync() {
            no_room(groups, error)
        } else {
            self.give_up(error)
        }
    }

    /// Accepts nothing from now on, because of what came first.
    pub(super) fn give_up(&mut self, error: IoError) -> CommitError {
        let cause = match mem::take(&mut self.state) {
            WriterState::Leaving(cause) | WriterState::Finished(cause) => cause,
            WriterState::Usable => Cause::from(&error),
        };
        self.state = WriterState::Finished(cause);
        error.into()
    }
}

fn no_room(groups: &[&Group], error: IoError) -> CommitError {
    let bytes = groups.iter().map(|group| group.bytes().len() as u64).sum();
    CommitError::NoRoom {
        path: error.path,
        bytes,
        source: error.source,
    }
}

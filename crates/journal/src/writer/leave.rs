//! How is a file left in which a write or an fsync has failed?

use std::io;

use super::Writer;
use super::outcome::{Archived, FreshFile};
use super::state::{Leftover, WriterState};
use crate::error::{AtPath, IoError, OpenError};
use crate::lock::take_lock;
use crate::operation::Operation;
use crate::recovery::create_dirs;

impl Writer {
    /// Leaves the current file for good and begins a fresh session.
    pub(super) fn leave(&mut self) -> Result<Option<Archived>, IoError> {
        let archived = self.leave_file()?;
        if let WriterState::Leaving(cause) = &self.state {
            self.fresh.push(FreshFile {
                reason: cause.reason.clone(),
                archived: archived.clone(),
            });
            self.state = WriterState::Usable;
        }
        self.reopen()?;
        Ok(archived)
    }

    /// Cuts the doubtful bytes off the current file and moves it to the archive.
    fn leave_file(&mut self) -> Result<Option<Archived>, IoError> {
        create_dirs(self.options.fs.as_ref(), &self.layout)?;
        if !self.close_failed_file()? {
            return Ok(None);
        }
        if self.session.bytes == 0 {
            let path = self.layout.current();
            let removed = self.options.fs.remove_file(&path);
            removed.at(Operation::Remove, &path)?;
            self.session = self.session.following(self.next);
            return Ok(None);
        }
        self.move_away(None).map(Some)
    }

    /// Cuts back and closes the file; false where it is no longer in its place,
    /// so that its session is over.
    fn close_failed_file(&mut self) -> Result<bool, IoError> {
        let path = self.layout.current();
        let Some(file) = &mut self.file else {
            return Ok(true);
        };
        // With the doubtful bytes in place the records would stand in both
        // files, also where somebody gave the old one another name.
        if file.size().at(Operation::Measure, &path)? > self.session.bytes {
            file.set_len(self.session.bytes)
                .at(Operation::CutBack, &path)?;
        }
        self.leftover = Leftover::Nothing;
        // The file has failed before; another failure tells nothing new.
        let _told_before: io::Result<()> = file.sync();
        let in_place = file.is_at(&path);
        if !in_place {
            self.lock_again()?;
            self.heads.forget_file();
            self.session = self.session.following(self.next);
        }
        self.file = None;
        Ok(in_place)
    }

    /// The lock's file may be gone together with the session's.
    fn lock_again(&mut self) -> Result<(), IoError> {
        self.lock = None;
        match take_lock(self.options.fs.as_ref(), &self.layout) {
            Ok(lock) => {
                self.lock = Some(lock);
                Ok(())
            }
            Err(OpenError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)).at(Operation::Lock, self.layout.dir()),
        }
    }
}

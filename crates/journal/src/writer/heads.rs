//! When is the head stored?

use super::Writer;
use super::state::{Leftover, WriterState};
use crate::error::{CommitError, IoError};
use crate::group::Group;
use crate::head::{Head, HeadFile};
use crate::standing::Standing;

/// What the writer knows of the head.
#[derive(Debug)]
pub(super) struct Heads {
    head: Head,
    /// Whether the file says so, too.
    stored: bool,
    /// The file, once this writer has made it: what another one has left may end
    /// in a torn line.
    file: Option<HeadFile>,
}

impl Heads {
    pub(super) fn new(standing: Standing) -> Self {
        Self {
            stored: !standing.changed,
            head: standing.head,
            file: None,
        }
    }

    /// Has the next commit store it: a session's first record is noted, so that it is
    /// noticed where its file is gone, however much an earlier session has reserved.
    pub(super) fn note_next_session(&mut self) {
        self.stored = false;
    }

    /// Notes that the file may be gone, together with its directory.
    pub(super) fn forget_file(&mut self) {
        self.stored = false;
        self.file = None;
    }
}

impl Writer {
    /// Returns the journal's identity, a UUID.
    #[must_use]
    pub fn journal(&self) -> &str {
        &self.heads.head.journal
    }

    /// Stores what opening found out. On a full disk the first commit does it.
    pub(super) fn store_found_head(&mut self) -> Result<(), IoError> {
        if self.heads.stored {
            return Ok(());
        }
        match self.store_head() {
            Err(error) if error.is_full() => Ok(()),
            stored => stored,
        }
    }

    /// Sees to it that the head covers groups which are on stable storage, so
    /// that they may be told to somebody. Where that fails, nobody is told.
    pub(super) fn cover(&mut self, groups: &[&Group], last: u64) -> Result<(), CommitError> {
        if last < self.next || (self.heads.stored && last <= self.heads.head.reserved) {
            return Ok(());
        }
        let records = self.session.records + (last + 1 - self.next);
        self.heads.head.reserve(last, records);
        match self.store_head() {
            Ok(()) => Ok(()),
            // The groups may be tried again, so they must not stay.
            Err(error) if error.is_full() => Err(self.give_back(groups, error)),
            // They stay: the head may say that they are there.
            Err(error) => Err(self.give_up(error)),
        }
    }

    /// Sees to it that the head covers the session before its file may be moved away:
    /// opening could not store it where the disk was full.
    pub(super) fn cover_session(&mut self) -> Result<(), IoError> {
        let last = self.next - 1;
        let head = &mut self.heads.head;
        if self.heads.stored && last <= head.reserved {
            return Ok(());
        }
        head.settle(last.max(head.reserved));
        self.store_head()
    }

    /// Notes how far the numbers have come, without any reserve. Where that
    /// fails, the reserve stays, which does no harm.
    pub(super) fn settle_head(&mut self) {
        let last = self.next - 1;
        let head = &mut self.heads.head;
        if !self.heads.stored || (head.last, head.reserved) != (last, last) {
            head.settle(last);
            let _reserve_stays: Result<(), IoError> = self.store_head();
        }
    }

    fn store_head(&mut self) -> Result<(), IoError> {
        let (fs, layout) = (self.options.fs.as_ref(), &self.layout);
        let Heads { head, file, stored } = &mut self.heads;
        *stored = false;
        head.store(file, fs, layout)?;
        *stored = true;
        Ok(())
    }
}

impl Drop for Writer {
    /// Whoever ends in order without closing the session leaves no reserve
    /// either.
    fn drop(&mut self) {
        if matches!(self.state, WriterState::Usable) && self.leftover == Leftover::Nothing {
            self.settle_head();
        }
    }
}

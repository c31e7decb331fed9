//! The journal that several threads append to.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{AppendError, CommitError, IoError, OpenError, RecordError};
use crate::group::Group;
use crate::options::Options;
use crate::recovery::Recovery;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, held};
use crate::writer::{Archived, FreshFile, Writer};

/// A journal that many threads append to; cloning it is cheap and gives
/// another handle to the same one.
///
/// [`append`](Self::append) returns when the record is on stable storage.
/// Threads that append at the same time share one fsync: the first in line
/// writes and syncs for all, while the next group collects.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<JournalState>,
    /// Signalled when a commit has ended.
    ended: Condvar,
    session_path: PathBuf,
}

#[derive(Debug)]
struct JournalState {
    /// `None` while somebody commits.
    writer: Option<Writer>,
    /// What collects for the next commit.
    open: Group,
    /// How the open group's commit will end.
    outcome: Arc<Outcome>,
    /// Files that had to be left, until somebody asks for them.
    fresh: Vec<FreshFile>,
}

type Outcome = OnceLock<Result<(), Failure>>;

#[derive(Debug, Clone)]
struct Failure {
    message: Arc<str>,
    no_room: bool,
}

impl Journal {
    /// Opens the journal in a directory, which is created where it is missing.
    ///
    /// # Errors
    /// [`OpenError::Locked`] where another process writes to it,
    /// [`OpenError::Io`] with the file where an operation fails.
    pub fn open(dir: impl AsRef<Path>) -> Result<(Self, Recovery), OpenError> {
        Self::open_with(dir, Options::default())
    }

    /// Opens the journal in a directory with settings of its own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        dir: impl AsRef<Path>,
        options: Options,
    ) -> Result<(Self, Recovery), OpenError> {
        let (writer, recovery) = Writer::open(dir, options)?;
        let shared = Shared {
            session_path: writer.session_path(),
            ended: Condvar::new(),
            state: Mutex::new(JournalState {
                open: writer.group(),
                writer: Some(writer),
                outcome: Arc::default(),
                fresh: Vec::new(),
            }),
        };
        Ok((
            Self {
                shared: Arc::new(shared),
            },
            recovery,
        ))
    }

    /// Records a value and returns its number once it is on stable storage.
    ///
    /// # Errors
    /// [`AppendError::Record`] where the value is no JSON object or too long,
    /// [`AppendError::NotCommitted`] where the disk is full or failed. In both
    /// cases the journal does not have it.
    pub fn append<T: Serialize + ?Sized>(&self, record: &T) -> Result<u64, AppendError> {
        self.append_group(|group| group.push(record))
    }

    /// Records several values behind each other, with one fsync, and returns
    /// the number of the last one.
    ///
    /// # Errors
    /// As [`append`](Self::append); none of the values is recorded then.
    pub fn append_all<T: Serialize>(&self, records: &[T]) -> Result<u64, AppendError> {
        self.append_group(|group| group.push_all(records))
    }

    fn append_group(
        &self,
        push: impl FnOnce(&mut Group) -> Result<u64, RecordError>,
    ) -> Result<u64, AppendError> {
        let mut state = self.lock();
        let number = push(&mut state.open)?;
        let outcome = Arc::clone(&state.outcome);
        loop {
            if let Some(result) = outcome.get() {
                let Failure { message, no_room } = match result {
                    Ok(()) => return Ok(number),
                    Err(failure) => failure.clone(),
                };
                return Err(AppendError::NotCommitted { message, no_room });
            }
            state = match state.writer.take() {
                Some(writer) => self.lead(state, writer),
                None => self.wait(state),
            };
        }
    }

    /// Closes the current session and begins a new one; `None` where nothing
    /// was in it. The label becomes part of the archive's name.
    ///
    /// # Errors
    /// [`IoError`] with the file; the session then goes on.
    pub fn archive(&self, label: Option<&str>) -> Result<Option<Archived>, IoError> {
        let mut state = self.lock();
        loop {
            if let Some(writer) = state.writer.as_mut() {
                return writer.archive(label);
            }
            state = self.wait(state);
        }
    }

    /// Returns, once each, why the journal had to go on in fresh files since it
    /// was opened: a failed fsync, a file that was removed or cut off.
    #[must_use]
    pub fn take_fresh_files(&self) -> Vec<FreshFile> {
        std::mem::take(&mut self.lock().fresh)
    }

    /// Returns the path of the session being written, for a [`Reader`](crate::Reader).
    #[must_use]
    pub fn session_path(&self) -> &Path {
        &self.shared.session_path
    }

    fn lock(&self) -> MutexGuard<'_, JournalState> {
        // The state is whole between any two statements that may panic.
        held(self.shared.state.lock())
    }

    fn wait<'a>(&self, state: MutexGuard<'a, JournalState>) -> MutexGuard<'a, JournalState> {
        held(self.shared.ended.wait(state))
    }

    /// Commits the open group for all who wait for it.
    fn lead<'a>(
        &'a self,
        mut state: MutexGuard<'a, JournalState>,
        mut writer: Writer,
    ) -> MutexGuard<'a, JournalState> {
        let next = Group::new(state.open.next(), state.open.max_line());
        let group = std::mem::replace(&mut state.open, next);
        let outcome = std::mem::take(&mut state.outcome);
        drop(state);
        // A file system of the embedder's own may panic. Those who wait must
        // not wait forever then.
        let commit = AssertUnwindSafe(|| writer.commit(&[&group]));
        let (result, panic) = match catch_unwind(commit) {
            Ok(result) => (result, None),
            Err(panic) => {
                writer.abandon();
                (writer.commit(&[]), Some(panic))
            }
        };
        let mut state = self.lock();
        match result {
            Ok(committed) => {
                state.fresh.extend(committed.fresh);
                let _first: Result<(), _> = outcome.set(Ok(()));
            }
            Err(error) => fail(&mut state, &outcome, &writer, &error),
        }
        state.writer = Some(writer);
        self.shared.ended.notify_all();
        if let Some(panic) = panic {
            drop(state);
            resume_unwind(panic);
        }
        state
    }
}

/// Tells a group's appenders that it is not in the journal, and those of the
/// open group too: its numbers counted on the failed one.
fn fail(state: &mut JournalState, outcome: &Outcome, writer: &Writer, error: &CommitError) {
    let source = std::error::Error::source(error);
    let message = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    let no_room = matches!(error, CommitError::NoRoom { .. });
    let failure = Failure {
        message: message.into(),
        no_room,
    };
    for outcome in [outcome, &*std::mem::take(&mut state.outcome)] {
        let _first: Result<(), _> = outcome.set(Err(failure.clone()));
    }
    state.open.reset(writer.next_number());
}

#[cfg(test)]
mod tests;

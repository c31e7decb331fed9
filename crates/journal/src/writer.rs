//! The single writer: commits groups, closes sessions, survives a full disk.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use crate::archive::{move_session, sync_move};
use crate::error::{AtPath, CommitError, IoError, OpenError};
use crate::fs::{AppendFile, LockGuard};
use crate::group::Group;
use crate::lock::take_lock;
use crate::options::Options;
use crate::recovery::{Recovery, create_dirs, fence, open_session, survey};
use crate::session::Layout;

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
    /// Why the file must be left before anything else is written.
    leaving: Option<Finished>,
    /// Why nothing is accepted any more.
    finished: Option<Finished>,
    /// What made the writer leave a file, until a commit reports it.
    fresh: Option<FreshFile>,
    /// Whether the file holds bytes behind its committed end that could not be
    /// cut off yet. Written over again, their records would stand there twice.
    uncut: bool,
    /// Whether something was cut off that is still to be synced: after a crash
    /// it may be there again.
    cut: bool,
    lock: Option<Box<dyn LockGuard>>,
}

/// The session being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Session {
    /// Counts the sessions since the journal was opened, from 0.
    pub ordinal: u64,
    /// Its committed length in bytes.
    pub bytes: u64,
    /// How many records it holds.
    pub records: u64,
    /// The number of its first record, or of the next one to come.
    pub first: u64,
}

/// A group that is on stable storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The ordinal of the session it is in.
    pub session: u64,
    /// Where its first line begins, in bytes from the start of the file.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The number of its last record.
    pub last: u64,
    /// Set where the writer had to leave the session's file before this group.
    pub fresh: Option<FreshFile>,
}

/// Why the writer went on in a fresh file, and where the old one is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshFile {
    /// What happened to the old file.
    pub reason: String,
    /// Where the old file is now; `None` if it was gone or held no record.
    pub archived: Option<Archived>,
}

/// A session that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The ordinal it had.
    pub session: u64,
    /// The archive's name.
    pub name: String,
    /// Its whole path.
    pub path: PathBuf,
    /// How many records it holds.
    pub records: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

#[derive(Debug, Clone)]
struct Finished {
    stage: &'static str,
    path: PathBuf,
    reason: String,
}

impl Finished {
    fn again(&self) -> IoError {
        let source = format!("recording has stopped before: {}", self.reason);
        IoError {
            operation: self.stage,
            path: self.path.clone(),
            source: io::Error::other(source),
        }
    }
}

impl From<&IoError> for Finished {
    fn from(error: &IoError) -> Self {
        Self {
            stage: error.operation,
            path: error.path.clone(),
            reason: chain(error),
        }
    }
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
        sync_move(fs, &layout)?;
        let (file, bytes, fenced) = open_session(fs, &layout)?;
        let found = survey(&options, &layout, fenced)?;
        let session = Session {
            ordinal: 0,
            bytes,
            records: found.records,
            first: found.first,
        };
        let writer = Self {
            next: found.next,
            options,
            layout,
            file: Some(file),
            session,
            leaving: None,
            finished: None,
            fresh: None,
            uncut: false,
            cut: false,
            lock: Some(lock),
        };
        Ok((writer, found))
    }

    /// Accepts nothing more, because a commit did not return.
    pub(crate) fn abandon(&mut self) {
        self.finished = Some(Finished {
            stage: "writing",
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
        self.check_usable()?;
        let next = self.check_order(groups)?;
        self.record(groups)?;
        let bytes: u64 = groups.iter().map(|group| group.bytes().len() as u64).sum();
        let offset = self.session.bytes;
        self.session.bytes += bytes;
        self.session.records += next - self.next;
        self.next = next;
        let (session, fresh) = (self.session.ordinal, self.fresh.take());
        Ok(Committed {
            session,
            offset,
            bytes,
            last: next - 1,
            fresh,
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
        if let Some(finished) = &self.finished {
            return Err(finished.again());
        }
        if self.leaving.is_some() {
            return self.leave().inspect_err(|error| {
                if error.operation == "sync" {
                    self.finished = Some(Finished::from(error));
                }
            });
        }
        if self.session.bytes == 0 {
            return Ok(None);
        }
        // Bytes that were not committed do not belong into a closed session.
        self.cut_back()?;
        if let (true, Some(file)) = (self.cut, &mut self.file) {
            let path = self.layout.current();
            let synced = file.sync().at("sync", &path);
            synced.inspect_err(|error| self.finished = Some(Finished::from(error)))?;
        }
        // An open file may refuse to be renamed on Windows.
        self.file = None;
        let moved = self.move_away(label).or_else(|error| {
            if error.operation == "sync" {
                return Err(error);
            }
            // A network's file system may have renamed the file nevertheless:
            // a new one must not take its name before that is durable.
            sync_move(self.options.fs.as_ref(), &self.layout).and(Err(error))
        });
        if let Err(error) = &moved
            && error.operation == "sync"
        {
            // Nobody knows under which name the file is after a crash.
            self.finish(error);
            return moved.map(Some);
        }
        match self.reopen() {
            Err(error) if error.operation == "sync" => {
                self.finish(&error);
                moved.and(Err(error))
            }
            // The next commit tries again, and tells what is wrong.
            _ => moved.map(Some),
        }
    }

    fn move_away(&mut self, label: Option<&str>) -> Result<Archived, IoError> {
        let stamp = (self.options.stamp)();
        let fs = self.options.fs.as_ref();
        let name = move_session(fs, &self.layout, &stamp, label)?;
        let synced = sync_move(fs, &self.layout);
        let Session {
            ordinal,
            bytes,
            records,
            ..
        } = self.session;
        self.session = self.session_after();
        self.uncut = false;
        self.cut = false;
        let path = self.layout.archive(&name);
        synced.map(|()| Archived {
            session: ordinal,
            path,
            name,
            records,
            bytes,
        })
    }

    /// Opens the session's file if that is not open.
    fn reopen(&mut self) -> Result<(), IoError> {
        if self.file.is_none() {
            let (file, bytes, _) = open_session(self.options.fs.as_ref(), &self.layout)?;
            self.file = Some(file);
            self.session.bytes = bytes;
        }
        Ok(())
    }

    fn check_usable(&self) -> Result<(), CommitError> {
        let Some(Finished {
            stage,
            path,
            reason,
        }) = self.finished.clone()
        else {
            return Ok(());
        };
        Err(CommitError::Finished {
            stage,
            path,
            reason,
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

    fn record(&mut self, groups: &[&Group]) -> Result<(), CommitError> {
        if self.leaving.is_none() {
            match self.write_and_sync(groups) {
                Ok(()) => return Ok(()),
                Err(error) if self.file.is_none() => return Err(self.not_opened(groups, error)),
                Err(error) if is_full(&error) && error.operation == "write to" => {
                    return Err(self.give_back(groups, error));
                }
                Err(error) => self.leaving = Some(Finished::from(&error)),
            }
        }
        self.record_in_fresh_file(groups)
    }

    /// Leaves the current file for good and commits the groups to a fresh one.
    fn record_in_fresh_file(&mut self, groups: &[&Group]) -> Result<(), CommitError> {
        if let Err(error) = self.leave() {
            return Err(if is_full(&error) && error.operation != "sync" {
                // The file is left when there is room.
                no_room(groups, error)
            } else {
                self.give_up(error)
            });
        }
        match self.write_and_sync(groups) {
            Ok(()) => Ok(()),
            Err(error) if self.file.is_none() => Err(self.not_opened(groups, error)),
            Err(error) if is_full(&error) => {
                // A file system may find out only at the fsync that it is full.
                if error.operation == "sync" {
                    self.leaving = Some(Finished::from(&error));
                }
                Err(self.give_back(groups, error))
            }
            Err(error) => Err(self.give_up(error)),
        }
    }

    fn write_and_sync(&mut self, groups: &[&Group]) -> Result<(), IoError> {
        self.reopen()?;
        self.cut_back()?;
        self.look_for_others()?;
        let path = self.layout.current();
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        write_all(file.as_mut(), groups).at("write to", &path)?;
        file.sync().at("sync", &path)?;
        self.cut = false;
        // Whoever removes the file or its directory while it is written would
        // otherwise have everything recorded in a file that nobody can find.
        if !file.is_at(&path) {
            let gone = io::Error::new(io::ErrorKind::NotFound, "it was removed or replaced");
            return Err(gone).at("find", &path);
        }
        Ok(())
    }

    /// Another program may have added lines to the file: they stay, and the
    /// places of records are counted behind them.
    fn look_for_others(&mut self) -> Result<(), IoError> {
        let path = self.layout.current();
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut len = file.size().at("measure", &path)?;
        if len < self.session.bytes {
            let lost = self.session.bytes - len;
            let cut = io::Error::other(format!("another program cut {lost} bytes off it"));
            return Err(cut).at("find", &path);
        }
        if len > self.session.bytes {
            self.session.bytes = len;
            if file.is_at(&path) {
                fence(self.options.fs.as_ref(), file.as_mut(), &path, &mut len)?;
                self.session.bytes = len;
            }
        }
        Ok(())
    }

    /// Cuts off what an earlier commit wrote and could not cut off.
    fn cut_back(&mut self) -> Result<(), IoError> {
        if let (true, Some(file)) = (self.uncut, &mut self.file) {
            let path = self.layout.current();
            file.set_len(self.session.bytes).at("cut back", &path)?;
            self.uncut = false;
            self.cut = true;
        }
        Ok(())
    }

    /// Takes back what a full disk let through of a group.
    fn give_back(&mut self, groups: &[&Group], error: IoError) -> CommitError {
        self.uncut = true;
        // Where that fails, the next commit or archiving tries again.
        let _uncut: Result<(), IoError> = self.cut_back();
        no_room(groups, error)
    }

    /// Tells that there is no session file to write to. A sync that failed is
    /// not repeated: a second one could succeed without having written anything.
    fn not_opened(&mut self, groups: &[&Group], error: IoError) -> CommitError {
        if is_full(&error) && error.operation != "sync" {
            no_room(groups, error)
        } else {
            self.give_up(error)
        }
    }

    /// Accepts nothing from now on, because of what came first.
    fn give_up(&mut self, error: IoError) -> CommitError {
        match self.leaving.take() {
            Some(cause) => self.finished = Some(cause),
            None => self.finish(&error),
        }
        error.into()
    }

    fn finish(&mut self, cause: &IoError) {
        self.finished = Some(Finished::from(cause));
    }

    /// Leaves the current file and begins a fresh session.
    fn leave(&mut self) -> Result<Option<Archived>, IoError> {
        let archived = self.leave_file()?;
        if let Some(Finished { reason, .. }) = self.leaving.take() {
            let archived = archived.clone();
            self.fresh = Some(FreshFile { reason, archived });
        }
        self.reopen()?;
        Ok(archived)
    }

    /// Cuts the doubtful bytes off the current file and moves it to the archive.
    fn leave_file(&mut self) -> Result<Option<Archived>, IoError> {
        let path = self.layout.current();
        create_dirs(self.options.fs.as_ref(), &self.layout)?;
        if let Some(old) = &mut self.file {
            // With them in place the records would stand in both files, also
            // where somebody gave the old one another name.
            if old.size().at("measure", &path)? > self.session.bytes {
                old.set_len(self.session.bytes).at("cut back", &path)?;
            }
            self.uncut = false;
            // The file has failed before; another failure tells nothing new.
            let _told_before: io::Result<()> = old.sync();
            if !old.is_at(&path) {
                self.lock_again()?;
                self.file = None;
                self.session = self.session_after();
                return Ok(None);
            }
            self.file = None;
        }
        if self.session.bytes == 0 {
            let fs = self.options.fs.as_ref();
            fs.remove_file(&path).at("remove", &path)?;
            self.session = self.session_after();
            return Ok(None);
        }
        self.move_away(None).map(Some)
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
            Err(error) => Err(io::Error::other(error)).at("lock", &self.layout.dir),
        }
    }

    fn session_after(&self) -> Session {
        let ordinal = self.session.ordinal + 1;
        Session {
            ordinal,
            first: self.next,
            ..Session::default()
        }
    }
}

fn write_all(file: &mut dyn AppendFile, groups: &[&Group]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = groups
        .iter()
        .map(|group| IoSlice::new(group.bytes()))
        .collect();
    let mut rest: &mut [IoSlice<'_>] = &mut slices;
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.append(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut rest, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_full(error: &IoError) -> bool {
    matches!(
        error.source.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn no_room(groups: &[&Group], error: IoError) -> CommitError {
    let bytes = groups.iter().map(|group| group.bytes().len() as u64).sum();
    CommitError::NoRoom {
        path: error.path,
        bytes,
        source: error.source,
    }
}

fn chain(error: &IoError) -> String {
    format!("{error}: {}", error.source)
}

#[cfg(test)]
mod tests;

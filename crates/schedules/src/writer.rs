//! The journal's writer, with a list for a disk.

use std::path::PathBuf;

pub(crate) use journal::Archived;
pub(crate) use journal::raw::FreshFile;
use shuttle::thread::yield_now;

use crate::error::{CommitError, IoError, OpenError};
use crate::group::Group;
use crate::recovery::Recovery;
use crate::sync::{Arc, AtomicBool, Mutex, Ordering};

/// What happens to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Written,
    NoRoom,
    Panics,
}

#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) numbers: Mutex<Vec<u64>>,
    /// What happens to the first groups; all others are written.
    pub(crate) fates: Mutex<Vec<Fate>>,
    busy: AtomicBool,
}

/// A journal is opened on a disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) disk: Arc<Disk>,
}

#[derive(Debug)]
pub(crate) struct Writer {
    disk: Arc<Disk>,
    next: u64,
    finished: bool,
}

/// What a commit has told.
pub(crate) struct Committed {
    pub(crate) fresh: Vec<FreshFile>,
}

impl Writer {
    pub(crate) fn open<P>(_: P, options: Options) -> Result<(Self, Recovery), OpenError> {
        let writer = Self {
            disk: options.disk,
            next: 1,
            finished: false,
        };
        Ok((writer, Recovery::default()))
    }

    pub(crate) fn session_path(&self) -> PathBuf {
        PathBuf::new()
    }

    pub(crate) fn group(&self) -> Group {
        Group::new(self.next, 0)
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.next
    }

    pub(crate) fn abandon(&mut self) {
        self.finished = true;
    }

    pub(crate) fn commit(&mut self, groups: &[&Group]) -> Result<Committed, CommitError> {
        let no_room = || CommitError::NoRoom {
            path: PathBuf::new(),
            bytes: 0,
            source: std::io::ErrorKind::StorageFull.into(),
        };
        if self.finished {
            return Err(no_room());
        }
        let was_busy = self.disk.busy.swap(true, Ordering::SeqCst);
        assert!(!was_busy, "one commits at a time");
        yield_now();
        self.disk.busy.store(false, Ordering::SeqCst);
        let mut fates = self.disk.fates.lock().unwrap();
        let fate = (!fates.is_empty()).then(|| fates.remove(0));
        drop(fates);
        match fate.unwrap_or(Fate::Written) {
            Fate::Written => {}
            Fate::NoRoom => return Err(no_room()),
            // Without the hook, which would print a schedule.
            Fate::Panics => std::panic::resume_unwind(Box::new("as was to be")),
        }
        for group in groups {
            assert_eq!(group.first(), self.next, "in the order of the numbers");
            let mut numbers = self.disk.numbers.lock().unwrap();
            numbers.extend(group.first()..group.next());
            self.next = group.next();
        }
        Ok(Committed { fresh: Vec::new() })
    }

    #[allow(clippy::unnecessary_wraps, reason = "the real one may fail")]
    pub(crate) fn archive(&mut self, _: Option<&str>) -> Result<Option<Archived>, IoError> {
        let was_busy = self.disk.busy.swap(true, Ordering::SeqCst);
        assert!(!was_busy, "nobody commits meanwhile");
        yield_now();
        self.disk.busy.store(false, Ordering::SeqCst);
        Ok(None)
    }
}

//! The local file system, with writes and fsyncs that fail when a test says so.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::io::{self, ErrorKind, IoSlice};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use journal::raw::{AppendFile, DirEntry, FileSystem, LockGuard, ReadFile, RealFs};

use crate::sync::held;

/// Fails what it is told to; what does not concern a session's bytes never fails.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultyFs(Arc<Mutex<Faults>>);

/// What is to come.
#[derive(Default)]
struct Faults {
    /// What the next fsyncs come to.
    syncs: VecDeque<Option<ErrorKind>>,
    /// How the next writes fail, after half of the bytes.
    writes: VecDeque<ErrorKind>,
    /// Is called when bytes are written and not yet synced.
    before_sync: Option<Box<dyn FnMut() + Send>>,
}

impl Debug for Faults {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Faults");
        debug.field("syncs", &self.syncs).finish_non_exhaustive()
    }
}

impl FaultyFs {
    /// The next fsyncs come to this.
    pub(crate) fn set_syncs(&self, syncs: &[Option<ErrorKind>]) {
        self.lock().syncs = syncs.iter().copied().collect();
    }

    /// The next write fails when half of its bytes are written.
    pub(crate) fn fail_write(&self, error: ErrorKind) {
        self.lock().writes = VecDeque::from([error]);
    }

    /// Calls this whenever bytes are written and not yet synced.
    pub(crate) fn before_sync(&self, call: impl FnMut() + Send + 'static) {
        self.lock().before_sync = Some(Box::new(call));
    }

    fn lock(&self) -> MutexGuard<'_, Faults> {
        held(self.0.lock())
    }
}

impl FileSystem for FaultyFs {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealFs.create_dir_all(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let dir = path.parent().unwrap_or(path);
        Ok(Box::new(FaultyFile {
            file: RealFs.open_append(path)?,
            fs: self.clone(),
            is_session: journal::current_session(dir) == path,
        }))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        RealFs.open_read(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<()> {
        RealFs.create_new(path)
    }

    fn write_hint(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        RealFs.write_hint(path, contents)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        RealFs.lock(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFs.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        RealFs.remove_file(path)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        RealFs.list(path)
    }
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn AppendFile>,
    fs: FaultyFs,
    /// Whether records are in it, and not something that is derived from them.
    is_session: bool,
}

impl FaultyFile {
    /// Returns the next fault of a kind.
    fn fault<T>(&self, next: impl FnOnce(&mut Faults) -> Option<T>) -> Option<T> {
        match self.is_session {
            true => next(&mut FaultyFs::lock(&self.fs)),
            false => None,
        }
    }
}

impl AppendFile for FaultyFile {
    fn append(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let fault = self.fault(|faults| faults.writes.pop_front());
        let Some(error) = fault else {
            return self.file.append(slices);
        };
        let all: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        self.file.append(&[IoSlice::new(&all[..all.len() / 2])])?;
        Err(error.into())
    }

    /// Nothing is really synced: what counts is who sees what before this returns.
    fn sync(&mut self) -> io::Result<()> {
        let call = self.fault(|faults| faults.before_sync.take());
        if let Some(mut call) = call {
            call();
            FaultyFs::lock(&self.fs).before_sync = Some(call);
        }
        let fault = self.fault(|faults| faults.syncs.pop_front().flatten());
        fault.map_or(Ok(()), |error| Err(error.into()))
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn is_at(&self, path: &Path) -> bool {
        self.file.is_at(path)
    }

    fn reading(&self) -> Arc<dyn ReadFile> {
        self.file.reading()
    }
}

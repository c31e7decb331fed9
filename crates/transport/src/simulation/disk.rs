//! A disk that is slow, full, fails, and keeps after a crash what was synced and
//! any part of the rest.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::fs;
use std::io::{self, ErrorKind, IoSlice, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use journal::raw::{AppendFile, DirEntry, FileSystem, LockGuard, ReadFile, RealFs};

use super::world::{draw, meanwhile, note, synced, withdrawn};

use crate::sync::held;

/// The files of one journal. They are real ones, so that all readers find them.
#[derive(Clone, Default)]
pub(super) struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
struct DiskState {
    files: BTreeMap<u64, File>,
    next: u64,
    /// Names that were made or changed and whose directory was not synced since.
    names: Vec<Name>,
    /// Whether the process is gone: nothing more is done to the disk.
    dead: bool,
    /// Whether there is no room.
    pub(super) full: bool,
    /// In one of this many fsyncs and writes something fails; 0 is never.
    faults: usize,
}

/// A file that is appended to.
struct File {
    path: PathBuf,
    /// How many of its bytes survive a crash.
    synced: u64,
    /// Whether an fsync has failed: what was not synced then never is.
    spoilt: bool,
}

enum Name {
    Created(PathBuf),
    Renamed(PathBuf, PathBuf),
}

impl Debug for Disk {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("the simulated disk")
    }
}

impl Disk {
    pub(super) fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    pub(super) fn is_full(&self) -> bool {
        self.lock().full
    }

    pub(super) fn set_faults(&self, one_in: usize) {
        self.lock().faults = one_in;
    }

    /// The process is gone: what it still tries in its death does nothing.
    pub(super) fn kill(&self) {
        self.lock().dead = true;
    }

    /// What the machine finds after it went down: of names a beginning, of each
    /// file what was synced and some of the rest, which may be torn.
    pub(super) fn crash(&self) {
        let mut state = self.lock();
        let kept = draw(state.names.len() + 1);
        for name in state.names.split_off(kept).into_iter().rev() {
            match name {
                Name::Created(path) => drop(fs::remove_file(path)),
                Name::Renamed(from, to) => {
                    fs::rename(&to, &from).unwrap();
                    let moved = state.files.values_mut().filter(|file| file.path == to);
                    moved.for_each(|file| file.path.clone_from(&from));
                }
            }
        }
        for file in state.files.values() {
            cut(&file.path, file.synced);
        }
        self.start_again(&mut state);
    }

    /// The program was killed, and the machine goes on: nothing is lost.
    pub(super) fn restart(&self) {
        let mut state = self.lock();
        self.start_again(&mut state);
    }

    fn start_again(&self, state: &mut DiskState) {
        *state = DiskState {
            next: state.next,
            ..DiskState::default()
        };
    }

    fn lock(&self) -> MutexGuard<'_, DiskState> {
        held(self.0.lock())
    }

    fn alive(&self) -> io::Result<()> {
        match self.lock().dead {
            true => Err(io::Error::other("the process is gone")),
            false => Ok(()),
        }
    }

    /// Tells whether something fails now.
    fn fails(&self) -> bool {
        let one_in = self.lock().faults;
        one_in > 0 && draw(one_in) == 0
    }
}

/// Keeps of a file what was synced and a part of the rest, perhaps spoilt.
fn cut(path: &Path, synced: u64) {
    let Ok(mut bytes) = fs::read(path) else {
        return;
    };
    let synced = usize::try_from(synced).unwrap().min(bytes.len());
    let left = bytes.len() - synced;
    if left == 0 {
        return;
    }
    bytes.truncate(synced + draw(left + 1));
    if bytes.len() > synced && draw(3) == 0 {
        // A block that never came.
        let from = synced + draw(bytes.len() - synced);
        bytes[from..].fill(0);
    }
    fs::write(path, bytes).unwrap();
}

impl FileSystem for Disk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.alive()?;
        RealFs.create_dir_all(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.alive()?;
        meanwhile("open");
        let is_new = !path.exists();
        let file = RealFs.open_append(path)?;
        let synced = file.size()?;
        let mut state = self.lock();
        state.next += 1;
        let id = state.next;
        let path = path.to_owned();
        // The same file may be open already, in part not synced.
        let known = state.files.values().find(|file| file.path == path);
        let (synced, spoilt) = known.map_or((synced, false), |file| (file.synced, file.spoilt));
        state.files.retain(|_, file| file.path != path);
        if is_new {
            state.names.push(Name::Created(path.clone()));
        }
        let known = File {
            path,
            synced,
            spoilt,
        };
        state.files.insert(id, known);
        let disk = self.clone();
        Ok(Box::new(Appending { file, disk, id }))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        RealFs.open_read(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<()> {
        self.alive()?;
        RealFs.create_new(path)?;
        self.lock().names.push(Name::Created(path.to_owned()));
        Ok(())
    }

    fn write_hint(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        self.alive()?;
        RealFs.write_hint(path, contents)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        RealFs.lock(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.alive()?;
        meanwhile("rename");
        RealFs.rename(from, to)?;
        let mut state = self.lock();
        state
            .names
            .push(Name::Renamed(from.to_owned(), to.to_owned()));
        state.files.retain(|_, file| file.path != to);
        let moved = state.files.values_mut().filter(|file| file.path == from);
        moved.for_each(|file| file.path = to.to_owned());
        drop(state);
        meanwhile("renamed");
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.alive()?;
        RealFs.remove_file(path)?;
        let mut state = self.lock();
        state.files.retain(|_, file| file.path != path);
        // What was made and removed is not there, whatever was synced.
        state
            .names
            .retain(|name| !matches!(name, Name::Created(created) if created == path));
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.alive()?;
        meanwhile("sync of a directory");
        let parent = |name: &Name| match name {
            Name::Created(path) | Name::Renamed(_, path) => path.parent().map(Path::to_owned),
        };
        let mut state = self.lock();
        // As file systems with one journal for all names do.
        let last = state
            .names
            .iter()
            .rposition(|name| parent(name).as_deref() == Some(path));
        state.names.drain(..last.map_or(0, |last| last + 1));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        RealFs.list(path)
    }
}

/// An open file.
struct Appending {
    file: Box<dyn AppendFile>,
    disk: Disk,
    id: u64,
}

impl Debug for Appending {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.file.fmt(formatter)
    }
}

impl AppendFile for Appending {
    fn append(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.disk.alive()?;
        // Some file systems find only at the fsync that there is no room.
        let full = self.disk.is_full() && draw(4) > 0;
        if !full && !self.disk.fails() {
            let written = self.file.append(slices);
            meanwhile("write");
            return written;
        }
        let mut all = Vec::new();
        for slice in slices {
            all.write_all(slice)?;
        }
        let part = draw(all.len());
        self.file.append(&[IoSlice::new(&all[..part])])?;
        meanwhile("failed write");
        note(format_args!("a write fails, full: {full}"));
        Err(match full {
            true => ErrorKind::StorageFull.into(),
            false => io::Error::from_raw_os_error(5),
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.alive()?;
        let before = self.file.size()?;
        meanwhile("fsync");
        let fails = self.disk.fails();
        let is_late = self.disk.is_full() && draw(2) == 0;
        let mut state = self.disk.lock();
        let Some(file) = state.files.get_mut(&self.id) else {
            return Ok(());
        };
        if fails || is_late {
            file.spoilt = true;
            drop(state);
            note(format_args!("an fsync fails, full: {is_late}"));
            return Err(match is_late {
                true => ErrorKind::StorageFull.into(),
                false => io::Error::from_raw_os_error(5),
            });
        }
        if file.spoilt {
            return Ok(());
        }
        let (path, from) = (file.path.clone(), file.synced);
        file.synced = before;
        drop(state);
        synced(&path, from, before);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.disk.alive()?;
        let mut state = self.disk.lock();
        let Some(file) = state.files.get_mut(&self.id) else {
            return self.file.set_len(len);
        };
        if len <= file.synced {
            withdrawn(&file.path, len, file.synced);
            (file.synced, file.spoilt) = (len, false);
        }
        drop(state);
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

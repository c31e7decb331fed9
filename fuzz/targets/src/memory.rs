//! A file system in memory, for journals that are opened many times a second.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::raw::{AppendFile, DirEntry, FileSystem, Kind, LockGuard, ReadFile};

type Bytes = Arc<Mutex<Vec<u8>>>;

/// Files by their paths; directories are where files are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    files: Arc<Mutex<BTreeMap<PathBuf, Bytes>>>,
}

#[derive(Debug)]
struct Open(Bytes);

#[derive(Debug)]
struct Unlocked;

impl LockGuard for Unlocked {}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    pub(crate) fn put(&self, path: &Path, bytes: &[u8]) {
        *lock(&self.file(path)) = bytes.to_vec();
    }

    /// Returns what a file holds; nothing where there is none.
    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        let file = lock(&self.files).get(path).cloned();
        file.map(|file| lock(&file).clone()).unwrap_or_default()
    }

    fn file(&self, path: &Path) -> Bytes {
        lock(&self.files)
            .entry(path.to_owned())
            .or_default()
            .clone()
    }
}

impl FileSystem for Memory {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(Open(self.file(path))))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let file = lock(&self.files).get(path).cloned();
        Ok(Box::new(Open(file.ok_or(ErrorKind::NotFound)?)))
    }

    fn create_new(&self, path: &Path) -> io::Result<()> {
        if lock(&self.files).contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.put(path, b"");
        Ok(())
    }

    fn write_hint(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        self.put(path, contents);
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn LockGuard>> {
        Ok(Box::new(Unlocked))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = lock(&self.files);
        let file = files.remove(from).ok_or(ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let removed = lock(&self.files).remove(path);
        removed.map(drop).ok_or(ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let files = lock(&self.files);
        let here = files.iter().filter(|(path, _)| path.parent() == Some(dir));
        let named = here.filter_map(|(path, file)| {
            Some(DirEntry {
                name: path.file_name()?.to_str()?.to_owned(),
                kind: Kind::File,
                bytes: lock(file).len() as u64,
            })
        });
        Ok(named.collect())
    }
}

impl AppendFile for Open {
    fn append(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut bytes = lock(&self.0);
        let before = bytes.len();
        slices
            .iter()
            .for_each(|slice| bytes.extend_from_slice(slice));
        Ok(bytes.len() - before)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&mut self, _: u64) -> io::Result<()> {
        panic!("nothing failed, so nothing may be cut back");
    }

    fn size(&self) -> io::Result<u64> {
        Ok(lock(&self.0).len() as u64)
    }

    fn is_at(&self, _: &Path) -> bool {
        true
    }

    fn reading(&self) -> Arc<dyn ReadFile> {
        Arc::new(Self(Arc::clone(&self.0)))
    }
}

impl ReadFile for Open {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = lock(&self.0);
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let rest = bytes.get(offset..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn size(&self) -> io::Result<u64> {
        AppendFile::size(self)
    }
}

//! The operating system's files.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::{AppendFile, DirEntry, FileSystem, Kind, LockGuard, ReadFile};
use super::{parent_of, sync_if_readable};

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFs;

impl FileSystem for RealFs {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        private_dir(&mut builder);
        let mut created = builder.create(path);
        let parent = parent_of(path);
        if let (Err(error), Some(parent)) = (&created, parent)
            && error.kind() == io::ErrorKind::NotFound
        {
            self.create_dir_all(parent)?;
            created = builder.create(path);
        }
        match (created, parent) {
            (Ok(()), Some(parent)) => sync_if_readable(self, parent),
            (Err(_), _) if path.is_dir() => Ok(()),
            (created, _) => created,
        }
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut options = OpenOptions::new();
        private_file(&mut options);
        own_file(path)?;
        // It is read through the same descriptor: one that is opened later by
        // its path may be another file.
        let file = options.read(true).append(true).create(true).open(path)?;
        Ok(Box::new(RealAppend(Arc::new(file))))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        regular(&std::fs::metadata(path)?)?;
        Ok(Box::new(RealRead(Arc::new(File::open(path)?))))
    }

    fn create_new(&self, path: &Path) -> io::Result<()> {
        let mut options = OpenOptions::new();
        private_file(&mut options);
        options.write(true).create_new(true).open(path).map(drop)
    }

    fn write_hint(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        // A new file is never somebody else's: a link that was planted under the
        // name is removed, and what it leads to is left alone.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        private_file(&mut options);
        options
            .write(true)
            .create_new(true)
            .open(path)?
            .write_all(contents)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        let mut options = OpenOptions::new();
        private_file(&mut options);
        own_file(path)?;
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock { file })),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn modified(&self, path: &Path) -> io::Result<SystemTime> {
        std::fs::metadata(path)?.modified()
    }

    fn copy_modified(&self, from: &Path, to: &Path) -> io::Result<()> {
        let modified = std::fs::metadata(from)?.modified()?;
        // Windows sets times only through a file that is open for writing.
        OpenOptions::new()
            .append(true)
            .open(to)?
            .set_modified(modified)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        sync_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let (kind, bytes) = match std::fs::metadata(entry.path()) {
                Ok(metadata) => (kind_of(&metadata), metadata.len()),
                // A file that went away while the directory was read is not listed.
                Err(_) if entry.metadata().is_err() => continue,
                Err(_) => (Kind::BrokenLink, 0),
            };
            let (name, kind) = match (entry.file_name().into_string(), kind) {
                (Ok(name), kind) => (name, kind),
                (Err(name), Kind::File) => (name.to_string_lossy().into_owned(), Kind::Unnameable),
                (Err(name), kind) => (name.to_string_lossy().into_owned(), kind),
            };
            entries.push(DirEntry { name, kind, bytes });
        }
        Ok(entries)
    }
}

fn kind_of(metadata: &std::fs::Metadata) -> Kind {
    match metadata.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Directory,
        _ => Kind::Special,
    }
}

/// Refuses what is no regular file: opening a named pipe would wait for somebody
/// at its other end, perhaps forever.
fn regular(metadata: &std::fs::Metadata) -> io::Result<()> {
    let what = match kind_of(metadata) {
        Kind::File => return Ok(()),
        Kind::Directory => "a directory stands there, and no file",
        _ => "a named pipe, a socket or a device stands there, and no regular file",
    };
    Err(io::Error::other(what))
}

/// Refuses to write through a link. A session's file is renamed when it is
/// closed: the link would go into the archive, and a relative one lead nowhere.
fn own_file(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(io::Error::other(
            "a symbolic link stands there; put the file itself in its place",
        )),
        Ok(metadata) => regular(&metadata),
        Err(_) => Ok(()),
    }
}

#[derive(Debug)]
struct RealAppend(Arc<File>);

impl AppendFile for RealAppend {
    fn append(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self.0).write_vectored(slices)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn is_at(&self, path: &Path) -> bool {
        match (self.0.metadata(), std::fs::metadata(path)) {
            (Ok(ours), Ok(there)) => same_file(&ours, &there),
            _ => false,
        }
    }

    fn reading(&self) -> Arc<dyn ReadFile> {
        Arc::new(RealRead(Arc::clone(&self.0)))
    }
}

#[derive(Debug)]
struct RealRead(Arc<File>);

impl ReadFile for RealRead {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match positional_read(&self.0, buf, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

#[derive(Debug)]
struct RealLock {
    file: File,
}

impl LockGuard for RealLock {}

impl Drop for RealLock {
    /// Closing the file is not enough: a process that was begun on another thread in this
    /// moment has a copy of it until it runs its program.
    fn drop(&mut self) {
        // Where that fails, closing it has to do.
        let _closed: io::Result<()> = self.file.unlock();
    }
}

#[cfg(unix)]
fn positional_read(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

#[cfg(windows)]
fn positional_read(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}

/// Windows has no fsync of a directory; NTFS journals its metadata by itself.
#[cfg(windows)]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(windows))]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(unix)]
fn same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    a.dev() == b.dev() && a.ino() == b.ino()
}

/// The standard library has no stable file identity on Windows, and a file
/// that takes another's name inherits its creation time there. The length
/// tells, since there is one writer.
#[cfg(not(unix))]
fn same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    a.len() == b.len()
}

#[cfg(unix)]
fn private_file(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Files inherit the directory's access list on Windows.
#[cfg(not(unix))]
fn private_file(_options: &mut OpenOptions) {}

#[cfg(unix)]
fn private_dir(builder: &mut std::fs::DirBuilder) {
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
}

#[cfg(not(unix))]
fn private_dir(_builder: &mut std::fs::DirBuilder) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_given_up_also_where_a_process_that_begins_has_a_copy_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let file = File::create(&path).unwrap();
        file.try_lock().unwrap();
        let copy = file.try_clone().unwrap();
        let guard = RealLock { file };
        assert!(RealFs.lock(&path).is_err());
        drop(guard);
        assert!(RealFs.lock(&path).is_ok());
        drop(copy);
    }
}

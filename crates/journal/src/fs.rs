//! The seam between the journal and the file system.
//!
//! Everything that the journal does to a disk goes through [`FileSystem`], so
//! that a test can make the Nth operation fail or keep only what was synced.
//! [`RealFs`] is what programs use.

mod real;

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

pub use self::real::RealFs;

/// What the journal needs of a file system.
pub trait FileSystem: Debug + Send + Sync {
    /// Creates a directory and its parents, readable by its owner alone, and
    /// makes the names of those that it created durable.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Opens a file for appending, and creates it (mode 0600) where it is missing.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;

    /// Creates an empty file, and fails where the name is taken.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] where the name is taken.
    fn create_new(&self, path: &Path) -> io::Result<()>;

    /// Replaces a small file's contents. Not durable; for hints only.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn write_hint(&self, path: &Path, contents: &[u8]) -> io::Result<()>;

    /// Takes the exclusive lock that the file stands for; dropping the guard,
    /// or the death of the process, releases it.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where another process holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>>;

    /// Renames a file, over an existing one if need be.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Returns when a file was changed last.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn modified(&self, _path: &Path) -> io::Result<SystemTime> {
        Ok(SystemTime::UNIX_EPOCH)
    }

    /// Gives a file the time at which another was changed last. It is a courtesy to
    /// people and may do nothing.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn copy_modified(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Makes the creation or the renaming of a directory's entries durable.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Lists what a directory holds. A link counts as what it leads to.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name; what is no Unicode in it is replaced.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub bytes: u64,
}

/// What a name in a directory leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A regular file whose name is no Unicode, so that it can't be opened by it.
    Unnameable,
    /// A directory.
    Directory,
    /// A link that leads nowhere.
    BrokenLink,
    /// A named pipe, a socket or a device.
    Special,
}

/// A file that only grows, but for a failed write that is cut back.
pub trait AppendFile: Debug + Send {
    /// Writes at the end of the file; may write less than all.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn append(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Returns when the file's bytes and length are on stable storage.
    ///
    /// # Errors
    /// After an error nothing is known about the bytes since the last success.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file back to `len` bytes.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// Returns the file's length in bytes.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn size(&self) -> io::Result<u64>;

    /// Tells whether `path` still leads to this very file.
    fn is_at(&self, path: &Path) -> bool;

    /// Returns this very file for reading, whatever its path leads to by then.
    fn reading(&self) -> Arc<dyn ReadFile>;
}

/// A file that is read at given places, by several readers at once.
pub trait ReadFile: Debug + Send + Sync {
    /// Reads at most `buf.len()` bytes from `offset` on; 0 is the end of the file.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills the whole buffer from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] where the file ends before, and whatever the
    /// system reports.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset + filled as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        Ok(())
    }

    /// Returns the file's length in bytes.
    ///
    /// # Errors
    /// Whatever the system reports.
    fn size(&self) -> io::Result<u64>;
}

/// Writes all of this at the end of a file.
pub(crate) fn append_all(file: &mut dyn AppendFile, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.append(&[IoSlice::new(bytes)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Holds a lock until it is dropped.
pub trait LockGuard: Debug + Send {}

/// Returns the directory that holds a path's name.
pub(crate) fn parent_of(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    let here = parent.as_os_str().is_empty();
    Some(if here { Path::new(".") } else { parent })
}

/// Syncs a directory that may belong to somebody else: one that this process
/// may not read can't be synced, and that must not keep it from starting.
pub(crate) fn sync_if_readable(fs: &dyn FileSystem, path: &Path) -> io::Result<()> {
    match sync_dir_if_possible(fs, path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced.map(drop),
    }
}

/// Syncs a directory; false where the file system does not do that at all, as
/// some network file systems (EINVAL). Names are then as safe as it makes them.
pub(crate) fn sync_dir_if_possible(fs: &dyn FileSystem, path: &Path) -> io::Result<bool> {
    match fs.sync_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(false),
        synced => synced.map(|()| true),
    }
}

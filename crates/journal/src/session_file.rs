//! How is a session's file read, so that every failure names file and place?

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::error::ReadError;
use crate::fs::{FileSystem, ReadFile};
use crate::line::is_sealed_at;
use crate::operation::Operation;
use crate::record::Ending;
use crate::session::CURRENT;

/// A session's file, open for reading, and the path it had then; clones share
/// the file.
///
/// A path may lead to another file a moment later: a session is closed, or left
/// after a failure, and a fresh file takes its name. This one stays what it is.
#[derive(Debug, Clone)]
pub struct SessionFile {
    path: Arc<Path>,
    file: Arc<dyn ReadFile>,
}

impl SessionFile {
    /// Opens a session's file, compressed or not.
    ///
    /// A closed session may have been compressed since its name was read: then that
    /// file is opened.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be opened; of kind
    /// [`InvalidData`](io::ErrorKind::InvalidData) where it is compressed otherwise than
    /// a journal does it.
    pub fn open(fs: &dyn FileSystem, path: &Path) -> Result<Self, ReadError> {
        let opened = match fs.open_read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                open_compressed(fs, path).unwrap_or(Err(error))
            }
            Ok(file) => unpacking(path, Arc::from(file)),
            Err(error) => Err(error),
        };
        match opened {
            Ok(file) => Ok(Self::new(path, file)),
            Err(source) => Err(failed(Operation::Open, path, 0, source)),
        }
    }

    /// Takes over a file that is open, under the path that it has.
    #[must_use]
    pub fn new(path: &Path, file: Arc<dyn ReadFile>) -> Self {
        let path = Arc::from(path);
        Self { path, file }
    }

    /// Names the file by the path that it has now.
    #[must_use]
    pub fn renamed(&self, path: &Path) -> Self {
        Self::new(path, Arc::clone(&self.file))
    }

    /// Returns the file itself.
    #[must_use]
    pub fn file(&self) -> Arc<dyn ReadFile> {
        Arc::clone(&self.file)
    }

    /// Returns the path that the file had when it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Only the current session may still be written to.
    pub(crate) fn ending(&self) -> Ending {
        match self.path.file_name() {
            Some(name) if name == CURRENT => Ending::Live,
            _ => Ending::Closed,
        }
    }

    /// Returns the file's present length in bytes.
    ///
    /// # Errors
    /// [`ReadError`] where it can't be measured.
    pub fn size(&self) -> Result<u64, ReadError> {
        let size = self.file.size();
        size.map_err(|source| failed(Operation::Measure, &self.path, 0, source))
    }

    /// Reads some bytes from `offset` on; 0 only at the end of the file.
    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize, ReadError> {
        let read = self.file.read_at(buf, offset);
        read.map_err(|source| failed(Operation::Read, &self.path, offset, source))
    }

    /// Fills the buffer from `offset` on, as far as the file reaches; returns
    /// how many bytes that are.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub fn read_full(&self, buf: &mut [u8], offset: u64) -> Result<usize, ReadError> {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    /// Tells whether the line at `offset` is a record that was written here.
    pub(crate) fn is_sealed_at(&self, offset: u64, length: u64) -> Result<bool, ReadError> {
        is_sealed_at(length, |buf, at| self.read_exact(buf, offset + at))
    }

    /// Fills the whole buffer from `offset` on with bytes that were there before.
    pub(crate) fn read_exact(&self, buf: &mut [u8], offset: u64) -> Result<(), ReadError> {
        let filled = self.read_full(buf, offset)?;
        if filled == buf.len() {
            return Ok(());
        }
        let end = offset + filled as u64;
        let source = io::ErrorKind::UnexpectedEof.into();
        Err(failed(Operation::Read, &self.path, end, source))
    }
}

/// Reads a compressed file's plain bytes.
#[cfg(feature = "compression")]
fn unpacking(path: &Path, file: Arc<dyn ReadFile>) -> io::Result<Arc<dyn ReadFile>> {
    use crate::compressed::{CompressedFile, is_compressed};
    match is_compressed(path) {
        true => Ok(Arc::new(CompressedFile::open(file)?)),
        false => Ok(file),
    }
}

#[cfg(not(feature = "compression"))]
fn unpacking(_path: &Path, file: Arc<dyn ReadFile>) -> io::Result<Arc<dyn ReadFile>> {
    Ok(file)
}

/// Opens the compressed form of a session whose plain one is gone.
#[cfg(feature = "compression")]
fn open_compressed(fs: &dyn FileSystem, path: &Path) -> Option<io::Result<Arc<dyn ReadFile>>> {
    let compressed = crate::compressed::compressed_path(path);
    let is_closed = path.extension().is_some_and(|ending| ending == "jsonl")
        && path.file_name().is_some_and(|name| name != CURRENT);
    let file = fs.open_read(&compressed).ok().filter(|_| is_closed)?;
    Some(unpacking(&compressed, Arc::from(file)))
}

#[cfg(not(feature = "compression"))]
fn open_compressed(_fs: &dyn FileSystem, _path: &Path) -> Option<io::Result<Arc<dyn ReadFile>>> {
    None
}

fn failed(operation: Operation, path: &Path, offset: u64, source: io::Error) -> ReadError {
    let path = path.to_owned();
    ReadError {
        operation,
        path,
        offset,
        source,
    }
}

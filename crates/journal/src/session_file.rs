//! How is a session's file read, so that every failure names file and place?

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::ReadError;
use crate::fs::{FileSystem, ReadFile};
use crate::line::is_sealed_at;
use crate::record::Ending;
use crate::session::CURRENT;

/// An open file and the path it was opened by; clones share the file.
#[derive(Debug, Clone)]
pub(crate) struct SessionFile {
    path: PathBuf,
    file: Arc<dyn ReadFile>,
}

impl SessionFile {
    pub(crate) fn open(fs: &dyn FileSystem, path: &Path) -> Result<Self, ReadError> {
        match fs.open_read(path) {
            Ok(file) => Ok(Self::new(path, Arc::from(file))),
            Err(source) => Err(failed("open", path, 0, source)),
        }
    }

    pub(crate) fn new(path: &Path, file: Arc<dyn ReadFile>) -> Self {
        let path = path.to_owned();
        Self { path, file }
    }

    pub(crate) fn path(&self) -> &Path {
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
    pub(crate) fn size(&self) -> Result<u64, ReadError> {
        let size = self.file.size();
        size.map_err(|source| failed("measure", &self.path, 0, source))
    }

    /// Reads some bytes from `offset` on; 0 only at the end of the file.
    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize, ReadError> {
        let read = self.file.read_at(buf, offset);
        read.map_err(|source| failed("read", &self.path, offset, source))
    }

    /// Fills the buffer from `offset` on, as far as the file reaches.
    pub(crate) fn read_full(&self, buf: &mut [u8], offset: u64) -> Result<usize, ReadError> {
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
        Err(failed("read", &self.path, end, source))
    }
}

fn failed(operation: &'static str, path: &Path, offset: u64, source: io::Error) -> ReadError {
    let path = path.to_owned();
    ReadError {
        operation,
        path,
        offset,
        source,
    }
}

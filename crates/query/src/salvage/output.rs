//! The new file: where it may be, and how it gets to stable storage.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use journal::Layout;
use journal::raw::{FileSystem, RealFs};

use crate::closed::archive_dir;
use crate::error::Error;

const BUFFER: usize = 256 << 10;

/// A file that was created here, and goes away again unless it is kept.
pub(crate) struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    /// Creates the file for its owner alone; an existing one is refused.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file: BufWriter::with_capacity(BUFFER, file),
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists {
                path: path.to_owned(),
            }),
            Err(source) => Err(Error::file("create", path, source)),
        }
    }

    pub(crate) fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(line);
        let written = written.and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|source| Error::file("write", &self.path, source))
    }

    /// Returns when the file and its name are on stable storage.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        let flushed = self.file.flush();
        let synced = flushed.and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|source| Error::file("sync", &self.path, source))?;
        let parent = parent_of(&self.path);
        let synced = RealFs.sync_dir(parent);
        synced.map_err(|source| Error::file("sync", parent, source))
    }

    pub(crate) fn keep(self) {
        drop(self.file);
    }

    /// Removes what was written, and passes on why.
    pub(crate) fn remove(self, error: Error) -> Error {
        // What is in the buffer is not wanted, and Windows removes no open file.
        drop(self.file.into_parts());
        match fs::remove_file(&self.path) {
            Ok(()) => error,
            Err(source) => Error::Partial {
                path: self.path,
                reason: error.to_string(),
                source,
            },
        }
    }
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Refuses a file that the journal would take for one of its own.
///
/// Besides the journal that was asked for, this is the one that the source
/// belongs to, if it does.
pub(crate) fn refuse_in_journal(dir: &Path, source: &Path, to: &Path) -> Result<(), Error> {
    let parent = parent_of(to);
    // Links are followed, so that no detour leads into the journal.
    let folder = fs::canonicalize(parent);
    let folder = folder.map_err(|source| Error::file("find", parent, source))?;
    let source = fs::canonicalize(source);
    let around = source.iter().flat_map(|source| source.ancestors().skip(1));
    let dir = fs::canonicalize(dir).ok();
    for journal in around.take(2).chain(dir.as_deref()) {
        let is_archived =
            fs::canonicalize(archive_dir(journal)).is_ok_and(|archive| folder.starts_with(archive));
        if is_archived || (folder == journal && to.file_name().is_some_and(is_own)) {
            let path = to.to_owned();
            return Err(Error::InJournal { path });
        }
    }
    Ok(())
}

/// Some file systems make no difference between upper and lower case.
fn is_own(name: &OsStr) -> bool {
    Layout::is_own_name(&name.to_string_lossy().to_ascii_lowercase())
}

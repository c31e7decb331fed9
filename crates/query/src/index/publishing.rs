//! How a file gets the name of an index when it is whole.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use journal::raw::{FileSystem, RealFs};
use tempfile::NamedTempFile;

use super::paths::index_path;

/// What came of making an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// It is there.
    Done {
        /// Its length.
        bytes: u64,
    },
    /// It was told to stop, and left nothing behind.
    Stopped,
}

/// Creates a file with a name of its own, and locks it as long as it is written.
pub(super) fn temporary(session: &Path) -> io::Result<(NamedTempFile, String)> {
    let index = index_path(session);
    let name = index.file_name().unwrap_or_else(|| OsStr::new("index"));
    let prefix = format!("{}.", name.to_string_lossy());
    let mut builder = tempfile::Builder::new();
    let dir = session.parent().unwrap_or(Path::new("."));
    let file = builder.prefix(&prefix).suffix(TEMPORARY).tempfile_in(dir)?;
    // Where there are no locks, what others left is never removed.
    let _locked = file.as_file().try_lock();
    Ok((file, prefix))
}

const TEMPORARY: &str = ".tmp";
/// Gives the index its name, and removes what unfinished ones left.
pub(super) fn publish(
    temporary: NamedTempFile,
    session: &Path,
    prefix: &str,
    is_synced: bool,
) -> io::Result<()> {
    if is_synced {
        temporary.as_file().sync_all()?;
    }
    temporary.persist(index_path(session))?;
    let dir = session.parent().unwrap_or(Path::new("."));
    if is_synced {
        RealFs.sync_dir(dir)?;
    }
    for entry in fs::read_dir(dir)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_left = name.starts_with(prefix) && name.ends_with(TEMPORARY);
        // Whoever still writes it has it locked.
        if is_left && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _gone_already = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

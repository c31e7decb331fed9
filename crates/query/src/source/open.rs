//! How the files of a question are found and opened.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use journal::raw::{ReadFile, RealFs, SessionFile};
use journal::{Archive, Reader, Snapshot};
use tempfile::NamedTempFile;

use super::open_file;
use super::tail::{PAUSE, TRIES};
use crate::closed;
use crate::error::Error;

/// Opens the session being written.
///
/// Between two sessions there is none for a moment.
pub(super) fn current_file(dir: &Path) -> Result<Arc<dyn ReadFile>, Error> {
    let path = journal::current_session(dir);
    let mut tried = 0;
    loop {
        tried += 1;
        match open_file(&path) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let archives = closed::list(dir)?.len();
                if archives == 0 || tried == TRIES || !was_changed(dir, SystemTime::now()) {
                    return Err(Error::NoSession { path, archives });
                }
                sleep(PAUSE);
            }
            Err(error) => return Err(cannot_open(&path, error)),
        }
    }
}

/// Tells whether a session may have been closed a moment ago, which changes the
/// directory, so that the next one is about to begin. Where the clock or the file
/// system doesn't tell, it may have been.
pub(super) fn was_changed(dir: &Path, now: SystemTime) -> bool {
    // File systems may note even seconds only.
    const MOMENT: Duration = Duration::from_secs(3);
    let changed = fs::metadata(dir).and_then(|metadata| metadata.modified());
    let past = changed.ok().and_then(|time| now.duration_since(time).ok());
    past.is_none_or(|past| past < MOMENT)
}

/// Opens the session being written, for one who reads it line by line.
pub(crate) fn current_reader(dir: &Path) -> Result<Reader, Error> {
    loop {
        // It waits where there is no session for a moment.
        drop(current_file(dir)?);
        match Reader::open(journal::current_session(dir)) {
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => {}
            opened => return Ok(opened?),
        }
    }
}

/// All sessions of a directory.
pub(crate) struct All {
    /// The closed ones, oldest first.
    pub(crate) archives: Vec<Archive>,
    /// The one being written.
    pub(crate) current: Option<SessionFile>,
}

/// Finds the closed sessions in order, and opens the one being written, which may be
/// missing only where there are closed ones.
pub(crate) fn all(dir: &Path) -> Result<All, Error> {
    let Snapshot {
        archives, current, ..
    } = closed::sessions(dir)?.all()?;
    let archives = closed::with_packed(dir, archives);
    if current.is_none() && archives.is_empty() {
        // The first session of all may be about to begin.
        drop(current_file(dir)?);
        return all(dir);
    }
    Ok(All { archives, current })
}

/// Finds the files with messages in a directory that is no journal's, and in the ones
/// in it, in the order of their names.
pub(super) fn files_in(dir: &Path) -> Vec<PathBuf> {
    let is_journal = journal::current_session(dir).exists() || closed::archive_dir(dir).exists();
    let mut found = Vec::new();
    if !is_journal {
        collect(dir, 0, &mut found);
    }
    found.sort();
    found
}

fn collect(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    const DEEPEST: usize = 16;
    const ENDINGS: [&str; 5] = ["jsonl", "ndjson", "json", "log", "history.md"];
    // What can't be listed can't be read by somebody who names it either.
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        if kind.is_ok_and(|kind| kind.is_dir()) {
            if depth < DEEPEST {
                collect(&path, depth + 1, found);
            }
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let plain = [".gz", ".zst"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let name = plain.unwrap_or(&name);
        let is_known = ENDINGS.iter().any(|end| {
            name.strip_suffix(end)
                .is_some_and(|front| front.ends_with('.'))
        });
        if is_known && path.is_file() {
            found.push(path);
        }
    }
}

/// Opens a regular file.
pub(super) fn file(path: &Path) -> Result<Arc<dyn ReadFile>, Error> {
    let metadata = fs::metadata(path).map_err(|error| cannot_open(path, error))?;
    if !metadata.is_file() {
        return Err(Error::NotAFile {
            path: path.to_owned(),
        });
    }
    open_file(path).map_err(|error| cannot_open(path, error))
}

/// Opens a closed session, which the broker may have compressed.
pub(crate) fn session_file(path: &Path) -> Result<Arc<dyn ReadFile>, Error> {
    Ok(SessionFile::open(&RealFs, path)?.file())
}

/// Copies what comes through a pipe or a device to a temporary file.
pub(super) fn spool_if_pipe(path: &Path) -> Result<Option<NamedTempFile>, Error> {
    let metadata = fs::metadata(path).map_err(|error| cannot_open(path, error))?;
    if metadata.is_file() || metadata.is_dir() {
        return Ok(None);
    }
    let mut pipe = fs::File::open(path).map_err(|error| cannot_open(path, error))?;
    spool(&mut pipe, path).map(Some)
}

/// Copies a stream to a temporary file, which only its owner can read.
pub(super) fn spool(stream: &mut dyn Read, name: &Path) -> Result<NamedTempFile, Error> {
    let failed = |source| Error::file("copy to a temporary file", name, source);
    let mut spool = NamedTempFile::new().map_err(failed)?;
    io::copy(stream, &mut spool).map_err(failed)?;
    Ok(spool)
}

fn cannot_open(path: &Path, source: io::Error) -> Error {
    Error::Read {
        operation: "open",
        path: path.to_owned(),
        source,
    }
}

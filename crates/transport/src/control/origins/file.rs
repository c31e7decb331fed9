//! The file that says how far other journals' messages are recorded.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use protocol::LastOf;
use serde::{Deserialize, Serialize};

use super::super::replace::{replace, sync};
use super::Kept;

#[derive(Serialize, Deserialize)]
struct Contents {
    /// All records up to this one were looked at.
    through: u64,
    origins: Vec<LastOf>,
}

/// Why it is not known how far other journals' messages are recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OriginsError {
    /// The file can't be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "{}: {source}; without it the whole journal is read, so remove it, unless sessions with messages of other journals were removed since", .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The journal can't be read.
    #[error("{source}: {}", .source.source)]
    Journal {
        /// Which file, and why.
        source: journal::ReadError,
    },
}

/// Returns the file of a journal that says how far other journals' messages are recorded
/// in it.
#[must_use]
pub fn origins_file(dir: &Path) -> PathBuf {
    dir.join("origins.json")
}

/// Tells whether messages of other journals were ever taken.
pub(in crate::control) fn is_there(logs: &Path) -> bool {
    origins_file(logs).exists()
}

/// Reads the file; `None` where there is none.
pub(super) fn read(logs: &Path) -> Result<Option<Kept>, OriginsError> {
    let path = origins_file(logs);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OriginsError::Io { path, source }),
        Ok(text) => text,
    };
    let contents: Contents =
        serde_json::from_slice(&text).map_err(|source| OriginsError::Damaged { path, source })?;
    let last = contents.origins.into_iter();
    Ok(Some(Kept {
        through: contents.through,
        last: last.map(|one| (one.journal.clone(), one)).collect(),
    }))
}

/// Replaces the file.
pub(in crate::control) fn store(logs: &Path, kept: &Kept) -> Result<(), OriginsError> {
    let path = origins_file(logs);
    let contents = Contents {
        through: kept.through,
        origins: kept.last.values().cloned().collect(),
    };
    let stored = serde_json::to_string(&contents)
        .map_err(io::Error::from)
        .and_then(|text| replace(&path, &text))
        .and_then(|()| sync(logs));
    stored.map_err(|source| OriginsError::Io { path, source })
}

/// Returns up to which record of a journal it is known, without that record, how far
/// other journals' messages are recorded; `None` where none ever were. A session may be
/// removed only if it ends there or before.
///
/// # Errors
/// [`OriginsError`] where the file can't be read.
pub fn origins_known_through(dir: &Path) -> Result<Option<u64>, OriginsError> {
    Ok(read(dir)?.map(|kept| kept.through))
}

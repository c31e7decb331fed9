//! Where the index of a session lies, and why one may be of no use.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use journal::raw::plain_path;

const SUFFIX: &str = ".index";
const COLUMNS: &str = ".columns";

/// Returns where the index of a closed session lies, whether there is one or not. That
/// the session is compressed makes no difference.
#[must_use]
pub fn index_path(session: &Path) -> PathBuf {
    with_suffix(&plain_path(session), SUFFIX)
}

/// Returns where the columns of the current session's index lie.
pub(super) fn columns_path(session: &Path) -> PathBuf {
    with_suffix(&index_path(session), COLUMNS)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, Into::into);
    name.push(suffix);
    path.with_file_name(name)
}

/// Why the index of a session is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// There is none.
    #[error("there is none")]
    Missing,
    /// The session is another one, or was changed.
    #[error("the session is not the one that it was made from")]
    OtherSession,
    /// It was written by another version of this program.
    #[error("it is of another version")]
    OtherVersion,
    /// It is no index, or only a part of one, or it was changed.
    #[error("it is damaged")]
    Broken,
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] io::Error),
}

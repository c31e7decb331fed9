//! Which sessions have an index, and where it lies.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use journal::{ReadFile, RealFs, SessionFile, plain_path};

use super::file::Index;
use crate::archives;
use crate::error::Error;

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

/// Whether a session has an index that is used.
#[derive(Debug)]
pub enum IndexState {
    /// It has one.
    Good {
        /// Its length.
        bytes: u64,
        /// Whether it tells of text, too.
        has_text: bool,
    },
    /// It has none, or one that is not used.
    Bad(Unusable),
}

/// Finds out whether a closed session has an index that is used.
#[must_use]
pub fn index_state(session: &Path) -> IndexState {
    let file = match SessionFile::open(&RealFs, session) {
        Ok(file) => file.file(),
        Err(error) => return IndexState::Bad(error.source.into()),
    };
    let checked = open_own(session, file.as_ref()).and_then(|index| index.check().map(|()| index));
    match checked {
        Ok(index) => IndexState::Good {
            bytes: index.bytes(),
            has_text: index.has_text(),
        },
        Err(unusable) => IndexState::Bad(unusable),
    }
}

/// Tells whether a closed session has an index that belongs to it, as far as its time
/// tells. Unlike [`index_state`] it reads neither all of the index nor of the session.
#[must_use]
pub fn has_index(session: &Path) -> bool {
    let file = SessionFile::open(&RealFs, session);
    let index = file.map(|file| Index::open(session, file.file().as_ref()));
    index.is_ok_and(|index| index.is_ok_and(|index| index.has_stamp_of(session)))
}

/// Opens an index that belongs to the session, whatever its time.
fn open_own(session: &Path, file: &dyn ReadFile) -> Result<Index, Unusable> {
    let index = Index::open(session, file)?;
    match index.belongs_to(session, file) {
        true => Ok(index),
        false => Err(Unusable::OtherSession),
    }
}

/// Finds closed sessions by their names, or all of them where none is given.
///
/// # Errors
/// [`Error::NoDirectory`], [`Error::NoArchive`], or [`Error::Read`].
pub fn archive_paths(dir: &Path, names: &[String]) -> Result<Vec<PathBuf>, Error> {
    let archives = match names {
        [] => archives::list(dir)?,
        names => archives::choose_all(dir, names)?,
    };
    // Of what others have packed there is none.
    let readable = archives.into_iter().filter(|archive| {
        !archives::is_packed(&archive.name) || SessionFile::open(&RealFs, &archive.path).is_ok()
    });
    Ok(readable.map(|archive| archive.path).collect())
}

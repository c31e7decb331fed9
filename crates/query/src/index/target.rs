//! Which sessions have an index that belongs to them.

use std::path::{Path, PathBuf};

use journal::raw::{ReadFile, RealFs, SessionFile};

use super::file::Index;
use super::paths::Unusable;
use crate::closed;
use crate::error::Error;
use crate::source::{Indexed, Part, Source};

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
        [] => closed::list(dir)?,
        names => closed::choose_all(dir, names)?,
    };
    // Of what others have packed there is none.
    let readable = archives.into_iter().filter(|archive| {
        !closed::is_packed(&archive.name) || SessionFile::open(&RealFs, &archive.path).is_ok()
    });
    Ok(readable.map(|archive| archive.path).collect())
}

impl Part {
    /// Opens the index, if there is one that belongs to the file as it is read.
    pub(crate) fn index(&self) -> Option<Index> {
        if !self.may_have_index() {
            return None;
        }
        let file = self.open().ok()?;
        if self.indexed == Indexed::Closed && file.size().ok() != Some(self.end) {
            return None;
        }
        let opened = Index::open(&self.path, file.as_ref());
        match opened.and_then(|index| self.own(index, file.as_ref())) {
            Ok(index) => Some(index),
            Err(Unusable::Missing) => None,
            // A session that has just begun has none yet, and the former one's is there.
            Err(Unusable::OtherSession) if self.indexed == Indexed::Current => None,
            Err(unusable) => {
                self.complain(&unusable.to_string());
                None
            }
        }
    }

    /// Returns an index if it belongs to the file as far as that is read.
    fn own(&self, index: Index, file: &dyn ReadFile) -> Result<Index, Unusable> {
        let is_read = index.session_bytes() <= self.end;
        let is_same = || *self.has_content.get_or_init(|| index.has_content_of(file));
        match is_read && (index.has_stamp_of(&self.path) || is_same()) {
            true => Ok(index),
            false => Err(Unusable::OtherSession),
        }
    }
}

impl Source {
    /// Returns how many bytes no index covers: so many have to be read for an answer about
    /// all messages.
    #[must_use]
    pub fn unindexed_bytes(&self) -> u64 {
        let without = |part: &Part| {
            let covered = part.index().map_or(0, |index| index.session_bytes());
            part.end.saturating_sub(covered)
        };
        self.parts.iter().map(without).sum()
    }
}

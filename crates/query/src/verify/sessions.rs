//! The sessions that are checked.

use std::path::{Path, PathBuf};

use super::lines::Lines;
use crate::archives;
use crate::error::Error;
use crate::reading::Reading;
use crate::source;

/// So often the archives are listed again while the broker closes one session
/// after the other.
const TRIES: u32 = 10;

/// A session file, and the means to tell which line something is on.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) reading: Reading,
    pub(crate) lines: Lines,
}

impl Session {
    /// Opens the session being written; a last line without newline is not read.
    pub(crate) fn current(dir: &Path) -> Result<Self, Error> {
        Self::new(Reading::of(source::current_reader(dir)?)?)
    }

    /// Opens a closed session.
    pub(crate) fn closed(path: PathBuf) -> Result<Self, Error> {
        Self::new(Reading::closed(&path)?)
    }

    /// Opens a file that lies anywhere.
    pub(crate) fn file(path: &Path) -> Result<Self, Error> {
        let mut reading = Reading::file(path)?;
        reading.set_closed();
        Self::new(reading)
    }

    fn new(reading: Reading) -> Result<Self, Error> {
        let lines = Lines::open(reading.reader.path())?;
        Ok(Self { reading, lines })
    }
}

/// Finds the closed sessions in order, and opens the one being written.
///
/// None is missed and none stands twice, even if the broker archives meanwhile:
/// the archives are the same before and after the current session was opened.
pub(crate) fn all(dir: &Path) -> Result<(Vec<PathBuf>, Option<Session>), Error> {
    let mut before = paths(dir)?;
    let mut tried = 0;
    loop {
        tried += 1;
        let current = match Session::current(dir) {
            Err(Error::NoSession { archives, .. }) if archives > 0 => None,
            opened => Some(opened?),
        };
        let after = paths(dir)?;
        if before == after || tried == TRIES {
            return Ok((after, current));
        }
        before = after;
    }
}

fn paths(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let archives = archives::list(dir)?.into_iter();
    Ok(archives.map(|archive| archive.path).collect())
}

//! The sessions that are checked.

use std::path::{Path, PathBuf};

use journal::Reader;

use super::lines::CheckedLines;
use crate::error::Error;
use crate::reading::Reading;
use crate::source::{self, All};

/// A session file, and the means to tell which line something is on.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) reading: Reading,
    pub(crate) lines: CheckedLines,
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
        let lines = CheckedLines::open(reading.reader.path())?;
        Ok(Self { reading, lines })
    }
}

/// Finds the closed sessions in order, and opens the one being written.
pub(crate) fn all(dir: &Path) -> Result<(Vec<PathBuf>, Option<Session>), Error> {
    let All { archives, current } = source::all(dir)?;
    let paths = archives.into_iter().map(|archive| archive.path);
    let current = current.map(|file| Session::new(Reading::of(Reader::live(file))?));
    Ok((paths.collect(), current.transpose()?))
}

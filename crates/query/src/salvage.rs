//! Writes what is readable of a damaged session to a new file.

mod output;

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use journal::{Integrity, Item, Record};

use crate::closed;
use crate::error::Error;
use crate::reading::{Reading, rank};
use crate::source;
use output::{Output, refuse_in_journal};

/// Which session is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The one being written.
    Current,
    /// A closed one, by its name with or without `.jsonl`.
    Archive(&'a str),
    /// Any file.
    File(&'a Path),
}

/// What was kept of a session, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// The session's file.
    pub source: PathBuf,
    /// Records kept whose checksum is right.
    pub verified: u64,
    /// Records kept that have no checksum.
    pub unverified: u64,
    /// Records kept whose checksum is wrong.
    pub altered: u64,
    /// Stretches left out, which are no record.
    pub damaged: u64,
    /// The bytes of these stretches.
    pub damaged_bytes: u64,
}

impl Salvaged {
    /// Returns how many records were kept.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.verified + self.unverified + self.altered
    }

    /// Tells whether everything was kept, and nothing of it is altered.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.altered == 0 && self.damaged == 0
    }

    fn count(&mut self, item: &Item<'_>) {
        match item {
            Item::Damage(damage) => {
                self.damaged += 1;
                self.damaged_bytes += damage.length;
            }
            Item::Record(record) => match record.integrity {
                Integrity::Verified => self.verified += 1,
                Integrity::Unverified => self.unverified += 1,
                Integrity::Altered => self.altered += 1,
            },
        }
    }
}

/// Writes each readable record of a session to the new file `to`, byte for byte
/// as it stands, on a line of its own, and reads the result back.
///
/// The session is only read. The new file and its name are on stable storage
/// when this returns. A last line without newline is kept if it is a record.
///
/// # Errors
/// [`Error::Exists`] where there is a file `to`, [`Error::InJournal`] where it
/// would be one of the journal's, [`Error::NotTheSame`] where other records are
/// read back than were written, [`Error::File`] where it can't be written, and
/// the errors of reading the session. What was written is removed then.
pub fn salvage(dir: &Path, from: Origin<'_>, to: &Path) -> Result<Salvaged, Error> {
    let mut session = open(dir, from)?;
    refuse_in_journal(dir, &session.name, to)?;
    session.set_closed();
    let mut out = Output::create(to)?;
    let written = copy(&mut session, &mut out)
        .and_then(|copied| out.sync().map(|()| copied))
        .and_then(|copied| compare(to, copied));
    match written {
        Ok(salvaged) => {
            out.keep();
            Ok(salvaged)
        }
        Err(error) => Err(out.remove(error)),
    }
}

fn open(dir: &Path, from: Origin<'_>) -> Result<Reading, Error> {
    match from {
        Origin::Current => Reading::of(source::current_reader(dir)?),
        Origin::Archive(name) => Reading::closed(&closed::choose(dir, name)?),
        Origin::File(path) => {
            // Opening a pipe would wait for somebody to write to it.
            let metadata = std::fs::metadata(path);
            let metadata = metadata.map_err(|source| Error::file("open", path, source))?;
            if !metadata.is_file() {
                let path = path.to_owned();
                return Err(Error::NotAFile { path });
            }
            Reading::file(path)
        }
    }
}

/// What was written, to be compared with what is read back.
struct Copied {
    salvaged: Salvaged,
    hash: u64,
}

fn copy(session: &mut Reading, out: &mut Output) -> Result<Copied, Error> {
    let mut salvaged = Salvaged {
        source: session.name.clone(),
        ..Salvaged::default()
    };
    let mut hasher = DefaultHasher::new();
    session.each(&mut |item| {
        salvaged.count(&item);
        if let Item::Record(record) = item {
            hash(&record, &mut hasher);
            out.line(record.line)?;
        }
        Ok(())
    })?;
    let hash = hasher.finish();
    Ok(Copied { salvaged, hash })
}

/// Reads the new file, and makes sure that it holds the same records.
fn compare(path: &Path, copied: Copied) -> Result<Salvaged, Error> {
    let mut session = Reading::of(journal::Reader::open(path)?)?;
    session.set_closed();
    let mut found = Salvaged::default();
    let mut hasher = DefaultHasher::new();
    session.each(&mut |item| {
        found.count(&item);
        if let Item::Record(record) = item {
            hash(&record, &mut hasher);
        }
        Ok(())
    })?;
    let is_same = hasher.finish() == copied.hash && found.damaged == 0;
    if !is_same || found.records() != copied.salvaged.records() {
        return Err(Error::NotTheSame {
            path: path.to_owned(),
            written: copied.salvaged.records(),
            found: found.records(),
        });
    }
    Ok(copied.salvaged)
}

fn hash(record: &Record<'_>, hasher: &mut DefaultHasher) {
    hasher.write_u8(rank(record.integrity));
    hasher.write_usize(record.line.len());
    hasher.write(record.line);
}

#[cfg(test)]
mod tests;

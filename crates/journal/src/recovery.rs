//! What opening finds: the state in which the last writer left the files.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use crate::archive::remove_reservations;
use crate::archives::{Unread, look};
use crate::checkpoint::{Checkpoint, DamagedSpan, Findings};
use crate::damage::{Damage, Integrity};
use crate::error::{AtPath, IoError, OpenError, synced};
use crate::fs::{AppendFile, FileSystem, parent_of, sync_dir_if_possible, sync_if_readable};
use crate::head::{Head, Missing};
use crate::operation::Operation;
use crate::options::Options;
use crate::reader::Reader;
use crate::record::Item;
use crate::removed::removed_in;
use crate::session::Layout;
use crate::span::{Span, archived};
use crate::standing::{Jump, Standing};

/// How many findings a report lists; it counts all of them.
const LISTED: usize = 100;

/// What was found when a journal was opened, and what was done about it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// The session file.
    pub session: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// From which offset on the session was read. What is before it is known
    /// from a checkpoint, see `docs/journal-format.md`.
    pub from: u64,
    /// How many records it holds.
    pub records: u64,
    /// How many of them carry no checksum (older recorders, lines made by hand).
    pub unverified: u64,
    /// The number of the session's first record, or of the next one to come.
    pub first: u64,
    /// The number that the next record gets.
    pub next: u64,
    /// How many stretches of damage there are.
    pub damaged: u64,
    /// The first hundred of them.
    pub damage: Vec<Damage>,
    /// How many records do not match their checksum.
    pub altered: u64,
    /// The offsets in bytes of the first hundred of those.
    pub altered_at: Vec<u64>,
    /// What was done about a last line without newline.
    pub tail: Tail,
    /// The journal's identity, a UUID that was made with it.
    pub journal: String,
    /// The numbers of which the files hold no record although they were given.
    /// Numbers of damaged records inside a file are not among them.
    pub missing: Vec<Missing>,
    /// Why the next number does not follow the last record in the files, where
    /// it does not.
    pub jump: Option<Jump>,
    /// Whether the file that remembers how far the numbers had come was there
    /// and could not be read, so that it was made anew.
    pub head_damaged: bool,
    /// The files in the archive directory that are not read.
    pub unread: Vec<Unread>,
    /// When the journal was restored from a copy (a time in UTC), if it was: what came
    /// behind the copy is not in it, although others may have seen it.
    pub restored: Option<String>,
    /// Whether the file system refuses to sync directories. After a power
    /// failure a file may then be under its old name, or under none.
    pub unsynced_names: bool,
}

/// What was done about the session's last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tail {
    /// It ends as it should.
    #[default]
    Whole,
    /// It was a whole record that lacked its newline, and got it.
    Completed,
    /// It was torn, and got a newline so that the next record starts a line of
    /// its own.
    Fenced,
}

impl Recovery {
    /// Tells whether anything was found that somebody should look at.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damaged == 0 && self.altered == 0
    }

    /// Takes over what a checkpoint says.
    fn start_from(&mut self, checkpoint: Checkpoint) {
        let findings = checkpoint.findings;
        self.from = checkpoint.offset;
        self.records = checkpoint.records;
        self.first = checkpoint.first;
        self.unverified = findings.unverified;
        self.damaged = findings.damaged;
        let places = findings.damage.iter();
        self.damage = places.map(|place| place.damage(&self.session)).collect();
        self.altered = findings.altered;
        self.altered_at = findings.altered_at;
    }

    /// Returns what the next checkpoint says of it.
    pub(crate) fn findings(&self) -> Findings {
        Findings {
            unverified: self.unverified,
            damaged: self.damaged,
            damage: self.damage.iter().map(DamagedSpan::of).collect(),
            altered: self.altered,
            altered_at: self.altered_at.clone(),
        }
    }
}

/// Creates the journal's directories where they are missing.
///
/// A name is on stable storage only when the directory that holds it is synced.
/// A writer that was killed may have created them and come no further.
pub(crate) fn create_dirs(fs: &dyn FileSystem, layout: &Layout) -> Result<(), IoError> {
    let archive_dir = layout.archive_dir();
    fs.create_dir_all(&archive_dir)
        .at(Operation::Create, &archive_dir)?;
    match parent_of(layout.dir()) {
        Some(parent) => synced(sync_if_readable(fs, parent), parent),
        None => Ok(()),
    }
}

/// Opens the session file for appending and makes its last line end.
///
/// What is there is synced before anyone relies on it: a writer that was
/// killed may have left bytes that only the kernel's cache holds.
pub(crate) fn open_session(
    fs: &dyn FileSystem,
    layout: &Layout,
) -> Result<(Box<dyn AppendFile>, u64, bool), IoError> {
    let path = layout.current();
    let mut file = fs.open_append(&path).at(Operation::Open, &path)?;
    let mut len = file.size().at(Operation::Measure, &path)?;
    let fenced = fence(fs, file.as_mut(), &path, &mut len)?;
    synced(file.sync(), &path)?;
    synced(sync_dir_if_possible(fs, layout.dir()), layout.dir())?;
    Ok((file, len, fenced))
}

/// Gives a last line without newline one, and tells whether it did.
pub(crate) fn fence(
    fs: &dyn FileSystem,
    file: &mut dyn AppendFile,
    path: &Path,
    len: &mut u64,
) -> Result<bool, IoError> {
    if *len == 0 || last_byte(fs, path, *len)? == Some(b'\n') {
        return Ok(false);
    }
    let newline = [IoSlice::new(b"\n")];
    if file.append(&newline).at(Operation::Append, path)? == 0 {
        return Err(io::ErrorKind::WriteZero.into()).at(Operation::Append, path);
    }
    *len += 1;
    Ok(true)
}

fn last_byte(fs: &dyn FileSystem, path: &Path, len: u64) -> Result<Option<u8>, IoError> {
    let file = fs.open_read(path).at(Operation::Open, path)?;
    let mut byte = [0; 1];
    let count = file.read_at(&mut byte, len - 1).at(Operation::Read, path)?;
    Ok(byte.first().copied().filter(|_| count == 1))
}

/// Reads the session, the archives' ends and the head.
pub(crate) fn survey(
    options: &Options,
    layout: &Layout,
    fenced: bool,
) -> Result<(Recovery, Standing), OpenError> {
    let fs = options.fs.as_ref();
    remove_reservations(fs, layout)?;
    let path = layout.current();
    let mut found = Recovery {
        session: path.clone(),
        ..Recovery::default()
    };
    let checkpoint = Checkpoint::read(fs, layout);
    let last_is_record = read_session(options, checkpoint, &mut found)?;
    if fenced {
        found.tail = if last_is_record {
            Tail::Completed
        } else {
            Tail::Fenced
        };
    }
    let listing = look(fs, layout).map_err(IoError::from)?;
    let archives = listing
        .sessions
        .iter()
        .map(|(name, _)| layout.archive(name));
    let mut spans = archived(fs, archives).map_err(IoError::from)?;
    if found.records > 0 {
        spans.push(Span {
            first: found.first,
            last: found.next.saturating_sub(1),
        });
    }
    // What was removed on purpose is not missing.
    spans.extend(removed_in(fs, layout)?.iter().map(Span::of_removed));
    let known = Head::read(fs, layout)?;
    let standing = Standing::judge(known, spans, options.seen);
    found.next = standing
        .last
        .checked_add(1)
        .filter(|next| *next < u64::MAX / 2)
        .ok_or(OpenError::NumbersExhausted {
            path,
            last: standing.last,
        })?;
    if found.records == 0 {
        found.first = found.next;
    }
    found.unread = listing.unread;
    found.journal.clone_from(&standing.head.journal);
    found.missing.clone_from(&standing.head.missing);
    found.restored.clone_from(&standing.head.restored);
    found.jump = standing.jump;
    found.head_damaged = standing.damaged;
    Ok((found, standing))
}

/// Counts the session's records, from a checkpoint on where there is one; tells whether the last thing in it is one.
fn read_session(
    options: &Options,
    checkpoint: Option<Checkpoint>,
    found: &mut Recovery,
) -> Result<bool, IoError> {
    let mut reader = Reader::open_in(options.fs.as_ref(), &found.session)?;
    let mut last_is_record = false;
    let mut before = 0;
    if let Some(checkpoint) = checkpoint {
        before = checkpoint.last;
        reader.seek(checkpoint.offset, Some(checkpoint.last));
        found.start_from(checkpoint);
        last_is_record = true;
    }
    while let Some(item) = reader.next_item()? {
        last_is_record = matches!(item, Item::Record(_));
        match item {
            Item::Damage(damage) => {
                found.damaged += 1;
                if found.damage.len() < LISTED {
                    found.damage.push(damage);
                }
            }
            Item::Record(record) => {
                if found.records == 0 {
                    found.first = record.number;
                }
                found.records += 1;
                match record.integrity {
                    Integrity::Verified => {}
                    Integrity::Unverified => found.unverified += 1,
                    Integrity::Altered => {
                        found.altered += 1;
                        if found.altered_at.len() < LISTED {
                            found.altered_at.push(record.offset);
                        }
                    }
                }
            }
        }
    }
    found.bytes = reader.offset();
    // What comes behind the checkpoint may be a line that stands twice.
    found.next = reader.highest_number().max(before).saturating_add(1);
    Ok(last_is_record)
}

#[cfg(test)]
mod tests;

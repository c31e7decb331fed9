//! A session read from its beginning to its end, with the whole messages that stand
//! in what the journal takes for damage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::raw::{Checked, ReadFile};
use journal::{Damage, Ending, Integrity, Item, Reader, Reason, Record};

use crate::convert::{self, Converted};
use crate::error::Error;
use crate::pieces;
use crate::source;

/// In longer stretches no messages are looked for.
const LONGEST: u64 = 256 << 20;

/// A session that is read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) reader: Reader,
    /// The file as people know it; the reader's may hold its unpacked lines.
    pub(crate) name: PathBuf,
    file: Arc<dyn ReadFile>,
    /// What was found wrong before any line was read.
    damage: Vec<Damage>,
    _spool: Option<tempfile::NamedTempFile>,
}

impl Reading {
    /// Reads on with what a reader reads.
    pub(crate) fn of(reader: Reader) -> Result<Self, Error> {
        let path = reader.path().to_owned();
        Ok(Self {
            file: source::session_file(&path)?,
            reader,
            name: path,
            damage: Vec::new(),
            _spool: None,
        })
    }

    /// Opens a file, whatever it is.
    pub(crate) fn file(path: &Path) -> Result<Self, Error> {
        if crate::closed::is_compressed(&path.to_string_lossy())
            && let Ok(reader) = Reader::open(path)
        {
            return Self::of(reader);
        }
        let Some(Converted { lines, damage, .. }) = convert::lines_of(path)? else {
            return Self::of(Reader::open(path)?);
        };
        Ok(Self {
            reader: Reader::open(lines.path())?,
            file: source::session_file(lines.path())?,
            name: path.to_owned(),
            damage,
            _spool: Some(lines),
        })
    }

    /// Opens a closed session, which may be packed.
    pub(crate) fn closed(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match crate::closed::is_packed(&name) {
            // The broker may have done it, or somebody else in another way.
            true => Self::file(path),
            false => Self::of(Reader::open(path)?),
        }
    }

    /// Takes a last line without newline for a whole one.
    pub(crate) fn set_closed(&mut self) {
        self.reader.set_ending(Ending::Closed);
    }

    /// Gives each record and each stretch of damage to `see`.
    pub(crate) fn each(
        &mut self,
        see: &mut dyn FnMut(Item<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for damage in std::mem::take(&mut self.damage) {
            see(Item::Damage(damage))?;
        }
        let mut last = 0;
        while let Some(item) = self.reader.next_item()? {
            match item {
                Item::Record(record) => {
                    last = record.number;
                    see(Item::Record(record))?;
                }
                Item::Damage(mut damage) => {
                    damage.path.clone_from(&self.name);
                    damaged(self.file.as_ref(), &damage, &mut last, see)?;
                }
            }
        }
        Ok(())
    }
}

/// Gives the messages in a damaged stretch, and what is left of it.
fn damaged(
    file: &dyn ReadFile,
    damage: &Damage,
    last: &mut u64,
    see: &mut dyn FnMut(Item<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    // What is too long to be held is not looked into.
    let is_short = damage.reason != Reason::TooLong;
    let Some(bytes) = is_short.then(|| read(file, damage)).flatten() else {
        return see(Item::Damage(damage.clone()));
    };
    for piece in pieces::within(&bytes, damage.reason) {
        let offset = damage.offset + piece.range.start as u64;
        let line = bytes.get(piece.range).unwrap_or_default();
        match piece.checked {
            Checked::Record { number, integrity } => {
                *last = number.unwrap_or(*last + 1);
                see(Item::Record(Record {
                    number: *last,
                    offset,
                    line,
                    integrity,
                }))?;
            }
            Checked::Bad(reason) => see(Item::Damage(Damage {
                offset,
                length: line.len() as u64,
                reason,
                ..damage.clone()
            }))?,
        }
    }
    Ok(())
}

fn read(file: &dyn ReadFile, damage: &Damage) -> Option<Vec<u8>> {
    let length = usize::try_from(damage.length).ok();
    let mut bytes = vec![0; length.filter(|_| damage.length <= LONGEST)?];
    file.read_exact_at(&mut bytes, damage.offset).ok()?;
    Some(bytes)
}

/// Tells what a record's checksum says, as a number that does not change.
pub(crate) fn rank(integrity: Integrity) -> u8 {
    match integrity {
        Integrity::Verified => 0,
        Integrity::Unverified => 1,
        Integrity::Altered => 2,
    }
}

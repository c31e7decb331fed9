//! What of the session is already known to be good, so that opening a long one
//! reads only its end.
//!
//! A checkpoint is a hint in a file of its own, safe to delete. It says what the
//! session holds up to some offset, findings included, so that they are reported
//! at every start; and it carries checksums of the bytes before that offset and
//! at the file's start. It is believed only where it is whole and those bytes are
//! there; otherwise the session is read from its start. Whoever reads a record
//! checks it, checkpoint or not.

use std::path::Path;

use crc_fast::crc32_iscsi as crc32c;
use serde::{Deserialize, Serialize};

use crate::damage::{Damage, Reason};
use crate::error::ReadError;
use crate::fs::FileSystem;
use crate::sealed_text;
use crate::session::{Layout, Session};
use crate::session_file::SessionFile;

/// How many bytes at each end of what is vouched for are compared.
const BLOCK: u64 = 4 << 10;
const VERSION: u32 = 1;

/// The state of a session at some offset, at which a line begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    version: u32,
    /// Up to here the session is described, in bytes.
    pub(crate) offset: u64,
    /// The number of the first record.
    pub(crate) first: u64,
    /// The number that a new record must be beyond.
    pub(crate) last: u64,
    pub(crate) records: u64,
    pub(crate) findings: Findings,
    /// The CRC-32C of the first bytes of the file.
    head_crc: u32,
    /// The CRC-32C of the last bytes before the offset.
    tail_crc: u32,
}

/// What was found in a session besides intact records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) unverified: u64,
    pub(crate) damaged: u64,
    pub(crate) damage: Vec<DamagedSpan>,
    pub(crate) altered: u64,
    pub(crate) altered_at: Vec<u64>,
}

/// A stretch of damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DamagedSpan {
    line: Option<u64>,
    offset: u64,
    length: u64,
    reason: Reason,
}

impl DamagedSpan {
    pub(crate) fn of(damage: &Damage) -> Self {
        Self {
            line: damage.line,
            offset: damage.offset,
            length: damage.length,
            reason: damage.reason,
        }
    }

    pub(crate) fn damage(&self, path: &Path) -> Damage {
        Damage {
            path: path.to_owned(),
            line: self.line,
            offset: self.offset,
            length: self.length,
            reason: self.reason,
        }
    }
}

impl Checkpoint {
    /// Describes the session's first `session.bytes`, which must be on stable storage.
    pub(crate) fn of(
        fs: &dyn FileSystem,
        layout: &Layout,
        session: Session,
        last: u64,
        findings: Findings,
    ) -> Result<Self, ReadError> {
        let file = SessionFile::open(fs, &layout.current())?;
        Ok(Self {
            version: VERSION,
            offset: session.bytes,
            first: session.first,
            last,
            records: session.records,
            findings,
            head_crc: head_crc(&file, session.bytes)?,
            tail_crc: tail_crc(&file, session.bytes)?,
        })
    }

    /// Writes it down. A failure costs time at the next start, and nothing else.
    pub(crate) fn write(&self, fs: &dyn FileSystem, layout: &Layout) {
        let Ok(text) = sealed_text::write(self) else {
            return;
        };
        let _hint: std::io::Result<()> = fs.write_hint(&layout.checkpoint(), text.as_bytes());
    }

    /// Reads the checkpoint; `None` where there is none that can be believed.
    pub(crate) fn read(fs: &dyn FileSystem, layout: &Layout) -> Option<Self> {
        let mut text = vec![0; sealed_text::LONGEST];
        let file = SessionFile::open(fs, &layout.checkpoint()).ok()?;
        let length = file.read_full(&mut text, 0).ok()?;
        text.truncate(length);
        let checkpoint = Self::parse(&text)?;
        let session = SessionFile::open(fs, &layout.current()).ok()?;
        let there = session.size().ok()? >= checkpoint.offset
            && head_crc(&session, checkpoint.offset).ok()? == checkpoint.head_crc
            && tail_crc(&session, checkpoint.offset).ok()? == checkpoint.tail_crc;
        there.then_some(checkpoint)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let checkpoint: Self = sealed_text::read(text)?;
        let sound = checkpoint.version == VERSION
            && checkpoint.records > 0
            && checkpoint.first <= checkpoint.last;
        sound.then_some(checkpoint)
    }
}

fn head_crc(file: &SessionFile, offset: u64) -> Result<u32, ReadError> {
    crc(file, 0, offset.min(BLOCK))
}

fn tail_crc(file: &SessionFile, offset: u64) -> Result<u32, ReadError> {
    let length = offset.min(BLOCK);
    crc(file, offset - length, length)
}

fn crc(file: &SessionFile, offset: u64, length: u64) -> Result<u32, ReadError> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact(&mut bytes, offset)?;
    Ok(crc32c(&bytes))
}

#[cfg(test)]
mod tests;

//! What ties an index to its session.

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crc_fast::crc32_iscsi as crc32c;
use journal::ReadFile;

use super::bytes::{Input, Output};

/// So many bytes at a session's end have a checksum in the index.
const TAIL: u64 = 64 << 10;

/// A state of a session's file. A closed session never changes, so that another
/// state means another file, or one that somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) length: u64,
    /// When the file was changed last, in nanoseconds since 1970; 0 where the
    /// system does not tell.
    changed: u64,
    /// CRC-32C of the last 64 KiB.
    tail: u32,
}

impl Binding {
    pub(super) const SIZE: usize = 20;

    pub(super) fn of(path: &Path, file: &dyn ReadFile) -> io::Result<Self> {
        let length = file.size()?;
        let start = length.saturating_sub(TAIL);
        let mut bytes = vec![0; usize::try_from(length - start).unwrap_or(0)];
        read_exact(file, &mut bytes, start)?;
        let changed = fs::metadata(path)?.modified().ok();
        let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let changed = changed.and_then(|time| u64::try_from(time.as_nanos()).ok());
        Ok(Self {
            length,
            changed: changed.unwrap_or(0),
            tail: crc32c(&bytes),
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.put_u64(self.length);
        out.put_u64(self.changed);
        out.put_u32(self.tail);
    }

    pub(super) fn read(input: &mut Input<'_>) -> Option<Self> {
        Some(Self {
            length: input.u64()?,
            changed: input.u64()?,
            tail: input.u32()?,
        })
    }
}

/// Fills `bytes` with what stands at `offset`.
pub(super) fn read_exact(file: &dyn ReadFile, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    let mut filled = 0;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, offset + filled as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(())
}

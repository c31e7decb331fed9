//! What ties an index to its session.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crc_fast::crc32_iscsi as crc32c;
use journal::raw::ReadFile;

use crate::bytes::{Input, Output};

/// How many bytes at the end have a checksum in the index.
const TAIL: u64 = 64 << 10;

/// What an index was made of: a closed session, or the beginning of the one being
/// written, to which more is only ever added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binding {
    /// How many bytes from the beginning are covered.
    pub(super) length: u64,
    /// When a closed session was changed last, or the current one created, in
    /// nanoseconds since 1970; 0 where the system does not tell.
    pub(super) stamp: u64,
    /// CRC-32C of the last 64 KiB of these bytes.
    tail: u32,
}

impl Binding {
    pub(super) const SIZE: usize = 20;

    pub(super) fn of_closed(path: &Path, file: &dyn ReadFile) -> io::Result<Self> {
        let length = file.size()?;
        Self::of(file, length, changed(path)?)
    }

    pub(super) fn of_current(path: &Path, file: &dyn ReadFile, length: u64) -> io::Result<Self> {
        Self::of(file, length, created(path)?)
    }

    fn of(file: &dyn ReadFile, length: u64, stamp: u64) -> io::Result<Self> {
        let start = length.saturating_sub(TAIL);
        let mut bytes = vec![0; usize::try_from(length - start).unwrap_or(0)];
        file.read_exact_at(&mut bytes, start)?;
        Ok(Self {
            length,
            stamp,
            tail: crc32c(&bytes),
        })
    }

    /// Tells whether a file that is long enough has this end at this place.
    pub(super) fn fits(&self, file: &dyn ReadFile) -> io::Result<bool> {
        Ok(Self::of(file, self.length, self.stamp)? == *self)
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.put_u64(self.length);
        out.put_u64(self.stamp);
        out.put_u32(self.tail);
    }

    pub(super) fn read(input: &mut Input<'_>) -> Option<Self> {
        Some(Self {
            length: input.u64()?,
            stamp: input.u64()?,
            tail: input.u32()?,
        })
    }
}

/// When a closed session was changed last.
pub(super) fn changed(path: &Path) -> io::Result<u64> {
    stamp(path, Metadata::modified)
}

/// When the current session was created. Renaming does not change it.
pub(super) fn created(path: &Path) -> io::Result<u64> {
    stamp(path, Metadata::created)
}

fn stamp(path: &Path, of: impl Fn(&Metadata) -> io::Result<SystemTime>) -> io::Result<u64> {
    let time = of(&fs::metadata(path)?).ok();
    let time = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let time = time.and_then(|time| u64::try_from(time.as_nanos()).ok());
    Ok(time.unwrap_or(0))
}

//! Which frames does a compressed file have? What the seek table at its end says.
//!
//! This is Zstandard's seekable format, version 0.1.0 (contrib/seekable_format in the
//! sources of zstd): independent frames, and behind them a skippable frame with the
//! compressed and the plain length of each. Any program that unpacks zstd passes over
//! it.

use std::io;

use crate::fs::ReadFile;

const SKIPPABLE: u32 = 0x184D_2A5E;
const SEEKABLE: u32 = 0x8F92_EAB1;
const HEADER: usize = 8;
const FOOTER: usize = 9;
/// Whether entries have a checksum of their frame's plain bytes. We neither write nor
/// need it: frames carry their own.
const HAS_CHECKSUMS: u8 = 1 << 7;
/// Bits that must be zero, or the table is of another version.
const RESERVED: u8 = 0b0111_1100;
/// A frame's bytes are held while some of them are read.
const LONGEST_FRAME: u32 = 64 << 20;

/// A part of the file that is unpacked by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where it stands in the file.
    pub(crate) at: u64,
    /// How long it is there.
    pub(crate) length: u32,
    /// Where its first byte is in the plain text.
    pub(crate) plain_at: u64,
    /// How long it is when it is unpacked.
    pub(crate) plain_length: u32,
}

impl Frame {
    pub(crate) fn plain_end(&self) -> u64 {
        self.plain_at + u64::from(self.plain_length)
    }
}

/// Writes the table of frames that follow each other from the beginning of the file.
pub(crate) fn write(frames: &[Frame]) -> io::Result<Vec<u8>> {
    let count = u32::try_from(frames.len()).map_err(io::Error::other)?;
    let size = u32::try_from(frames.len() * 8 + FOOTER).map_err(io::Error::other)?;
    let mut table = Vec::new();
    table.extend_from_slice(&SKIPPABLE.to_le_bytes());
    table.extend_from_slice(&size.to_le_bytes());
    for frame in frames {
        table.extend_from_slice(&frame.length.to_le_bytes());
        table.extend_from_slice(&frame.plain_length.to_le_bytes());
    }
    table.extend_from_slice(&count.to_le_bytes());
    table.push(0);
    table.extend_from_slice(&SEEKABLE.to_le_bytes());
    Ok(table)
}

/// Reads the table of a file.
pub(crate) fn read(file: &dyn ReadFile) -> io::Result<Vec<Frame>> {
    let size = file.size()?;
    let mut footer = [0; FOOTER];
    let footer_at = size.checked_sub(FOOTER as u64).ok_or_else(no_table)?;
    file.read_exact_at(&mut footer, footer_at)?;
    let [a, b, c, d, descriptor, magic @ ..] = footer;
    if u32::from_le_bytes(magic) != SEEKABLE || descriptor & RESERVED != 0 {
        return Err(no_table());
    }
    let count = u64::from(u32::from_le_bytes([a, b, c, d]));
    let entry = if descriptor & HAS_CHECKSUMS == 0 {
        8
    } else {
        12
    };
    // The table can't be longer than the file, whatever it says.
    let length = (count * entry + (HEADER + FOOTER) as u64).min(size);
    let mut table = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    let table_at = size - length;
    file.read_exact_at(&mut table, table_at)?;
    let (magic, rest) = number(&table).ok_or_else(no_table)?;
    let (frame_size, mut rest) = number(rest).ok_or_else(no_table)?;
    if magic != SKIPPABLE || u64::from(frame_size) != length - HEADER as u64 {
        return Err(no_table());
    }
    let (mut frames, mut at, mut plain_at) = (Vec::new(), 0, 0);
    for _ in 0..count {
        let (length, behind) = number(rest).ok_or_else(no_table)?;
        let (plain_length, behind) = number(behind).ok_or_else(no_table)?;
        rest = behind
            .get(usize::from(entry == 12) * 4..)
            .unwrap_or_default();
        if plain_length > LONGEST_FRAME {
            return Err(no_table());
        }
        frames.push(Frame {
            at,
            length,
            plain_at,
            plain_length,
        });
        at += u64::from(length);
        plain_at += u64::from(plain_length);
    }
    match at == table_at {
        true => Ok(frames),
        false => Err(no_table()),
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn no_table() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "it has no seek table, so it can't be read from the middle",
    )
}

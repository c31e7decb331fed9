//! The first bytes of an index: what it is, and what it belongs to.

use super::binding::Binding;

use crate::bytes::{Input, Output, Span};
use crc_fast::crc32_iscsi as crc32c;

/// No text begins so, and a copy through a text mode changes it.
const MAGIC: [u8; 8] = *b"\x89SIDX\r\n\x1a";
/// Every change of the layout, and of what is counted, is a new version.
pub(super) const VERSION: u32 = 3;

/// The header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) binding: Binding,
    /// How long the index itself is.
    pub(super) length: u64,
    /// How many bytes of columns are in a file of their own; 0 where they are in this.
    pub(super) apart: u64,
    pub(super) directory: Span,
    /// The checksum of everything behind the header; that of each piece is enough
    /// to read it.
    pub(super) body: u32,
}

/// Why a header is not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Of another version of this program.
    Version,
    /// No index, or not a whole one.
    Broken,
}

impl Header {
    /// Magic, version, binding, length, apart, directory, body, and the checksum of all these.
    pub(super) const SIZE: usize = 8 + 4 + Binding::SIZE + 8 + 8 + Span::SIZE + 4 + 4;

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.put_u32(VERSION);
        self.binding.put(&mut out);
        out.put_u64(self.length);
        out.put_u64(self.apart);
        self.directory.put(&mut out);
        out.put_u32(self.body);
        let crc = crc32c(&out);
        out.put_u32(crc);
        out
    }

    pub(super) fn read(bytes: &[u8; Self::SIZE]) -> Result<Self, Wrong> {
        let mut input = Input(bytes);
        let is_index = input.take(MAGIC.len()) == Some(&MAGIC[..]);
        let version = input.u32().filter(|_| is_index).ok_or(Wrong::Broken)?;
        if version != VERSION {
            return Err(Wrong::Version);
        }
        Self::fields(input, bytes).ok_or(Wrong::Broken)
    }

    fn fields(mut input: Input<'_>, bytes: &[u8]) -> Option<Self> {
        let header = Self {
            binding: Binding::read(&mut input)?,
            length: input.u64()?,
            apart: input.u64()?,
            directory: Span::read(&mut input)?,
            body: input.u32()?,
        };
        let summed = bytes.get(..bytes.len() - input.0.len())?;
        (input.u32()? == crc32c(summed)).then_some(header)
    }
}

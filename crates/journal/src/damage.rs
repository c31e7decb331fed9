//! What was found wrong with a file: values that a library returns and a
//! program prints.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A stretch of a file that holds no readable record.
///
/// It is skipped, never changed, and the records around it are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// The line in the file, from 1; `None` where reading began in the middle.
    pub line: Option<u64>,
    /// Where the stretch begins, in bytes from the start of the file.
    pub offset: u64,
    /// How long the stretch is, in bytes, without the newline.
    pub length: u64,
    /// What is wrong with it.
    pub reason: Reason,
}

/// Why a stretch of a file is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// The line has no end: a write that was cut off, or one still under way.
    Torn,
    /// Bytes of zero, as a file system leaves where data never arrived.
    Nul,
    /// Bytes that are no UTF-8.
    NotUtf8,
    /// Text that is no JSON, among it the torn half of a record.
    NotJson,
    /// JSON, but no object.
    NotAnObject,
    /// A line beyond the reader's limit.
    TooLong,
    /// Packed bytes that cannot be unpacked.
    Packed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Torn => "the line has no end",
            Self::Nul => "NUL bytes",
            Self::NotUtf8 => "not UTF-8",
            Self::NotJson => "not JSON",
            Self::NotAnObject => "JSON, but not an object",
            Self::TooLong => "longer than the line limit",
            Self::Packed => "packed bytes that cannot be unpacked",
        })
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ": line {line}")?;
        }
        let Self {
            offset,
            length,
            reason,
            ..
        } = self;
        write!(f, ": {length} bytes at offset {offset}: {reason}")
    }
}

/// How far a record's own checksum vouches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Integrity {
    /// The checksum is there and right.
    Verified,
    /// There is no checksum: an older recorder's line, or one made by hand.
    Unverified,
    /// The line parses, but its checksum is wrong or spoilt: somebody edited it,
    /// or a few bits changed.
    Altered,
}

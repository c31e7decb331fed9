//! What do readers give out? Records, borrowed or owned, and whatever is none.

use serde::de::DeserializeOwned;

use crate::damage::{Damage, Integrity};
use crate::error::ReadError;

/// One record of a journal, borrowed from the reader's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number; lines without one of their own count on from the line before.
    pub number: u64,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// The line, without its newline.
    pub line: &'a [u8],
    /// What its checksum says.
    pub integrity: Integrity,
}

/// One record of a journal, with its own copy of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number; lines without one of their own count on from the line before.
    pub number: u64,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// The line, without its newline.
    pub bytes: Vec<u8>,
    /// What its checksum says.
    pub integrity: Integrity,
}

impl Line {
    /// Reads the record back into a value; members that the value does not
    /// have, such as `message_num` and `crc`, are passed over.
    ///
    /// # Errors
    /// Whatever serde_json says of a line that is no such value.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.bytes)
    }
}

/// What a reader comes upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record.
    Record(Record<'a>),
    /// Bytes that are none. Reading goes on behind them.
    Damage(Damage),
}

impl Item<'_> {
    /// Copies a record's line, for iterators.
    pub(crate) fn into_owned(self) -> Result<Line, Problem> {
        match self {
            Self::Record(record) => Ok(Line {
                number: record.number,
                offset: record.offset,
                bytes: record.line.to_vec(),
                integrity: record.integrity,
            }),
            Self::Damage(damage) => Err(Problem::Damage(damage)),
        }
    }
}

/// What an iterator over records comes upon that is no record.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Bytes that are no record; the iterator goes on behind them.
    #[error("damage: {0}")]
    Damage(Damage),
    /// The file could not be read; the iterator ends.
    #[error(transparent)]
    Io(#[from] ReadError),
}

/// What a last line without newline is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A line that is still being written: reading ends before it.
    Live,
    /// A line that was cut off: a record if it is whole, and damage if not.
    Closed,
}

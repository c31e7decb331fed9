//! What does a physical line hold? Records and damage, each with its place.
//!
//! Reading forwards and backwards find their lines in different ways, and sort
//! them here in the same way.

use std::collections::VecDeque;
use std::path::Path;

use crate::damage::{Damage, Reason};
use crate::line::{Checked, sort_line};

/// What stands between two newlines of a file.
#[derive(Debug)]
pub(crate) enum PhysicalLine<'a> {
    /// A line in memory.
    Held {
        offset: u64,
        bytes: &'a [u8],
        /// Whether a newline follows it.
        ended: bool,
    },
    /// A line beyond the limit, which was passed over.
    TooLong { offset: u64, length: u64 },
}

impl PhysicalLine<'_> {
    /// Adds what the line holds; nothing for a blank one.
    pub(crate) fn sort_into(self, pending: &mut VecDeque<Stretch>) {
        match self {
            Self::Held {
                offset,
                bytes,
                ended,
            } => {
                let pieces = sort_line(bytes, ended).into_iter();
                pending.extend(pieces.map(|piece| Stretch {
                    offset: offset + piece.range.start as u64,
                    length: piece.range.len() as u64,
                    checked: piece.checked,
                }));
            }
            Self::TooLong { offset, length } => pending.push_back(Stretch {
                offset,
                length,
                checked: Checked::Bad(Reason::TooLong),
            }),
        }
    }
}

/// A part of a line, or all of it: one record or one stretch of damage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// Where it begins, in bytes from the start of the file.
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) checked: Checked,
}

impl Stretch {
    /// Returns its bytes, from a buffer that holds the file's bytes from `base` on.
    pub(crate) fn bytes_in<'a>(&self, buffer: &'a [u8], base: u64) -> &'a [u8] {
        let at = |offset: u64| usize::try_from(offset.checked_sub(base)?).ok();
        let range = at(self.offset).zip(at(self.offset + self.length));
        range
            .and_then(|(start, end)| buffer.get(start..end))
            .unwrap_or_default()
    }

    /// Reports it as damage.
    pub(crate) fn damage(&self, path: &Path, line: Option<u64>, reason: Reason) -> Damage {
        Damage {
            path: path.to_owned(),
            line,
            offset: self.offset,
            length: self.length,
            reason,
        }
    }
}

//! Finds a record by its number, or by whatever grows with it, in a file of any size.

use std::path::Path;

use crate::damage::Integrity;
use crate::error::ReadError;
use crate::fs::FileSystem;
use crate::reader::Reader;
use crate::record::{Item, Record};

/// Below this many bytes reading on is cheaper than halving.
const SMALL: u64 = 64 << 10;
/// So far is read in search of a verified record. Under test it is little, so that lines
/// are longer.
const FARTHEST: u64 = if cfg!(test) { 8 << 10 } else { 1 << 20 };

/// Opens a session before the first record whose number is `target` or more,
/// reading at most a few hundred KiB of a well-kept file.
///
/// # Errors
/// [`ReadError`] where the file can't be opened or read.
pub fn open_at(fs: &dyn FileSystem, path: &Path, target: u64) -> Result<Reader, ReadError> {
    let mut reader = Reader::open_in(fs, path)?;
    reader.seek_number(target)?;
    Ok(reader)
}

impl Reader {
    /// Goes to the first record whose number is `target` or more, reading at
    /// most a few hundred KiB of a well-kept file.
    ///
    /// Numbers only grow, so the file is halved again and again, see
    /// [`bracket`](Self::bracket). Lines without a number, such as those of
    /// older recorders, are counted from the start of the file.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub fn seek_number(&mut self, target: u64) -> Result<(), ReadError> {
        let is_before = &mut |record: &Record<'_>| Some(record.number < target);
        let Bracket { start, last, .. } = self.bracket(SMALL, is_before)?;
        self.seek(start, Some(last));
        self.skip_below(target)
    }

    /// Halves the file until the places between which something begins are no more than
    /// `near` bytes apart, or nothing is known of the records between them.
    ///
    /// `is_before` tells of a record whether it stands before what is looked for, if it
    /// can tell. Only records with a right checksum are asked. What is looked for has to
    /// grow from record to record; where it does not, some place comes out at which it is
    /// passed. Where the reader stands afterwards is not said:
    /// [`seek`](Self::seek) goes to the start of what was found.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub fn bracket(
        &mut self,
        near: u64,
        is_before: &mut dyn FnMut(&Record<'_>) -> Option<bool>,
    ) -> Result<Bracket, ReadError> {
        let mut found = Bracket {
            start: 0,
            last: 0,
            end: self.end()?,
        };
        // One byte has no middle.
        let near = near.max(1);
        let mut high = found.end;
        while high.saturating_sub(found.start) > near {
            let middle = found.start + (high - found.start) / 2;
            self.seek_line_from(middle)?;
            // From the line on that is found there: the one in the middle may be longer.
            let farthest = high.min(self.offset().saturating_add(FARTHEST));
            match next_side(self, farthest, is_before)? {
                Some(side) if side.is_before => {
                    (found.start, found.last) = (side.offset, side.number.saturating_sub(1));
                }
                Some(side) => (found.end, high) = (side.offset, middle),
                None => high = middle,
            }
        }
        Ok(found)
    }
}

/// Two places in a file, between which something begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    /// Where the last record begins that is known to stand before it; 0 where none is.
    pub start: u64,
    /// The number before that record.
    pub last: u64,
    /// Where the first record begins that is known not to; the file's end where none is.
    pub end: u64,
}

/// A record, and on which side of what is looked for it stands.
struct Side {
    offset: u64,
    number: u64,
    is_before: bool,
}

/// Finds the next record that begins before `high`, whose number is its own, and that
/// tells on which side it stands.
fn next_side(
    reader: &mut Reader,
    high: u64,
    is_before: &mut dyn FnMut(&Record<'_>) -> Option<bool>,
) -> Result<Option<Side>, ReadError> {
    while let Some(item) = reader.next_item()? {
        match item {
            Item::Record(record) if record.offset >= high => return Ok(None),
            Item::Record(record) if record.integrity == Integrity::Verified => {
                if let Some(is_before) = is_before(&record) {
                    return Ok(Some(Side {
                        offset: record.offset,
                        number: record.number,
                        is_before,
                    }));
                }
            }
            Item::Damage(damage) if damage.offset >= high => return Ok(None),
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;

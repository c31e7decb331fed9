//! Finds a record by its number in a file of any size.

use std::path::Path;

use crate::damage::Integrity;
use crate::error::ReadError;
use crate::fs::FileSystem;
use crate::reader::Reader;
use crate::record::Item;

/// Below this many bytes reading on is cheaper than halving.
const SMALL: u64 = 64 << 10;

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
    /// Numbers only grow, so the file is halved again and again. Only records
    /// with a right checksum steer it: lines without a number, such as those of
    /// older recorders, are counted from the start of the file.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be read.
    pub fn seek_number(&mut self, target: u64) -> Result<(), ReadError> {
        let (mut low, mut high) = (Mark { offset: 0, last: 0 }, self.end()?);
        while high.saturating_sub(low.offset) > SMALL {
            let middle = low.offset + (high - low.offset) / 2;
            self.seek_line_from(middle)?;
            match next_verified(self, high)? {
                Some(mark) if mark.last < target.saturating_sub(1) => low = mark,
                _ => high = middle,
            }
        }
        self.seek(low.offset, Some(low.last));
        self.skip_below(target)
    }
}

/// A place at which a record begins, and the number before that record.
#[derive(Debug, Clone, Copy)]
struct Mark {
    offset: u64,
    last: u64,
}

/// Finds the next record that begins before `high` and whose number is its own.
fn next_verified(reader: &mut Reader, high: u64) -> Result<Option<Mark>, ReadError> {
    while let Some(item) = reader.next_item()? {
        match item {
            Item::Record(record) if record.offset >= high => return Ok(None),
            Item::Record(record) if record.integrity == Integrity::Verified => {
                let last = record.number.saturating_sub(1);
                return Ok(Some(Mark {
                    offset: record.offset,
                    last,
                }));
            }
            Item::Damage(damage) if damage.offset >= high => return Ok(None),
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;

//! Where a file ends that somebody may be writing.

use std::ops::Range;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use journal::raw::{Checked, ReadFile};

use super::handle::{read_at, read_exact};
use crate::error::Error;

/// Between two sessions there is none for a moment, and of a line that is being
/// written there may be half for a moment: this often, and this far apart, such
/// things are looked at again.
pub(super) const TRIES: u32 = 10;
pub(super) const PAUSE: Duration = Duration::from_millis(20);
/// So much is read at once in search of the last newline.
const PIECE: u64 = 64 << 10;

/// Finds the offset up to which the file is read: behind its last newline, or
/// behind what follows that if nobody goes on with it.
///
/// A group of lines is written at once, so that half of a line is seen for a
/// moment only, unless the writer was killed.
pub(super) fn settle(file: &dyn ReadFile, path: &Path, end: u64) -> Result<u64, Error> {
    let last = last_line(file, path, end)?;
    if last == end || is_whole(file, path, last..end)? {
        return Ok(end);
    }
    for _ in 0..TRIES {
        sleep(PAUSE);
        if has_newline(file, path, last)? {
            return Ok(last);
        }
    }
    Ok(end)
}

/// Finds where the line begins that has no newline; the end where all have one.
fn last_line(file: &dyn ReadFile, path: &Path, mut end: u64) -> Result<u64, Error> {
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let mut piece = vec![0; usize::try_from(end - start).unwrap_or(0)];
        read_exact(file, path, &mut piece, start)?;
        if let Some(at) = memchr::memrchr(b'\n', &piece) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Tells whether all of the line is records that only lack a newline.
fn is_whole(file: &dyn ReadFile, path: &Path, line: Range<u64>) -> Result<bool, Error> {
    let length = usize::try_from(line.end - line.start).unwrap_or(usize::MAX);
    if length > journal::DEFAULT_MAX_LINE {
        return Ok(false);
    }
    let mut bytes = vec![0; length];
    read_exact(file, path, &mut bytes, line.start)?;
    let pieces = journal::raw::sort_line(&bytes, false);
    let is_record = |piece: &journal::raw::Piece| matches!(piece.checked, Checked::Record { .. });
    Ok(pieces.iter().all(is_record))
}

/// Tells whether a line has an end by now.
fn has_newline(file: &dyn ReadFile, path: &Path, start: u64) -> Result<bool, Error> {
    let mut piece = vec![0; usize::try_from(PIECE).unwrap_or(0)];
    let mut at = start;
    loop {
        let count = read_at(file, path, &mut piece, at)?;
        let read = piece.get(..count).unwrap_or_default();
        if count == 0 || memchr::memchr(b'\n', read).is_some() {
            return Ok(count > 0);
        }
        at += count as u64;
    }
}

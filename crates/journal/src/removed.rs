//! Which closed sessions were removed on purpose?

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::IoError;
use crate::fs::{FileSystem, RealFs};
use crate::sealed_text;
use crate::session::Layout;
use crate::session_file::SessionFile;

/// How long the history may get; a removal takes some 200 bytes.
const LONGEST: u64 = 64 << 20;

/// A closed session that was removed on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Its name, such as `session_20251120_143022.jsonl`.
    pub session: String,
    /// The number of its first record.
    pub first: u64,
    /// The number of its last record.
    pub last: u64,
    /// How many bytes it took on the disk.
    pub bytes: u64,
    /// When it was removed: a time in UTC (RFC 3339).
    pub removed_at: String,
    /// Why, in words.
    pub reason: String,
}

/// Lists the closed sessions of a journal's directory that were removed on purpose, in
/// the order in which they were.
///
/// # Errors
/// [`IoError`] where the history can't be read.
pub fn removed_sessions(dir: impl AsRef<Path>) -> Result<Vec<Removed>, IoError> {
    removed_in(&RealFs, &Layout::new(dir))
}

pub(crate) fn removed_in(fs: &dyn FileSystem, layout: &Layout) -> Result<Vec<Removed>, IoError> {
    let path = layout.removed();
    let file = match SessionFile::open(fs, &path) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        opened => opened?,
    };
    let length = usize::try_from(file.size()?.min(LONGEST)).unwrap_or(0);
    let mut text = vec![0; length];
    let filled = file.read_full(&mut text, 0)?;
    text.truncate(filled);
    Ok(each_once(sealed_text::read_all(&text)))
}

/// A removal that was interrupted is written down again when it is repeated: the last time
/// counts.
fn each_once(noted: Vec<Removed>) -> Vec<Removed> {
    let mut removed: Vec<Removed> = Vec::with_capacity(noted.len());
    for one in noted {
        let is_same = |known: &Removed| {
            (&known.session, known.first, known.last) == (&one.session, one.first, one.last)
        };
        // It is repeated before anything else is removed.
        removed.pop_if(|known| is_same(known));
        removed.push(one);
    }
    removed
}

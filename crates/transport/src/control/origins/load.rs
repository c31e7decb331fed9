//! How far other journals' messages are recorded, read back from the journal.

use std::path::Path;

use memchr::memmem;
use message::Record;
use protocol::LastOf;

use super::super::newest::newest_first;
use super::{Kept, OriginsError, file};

/// Only such records are looked at closely.
const MARK: &[u8] = br#","origin":{"journal":""#;
/// How far from the line's end the mark is at most.
const END: usize = 1024;

/// Reads what is stored, and the records behind it up to, but not including, `next`.
/// Then it is stored again, so that whoever removes sessions knows that there is
/// something to be kept.
pub(in crate::control) fn load(dir: &Path, next: u64) -> Result<Kept, OriginsError> {
    let stored = file::read(dir)?;
    let is_new = stored.is_none();
    let mut kept = stored.unwrap_or_default();
    let mut found = Kept::default();
    let scanned = newest_first(dir, kept.through + 1, next, |number, line| {
        if let Some(last) = of_another(number, line) {
            found.last.entry(last.journal.clone()).or_insert(last);
        }
    });
    scanned.map_err(|source| OriginsError::Journal { source })?;
    kept.last.append(&mut found.last);
    let last = next.saturating_sub(1);
    if is_new || kept.through != last {
        kept.through = last;
        file::store(dir, &kept)?;
    }
    Ok(kept)
}

fn of_another(number: u64, line: &[u8]) -> Option<LastOf> {
    let end = line.get(line.len().saturating_sub(END)..)?;
    memmem::find(end, MARK)?;
    let other = Record::parse_fields(line).ok()?.provenance?;
    Some(LastOf {
        journal: other.journal.into_owned(),
        name: other.name.into_owned(),
        message_num: other.message_num,
        recorded_as: number,
    })
}

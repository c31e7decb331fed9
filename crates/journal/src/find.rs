//! Finds one record among all sessions of a journal.

use std::path::Path;

use crate::error::ReadError;
use crate::fs::RealFs;
use crate::record::{Item, Line};
use crate::sessions::Sessions;

/// What is found under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The record.
    Record(Line),
    /// None that can be read.
    Absent {
        /// The number of the next record that is there.
        next: Option<u64>,
    },
}

/// Finds the record with a number in the archives or the current session of a
/// journal's directory, reading little of it.
///
/// # Errors
/// [`ReadError`] where a file can't be read.
pub fn find_record(dir: impl AsRef<Path>, number: u64) -> Result<Lookup, ReadError> {
    let sessions = Sessions::of(dir).all()?.holding()?;
    let behind = sessions.partition_point(|session| session.place.first <= number);
    let mut next = sessions.get(behind).map(|session| session.place.first);
    // After a failed fsync a record may stand in two files, and lines without a
    // number count from 1 in each of them.
    const LIKELY: usize = 2;
    for session in sessions.into_iter().take(behind).rev().take(LIKELY) {
        let mut reader = session.reader(&RealFs)?;
        reader.seek_number(number)?;
        while let Some(item) = reader.next_item()? {
            let Item::Record(record) = item else { continue };
            if record.number == number {
                return Ok(Lookup::Record(Line {
                    number,
                    offset: record.offset,
                    bytes: record.line.to_vec(),
                    integrity: record.integrity,
                }));
            }
            if record.number > number {
                next = Some(next.map_or(record.number, |next| next.min(record.number)));
                break;
            }
        }
    }
    Ok(Lookup::Absent { next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;

    #[test]
    fn a_record_is_found_wherever_it_is_and_so_is_what_comes_behind_a_missing_one() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(dir.path()).unwrap();
        let mut archives = Vec::new();
        for _ in 0..3 {
            journal
                .append_all(&[serde_json::json!({}), serde_json::json!({})])
                .unwrap();
            archives.push(journal.archive(None).unwrap().unwrap().path);
        }
        journal.append(&serde_json::json!({"a": 7})).unwrap();
        let find = |number| find_record(dir.path(), number).unwrap();
        for number in 1..=7 {
            assert!(matches!(find(number), Lookup::Record(line) if line.number == number));
        }
        assert_eq!(find(8), Lookup::Absent { next: None });
        std::fs::remove_file(&archives[1]).unwrap();
        assert_eq!(find(3), Lookup::Absent { next: Some(5) });
        assert_eq!(find(4), Lookup::Absent { next: Some(5) });
        assert_eq!(find(0), Lookup::Absent { next: Some(1) });
    }
}

//! What was found wrong on the way through a file.

use std::path::{Path, PathBuf};

use journal::{Damage, Integrity, Record};

/// How many places are kept of each kind; the rest is only counted.
const PLACES: usize = 10;

/// Damaged stretches and altered records of what was read: how many there are,
/// and where the first ones stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many stretches hold no record.
    pub damaged: u64,
    /// The first of them.
    pub damage: Vec<Damage>,
    /// How many records have a checksum that does not fit.
    pub altered: u64,
    /// The first of them.
    pub alterations: Vec<Alteration>,
}

/// A record that was changed after it had been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alteration {
    /// The file.
    pub path: PathBuf,
    /// The record's number.
    pub number: u64,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u64,
}

impl Findings {
    /// Tells whether everything was as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.damaged == 0 && self.altered == 0
    }

    pub(crate) fn add_damage(&mut self, damage: Damage) {
        self.damaged += 1;
        if self.damage.len() < PLACES {
            self.damage.push(damage);
        }
    }

    /// Notes the record if it was altered.
    pub(crate) fn check(&mut self, record: &Record<'_>, path: &Path) {
        if record.integrity != Integrity::Altered {
            return;
        }
        self.altered += 1;
        if self.alterations.len() < PLACES {
            self.alterations.push(Alteration {
                path: path.to_owned(),
                number: record.number,
                offset: record.offset,
                length: record.line.len() as u64,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use journal::Reason;

    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_kept() {
        let mut findings = Findings::default();
        assert!(findings.is_empty());
        for offset in 0..25 {
            findings.add_damage(Damage {
                path: "f".into(),
                line: None,
                offset,
                length: 1,
                reason: Reason::NotJson,
            });
            let integrity = Integrity::Altered;
            let record = Record {
                number: offset + 1,
                offset,
                line: b"{}",
                integrity,
            };
            findings.check(&record, Path::new("f"));
        }
        assert_eq!((findings.damaged, findings.altered), (25, 25));
        let kept: Vec<u64> = findings.damage.iter().map(|damage| damage.offset).collect();
        assert_eq!(kept, (0..10).collect::<Vec<_>>());
        assert_eq!(findings.alterations.len(), 10);
        assert_eq!(findings.alterations[9].number, 10);
    }

    #[test]
    fn records_with_a_right_checksum_or_none_are_no_finding() {
        let mut findings = Findings::default();
        for integrity in [Integrity::Verified, Integrity::Unverified] {
            let record = Record {
                number: 1,
                offset: 0,
                line: b"{}",
                integrity,
            };
            findings.check(&record, Path::new("f"));
        }
        assert!(findings.is_empty());
    }
}

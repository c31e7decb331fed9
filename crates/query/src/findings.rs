//! What was found wrong on the way through a file.

use std::path::PathBuf;

use journal::Damage;

/// How many places are kept of each kind; the rest is only counted.
pub(crate) const PLACES: usize = 10;

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
    /// What else whoever reads should know, a sentence each.
    pub notes: Vec<String>,
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
        self.damaged == 0 && self.altered == 0 && self.notes.is_empty()
    }

    /// Adds what was found behind it.
    pub(crate) fn append(&mut self, behind: Self) {
        self.damaged += behind.damaged;
        self.damage.extend(behind.damage);
        self.damage.truncate(PLACES);
        self.altered += behind.altered;
        self.alterations.extend(behind.alterations);
        self.alterations.truncate(PLACES);
        self.notes.extend(behind.notes);
        self.notes.truncate(PLACES);
    }

    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < PLACES {
            self.notes.push(note);
        }
    }

    pub(crate) fn add_damage(&mut self, damage: Damage) {
        self.damaged += 1;
        if self.damage.len() < PLACES {
            self.damage.push(damage);
        }
    }

    /// Tells whether there is room for one more place of an altered record.
    pub(crate) fn has_room_for_alterations(&self) -> bool {
        self.alterations.len() < PLACES
    }

    /// Notes where an altered record stands, which is counted already.
    pub(crate) fn add_alteration(&mut self, make: impl FnOnce() -> Alteration) {
        if self.has_room_for_alterations() {
            self.alterations.push(make());
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
            findings.altered += 1;
            findings.add_alteration(|| Alteration {
                path: "f".into(),
                number: offset + 1,
                offset,
                length: 2,
            });
        }
        assert_eq!((findings.damaged, findings.altered), (25, 25));
        let kept: Vec<u64> = findings.damage.iter().map(|damage| damage.offset).collect();
        assert_eq!(kept, (0..10).collect::<Vec<_>>());
        assert_eq!(findings.alterations.len(), 10);
        assert_eq!(findings.alterations[9].number, 10);
    }

    #[test]
    fn what_was_found_behind_comes_behind() {
        let found = |range: std::ops::Range<u64>| {
            let mut findings = Findings::default();
            for offset in range {
                findings.altered += 1;
                findings.add_alteration(|| Alteration {
                    path: "f".into(),
                    number: offset,
                    offset,
                    length: 2,
                });
            }
            findings
        };
        let mut findings = found(0..7);
        findings.append(found(7..15));
        assert_eq!(findings.altered, 15);
        let kept: Vec<u64> = findings.alterations.iter().map(|at| at.offset).collect();
        assert_eq!(kept, (0..10).collect::<Vec<_>>());
    }
}

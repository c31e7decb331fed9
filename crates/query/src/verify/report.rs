//! What a check of sessions comes upon.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use journal::{Inventory, Reason};

/// How many ranges of missing numbers are kept for the summary.
const RANGES: usize = 20;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: PathBuf,
    /// The line in the file, from 1, where it is known.
    pub line: Option<u64>,
    /// Where it begins, in bytes from the start of the file.
    pub offset: u64,
    /// How long it is, in bytes, without the newline.
    pub length: u64,
}

/// Something that is not as it was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stretch or the record; of missing numbers, the record behind them.
    pub at: Location,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong at some place of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are no record.
    Damaged(Reason),
    /// The record's checksum is wrong or spoilt.
    Altered {
        /// The record's number, as far as it can be believed.
        number: u64,
    },
    /// No message can be made of the record.
    Undecodable {
        /// The record's number.
        number: u64,
        /// What stands in the way.
        reason: message::DecodeError,
    },
    /// No record has these numbers.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// An earlier record has the same number.
    Repeated {
        /// That number.
        number: u64,
    },
    /// The record's number is below that of the record before it.
    OutOfOrder {
        /// The record's number.
        number: u64,
        /// The number of the record before it.
        after: u64,
    },
}

/// What a check has looked at, and how much of what it has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Session files.
    pub files: u64,
    /// Their bytes, as far as they were checked.
    pub bytes: u64,
    /// Bytes of a last line that somebody may still be writing.
    pub unfinished: u64,
    /// Readable records.
    pub records: u64,
    /// Records whose checksum is right.
    pub verified: u64,
    /// Records without a checksum, as older recorders wrote them.
    pub unverified: u64,
    /// Records whose checksum is wrong.
    pub altered: u64,
    /// Records of which no message can be made.
    pub undecodable: u64,
    /// Stretches that are no record.
    pub damaged: u64,
    /// The bytes of these stretches.
    pub damaged_bytes: u64,
    /// Ranges of numbers that no record has.
    pub gaps: u64,
    /// The numbers in these ranges.
    pub missing: u64,
    /// The first of these ranges.
    pub ranges: Vec<RangeInclusive<u64>>,
    /// Records whose number an earlier one has.
    pub repeats: u64,
    /// Records whose number is below that of the one before.
    pub out_of_order: u64,
    /// Where all sessions were checked: what the journal knows to be missing,
    /// and which files are not read.
    pub inventory: Inventory,
}

impl Report {
    /// Tells whether everything is as it was written, as far as checksums and
    /// numbers can tell. Records without a checksum are no fault.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let faults = [
            self.altered,
            self.undecodable,
            self.damaged,
            self.gaps,
            self.repeats,
            self.out_of_order,
        ];
        faults.iter().all(|count| *count == 0) && self.inventory.missing.is_empty()
    }

    /// Counts a finding.
    pub(crate) fn add(&mut self, finding: &Finding) {
        match finding.fault {
            Fault::Damaged(_) => {
                self.damaged += 1;
                self.damaged_bytes += finding.at.length;
            }
            Fault::Altered { .. } => self.altered += 1,
            Fault::Undecodable { .. } => self.undecodable += 1,
            Fault::Missing { first, last } => {
                self.gaps += 1;
                self.missing = self.missing.saturating_add(last - first + 1);
                if self.ranges.len() < RANGES {
                    self.ranges.push(first..=last);
                }
            }
            Fault::Repeated { .. } => self.repeats += 1,
            Fault::OutOfOrder { .. } => self.out_of_order += 1,
        }
    }
}

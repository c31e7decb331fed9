//! Which number does a forward reader give to a record that is reached from
//! behind?

use std::collections::VecDeque;

use super::anchors::{Anchor, Anchors};
use super::lines::BackwardLines;
use crate::damage::Integrity;
use crate::error::ReadError;
use crate::record::Item;

/// How many numbers are kept from counting forwards.
const COUNTED: usize = 4096;

/// Carries the numbering from record to record, towards the start.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The number of the record before the last one, where that record has
    /// none of its own.
    implied: Option<u64>,
    /// Offsets and numbers of the records before, as far as they were counted.
    counted: VecDeque<(u64, u64)>,
}

impl Numbers {
    /// Returns the number of the record at `offset`, which carries `own`.
    ///
    /// After an error the call may be repeated.
    pub(super) fn assign(
        &mut self,
        own: Option<u64>,
        integrity: Integrity,
        offset: u64,
        lines: &BackwardLines,
    ) -> Result<u64, ReadError> {
        while self.counted.back().is_some_and(|(at, _)| *at > offset) {
            self.counted.pop_back();
        }
        let counted = self.counted.back().filter(|(at, _)| *at == offset);
        let number = match (own, integrity, self.implied, counted) {
            (Some(own), Integrity::Verified, _, _) => own,
            // A line without a number counts on from the one before it.
            (_, _, Some(implied), _) => implied,
            (_, _, _, Some((_, number))) => *number,
            _ => self.count_forward(offset, lines)?,
        };
        self.implied = match own {
            None => number.checked_sub(1).filter(|implied| *implied > 0),
            Some(_) => None,
        };
        Ok(number)
    }

    /// Counts from the last record whose number is beyond doubt, or from the
    /// start of the file. It takes as long as reading what lies between, and
    /// is needed once per run of lines without a number, or once for some
    /// thousand lines whose own numbers are in doubt.
    fn count_forward(&mut self, offset: u64, lines: &BackwardLines) -> Result<u64, ReadError> {
        let mut reader = lines.forward();
        if let Some(anchor) = Anchors::new(lines.before(offset)).next(usize::MAX)? {
            let Anchor { offset, number } = anchor;
            reader.seek(offset, number.checked_sub(1));
        }
        self.counted.clear();
        while let Some(item) = reader.next_item()? {
            let Item::Record(record) = item else { continue };
            if record.offset >= offset {
                return Ok(record.number);
            }
            if self.counted.len() == COUNTED {
                self.counted.pop_front();
            }
            self.counted.push_back((record.offset, record.number));
        }
        Ok(reader.last_number())
    }
}

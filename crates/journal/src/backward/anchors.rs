//! Behind which records is the numbering beyond doubt?

use std::collections::VecDeque;

use super::lines::BackwardLines;
use crate::damage::Integrity;
use crate::error::ReadError;
use crate::line::Checked;
use crate::stretch::Stretch;

/// A record with a right checksum and a number: whatever stands before it, a
/// reader that begins there numbers what follows as if it had read all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    pub(super) offset: u64,
    pub(super) number: u64,
}

/// Finds anchors, the last one first.
#[derive(Debug)]
pub(super) struct Anchors {
    lines: BackwardLines,
    pending: VecDeque<Stretch>,
    /// Whether any record came by that carries a number.
    numbered: bool,
}

impl Anchors {
    pub(super) fn new(lines: BackwardLines) -> Self {
        Self {
            lines,
            pending: VecDeque::new(),
            numbered: false,
        }
    }

    /// Finds the next anchor within the next `lines` lines.
    pub(super) fn next(&mut self, lines: usize) -> Result<Option<Anchor>, ReadError> {
        for _ in 0..lines {
            if !self.lines.refill(&mut self.pending)? {
                break;
            }
            while let Some(Stretch {
                offset, checked, ..
            }) = self.pending.pop_back()
            {
                let Checked::Record {
                    number: Some(number),
                    integrity,
                } = checked
                else {
                    continue;
                };
                self.numbered = true;
                if integrity == Integrity::Verified {
                    return Ok(Some(Anchor { offset, number }));
                }
            }
        }
        Ok(None)
    }

    /// Returns the number that a new record must be beyond, as far as the
    /// file's last lines tell; `None` where they carry no checked number.
    pub(super) fn highest_number(mut self) -> Result<Option<u64>, ReadError> {
        /// Up to this many lines made by hand may follow the last one of ours.
        const LOOKED_AT: usize = 1000;
        /// Up to this many lines at the end may be repeated ones.
        const REPEATED: usize = 32;
        let mut reader = self.lines.forward();
        match self.next(LOOKED_AT)? {
            Some(Anchor { offset, number }) => reader.seek(offset, number.checked_sub(1)),
            // A short file in which some line carries a number is counted.
            None if self.lines.is_exhausted() && self.numbered => {}
            None => return Ok(None),
        }
        while reader.next_item()?.is_some() {}
        let mut highest = reader.highest_number();
        for _ in 0..REPEATED {
            match self.next(1)? {
                Some(anchor) => highest = highest.max(anchor.number),
                None => break,
            }
        }
        Ok(Some(highest).filter(|highest| *highest > 0))
    }
}

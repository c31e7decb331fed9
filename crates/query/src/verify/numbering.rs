//! Whether the numbers of records follow each other.

use std::collections::BTreeMap;

/// How many gaps are remembered at once; beyond that the lowest is settled.
const GAPS: usize = 10_000;

/// Numbers that no record has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap<P> {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// The record in front of which they are missing.
    pub(crate) at: P,
}

/// How a record's number stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is beyond the one before it, and new.
    Follows,
    /// Another record had it before.
    Repeated,
    /// It is below that of the record before it, which had `after`.
    OutOfOrder { after: u64 },
}

/// Follows the numbers of one session, or of several in order.
///
/// Numbers that are passed over may still come, out of order: gaps are what
/// remains of them.
#[derive(Debug)]
pub(crate) struct Numbering<P> {
    /// The largest number so far; `None` where any number may come next.
    highest: Option<u64>,
    previous: u64,
    /// Whether a record of this file had a number.
    is_anchored: bool,
    /// How far records without a number count at the head of this file.
    head: u64,
    /// Records since the last number whose own number cannot be believed.
    unknown: u64,
    missing: BTreeMap<u64, Gap<P>>,
    /// Gaps up to this number are not remembered any more.
    settled: u64,
    /// First and last numbers of what was removed on purpose, in order.
    removed: Vec<(u64, u64)>,
}

impl<P: Clone> Numbering<P> {
    /// Begins anywhere, as a session does that is looked at alone.
    pub(crate) fn anywhere() -> Self {
        Self {
            highest: None,
            previous: 0,
            is_anchored: false,
            head: 0,
            unknown: 0,
            missing: BTreeMap::new(),
            settled: 0,
            removed: Vec::new(),
        }
    }

    /// Begins with number 1, as all sessions of a journal together do, but for those that
    /// were removed on purpose.
    pub(crate) fn from_one(mut removed: Vec<(u64, u64)>) -> Self {
        removed.sort_unstable();
        Self {
            highest: Some(0),
            removed,
            ..Self::anywhere()
        }
    }

    /// Goes on with another file.
    pub(crate) fn next_file(&mut self) {
        (self.is_anchored, self.head) = (false, 0);
    }

    /// Tells whether `number` would be the next one.
    pub(crate) fn is_next(&self, number: u64) -> bool {
        self.highest
            .is_some_and(|highest| highest.checked_add(1) == Some(number))
    }

    /// Takes a record without a number, which the reader counts as `counted`.
    ///
    /// At the head of a file such lines are an older recorder's, and say
    /// nothing of how far the journal's numbering came.
    pub(crate) fn count(&mut self, counted: u64) {
        if self.is_anchored {
            self.highest = self.highest.map(|highest| highest.max(counted));
        } else {
            self.head = counted;
            self.highest = self.highest.filter(|highest| *highest > 0);
        }
    }

    /// Takes a record whose number may be what was changed: it stands for one
    /// of the numbers that will be missing.
    pub(crate) fn pass(&mut self) {
        self.unknown += 1;
    }

    /// Takes a record's number; `at` is asked where it follows a gap.
    pub(crate) fn see(&mut self, number: u64, at: impl FnOnce() -> P) -> Step {
        let after = std::mem::replace(&mut self.previous, number);
        let highest = self.highest.unwrap_or(number.saturating_sub(1));
        let continues_head = !self.is_anchored && self.head > 0 && number == self.head + 1;
        self.is_anchored = true;
        let unknown = std::mem::take(&mut self.unknown);
        if number > highest {
            self.highest = Some(number);
            let skipped = number - highest - 1;
            // Which ones of more than that are there cannot be known.
            if skipped > unknown && !continues_head {
                self.miss(highest + 1, number - 1, &at());
            }
            return Step::Follows;
        }
        self.unknown = unknown;
        match self.fill(number) {
            true if number > after => Step::Follows,
            false if number > self.settled => Step::Repeated,
            _ => Step::OutOfOrder { after },
        }
    }

    /// Notes a gap, without what was removed on purpose.
    fn miss(&mut self, mut first: u64, last: u64, at: &P) {
        let mut add = |first: u64, last: u64| {
            if first <= last {
                let at = at.clone();
                self.missing.insert(first, Gap { first, last, at });
            }
        };
        for (from, to) in &self.removed {
            if *to < first || *from > last {
                continue;
            }
            add(first, from.saturating_sub(1));
            first = to.saturating_add(1);
        }
        add(first, last);
    }

    /// Takes a number out of the gap that it belongs to; false without one.
    fn fill(&mut self, number: u64) -> bool {
        let found = self.missing.range(..=number).next_back();
        let Some((&first, _)) = found.filter(|(_, gap)| number <= gap.last) else {
            return false;
        };
        let Some(gap) = self.missing.remove(&first) else {
            return false;
        };
        if first < number {
            let (last, at) = (number - 1, gap.at.clone());
            self.missing.insert(first, Gap { first, last, at });
        }
        if number < gap.last {
            let first = number + 1;
            self.missing.insert(first, Gap { first, ..gap });
        }
        true
    }

    /// Settles the lowest gap where too many are remembered.
    pub(crate) fn overflow(&mut self) -> Option<Gap<P>> {
        if self.missing.len() <= GAPS {
            return None;
        }
        let (_, gap) = self.missing.pop_first()?;
        self.settled = gap.last;
        Some(gap)
    }

    /// Returns the gaps that remain, lowest first.
    pub(crate) fn finish(self) -> impl Iterator<Item = Gap<P>> {
        self.missing.into_values()
    }
}

#[cfg(test)]
mod tests;

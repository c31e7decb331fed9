//! Where do the numbers go on? Above all that the files, the head and others know of.

use crate::head::{Found, Head};
use crate::span::Span;

/// Records that were there are not in the files any more, so that numbers go on
/// above all that may have been given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// The number of the last record in the files; 0 where there is none.
    pub in_files: u64,
    /// The highest number of a record that was on stable storage, as far as the
    /// journal noted it.
    pub noted: u64,
    /// The highest number that somebody else has seen, see
    /// [`Options::seen`](crate::Options::seen).
    pub seen: u64,
}

/// What the files and the head come to together.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) head: Head,
    /// Whether the head has to be stored.
    pub(crate) changed: bool,
    /// The number that the next record must be beyond.
    pub(crate) last: u64,
    pub(crate) jump: Option<Jump>,
    pub(crate) damaged: bool,
}

impl Standing {
    /// Judges by the numbers that the files hold and the highest one that
    /// somebody else has seen.
    ///
    /// After a crash the files tell the truth, and numbers go on behind them:
    /// what was reserved and not used is no gap. Only where the files end before
    /// a record that was on stable storage does the reserved number count.
    pub(crate) fn judge(found: Found, spans: Vec<Span>, seen: u64) -> Self {
        let in_files = spans.iter().map(|span| span.last).max().unwrap_or(0);
        let lowest = spans.iter().map(|span| span.first).min();
        let damaged = matches!(found, Found::Damaged);
        let (mut head, is_new) = match found {
            Found::Head(head) => (head, false),
            Found::Nothing | Found::Damaged => (
                Head::new(lowest.unwrap_or(in_files.saturating_add(1))),
                true,
            ),
        };
        let noted = head.last;
        let jump = (in_files < noted.max(seen)).then_some(Jump {
            in_files,
            noted,
            seen,
        });
        let last = match jump {
            Some(_) => head.reserved.max(noted).max(seen),
            None => in_files,
        };
        let differs = head.compare(spans, last);
        // Records that a commit could not tell of, since the head could not be stored: now
        // they are told to everybody who reads, also after their file was moved away.
        let is_behind = head.reserved < last;
        if jump.is_some() || is_behind {
            head.settle(last);
        }
        Self {
            changed: is_new || differs || jump.is_some() || is_behind,
            head,
            last,
            jump,
            damaged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(reserved: u64) -> Head {
        let mut head = Head::new(1);
        head.settle(reserved);
        head
    }

    fn judge(reserved: u64, last: u64) -> Standing {
        let spans = vec![Span { first: 1, last }];
        Standing::judge(Found::Head(head(reserved)), spans, 0)
    }

    #[test]
    fn records_that_the_head_does_not_cover_are_covered_before_anybody_reads_them() {
        let standing = judge(105, 201);
        assert!(standing.changed, "the file has to say so");
        assert_eq!((standing.last, standing.head.reserved), (201, 201));
        let covered = judge(201, 201);
        assert!(!covered.changed && covered.jump.is_none());
        let reserve = judge(500, 201);
        assert!(reserve.jump.is_some_and(|jump| jump.in_files == 201));
    }
}

//! Which number a record has when its own is missing or not to be believed.

use crate::damage::Integrity;

/// Beyond this a number in an unchecked line is taken for nonsense: it is the
/// largest integer that every JSON reader keeps exact.
const BELIEVABLE: u64 = 1 << 53;

/// Carries the numbering from record to record: which number a record has
/// whose own is missing or not to be believed.
///
/// Readers do this by themselves. It is there for programs that sort lines with
/// [`sort_line`](crate::raw::sort_line); a session begins with the default.
///
/// A record with a right checksum decides everything that comes behind it, so
/// that reading from such a record on, or backwards, gives the same numbers as
/// reading the whole file.
#[derive(Debug, Clone, Default)]
pub struct Numbering {
    last: u64,
    /// Whether any record came before.
    begun: bool,
    /// Damaged spans since the last record: that is how many numbers may be gone.
    skipped: u64,
    /// The largest number among the records with a right checksum.
    verified: u64,
    /// Whether `last` comes from a record whose checksum is right.
    trusted: bool,
}

impl Numbering {
    /// Goes on after a record whose number is known.
    #[must_use]
    pub fn after(last: u64) -> Self {
        Self {
            last,
            begun: last > 0,
            ..Self::default()
        }
    }

    /// Returns the number of the last record, or 0.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Returns the number that a new record must be beyond.
    ///
    /// A line that stands twice does not set it back. Numbers of unchecked
    /// lines count only while no checked one behind them tells otherwise.
    pub(crate) fn highest(&self) -> u64 {
        if self.trusted {
            self.verified
        } else {
            self.verified.max(self.last)
        }
    }

    /// Returns the number that the next line would have, if each stretch of
    /// damage since the last record was one record.
    pub(crate) fn next(&self) -> u64 {
        self.last.saturating_add(1).saturating_add(self.skipped)
    }

    /// Notes a stretch of damage.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Returns the number of a record that carries `own`.
    pub fn assign(&mut self, own: Option<u64>, integrity: Integrity) -> u64 {
        let expected = self.last.saturating_add(1);
        let number = match (own, integrity) {
            (Some(own), Integrity::Verified) => own,
            (Some(own), Integrity::Unverified) if own > self.last && own < BELIEVABLE => own,
            (Some(own), Integrity::Altered) if self.is_near(own) => own,
            _ => expected,
        };
        self.trusted = integrity == Integrity::Verified;
        if self.trusted {
            self.verified = self.verified.max(number);
        }
        self.last = number;
        self.begun = true;
        self.skipped = 0;
        number
    }

    /// An altered line's number may be what was altered.
    fn is_near(&self, own: u64) -> bool {
        own > self.last && own < BELIEVABLE && (!self.begun || own <= self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_a_number_count_on() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.assign(None, Integrity::Unverified), 1);
        assert_eq!(numbering.assign(None, Integrity::Unverified), 2);
        assert_eq!(numbering.assign(Some(7), Integrity::Verified), 7);
        assert_eq!(numbering.assign(None, Integrity::Unverified), 8);
    }

    #[test]
    fn an_altered_number_does_not_carry_the_numbering_away() {
        let mut numbering = Numbering::default();
        numbering.assign(Some(5), Integrity::Verified);
        assert_eq!(numbering.assign(Some(9006), Integrity::Altered), 6);
        assert_eq!(numbering.assign(Some(7), Integrity::Verified), 7);
    }

    #[test]
    fn an_altered_first_line_is_believed_only_until_a_verified_one_comes() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.assign(Some(9001), Integrity::Altered), 9001);
        assert_eq!(numbering.assign(Some(1002), Integrity::Verified), 1002);
        assert_eq!(numbering.highest(), 1002);
    }

    #[test]
    fn an_altered_line_behind_damage_keeps_its_number() {
        let mut numbering = Numbering::default();
        numbering.assign(Some(5), Integrity::Verified);
        numbering.skip();
        assert_eq!(numbering.assign(Some(7), Integrity::Altered), 7);
    }

    #[test]
    fn a_repeated_line_does_not_set_the_numbering_back() {
        let mut numbering = Numbering::default();
        numbering.assign(Some(5), Integrity::Verified);
        assert_eq!(numbering.assign(Some(4), Integrity::Verified), 4);
        assert_eq!(numbering.highest(), 5);
    }

    #[test]
    fn a_repeated_line_behind_an_unchecked_one_does_not_set_it_back_either() {
        let mut numbering = Numbering::default();
        numbering.assign(Some(10), Integrity::Verified);
        numbering.assign(Some(11), Integrity::Altered);
        assert_eq!(numbering.highest(), 11);
        numbering.assign(Some(5), Integrity::Verified);
        assert_eq!(numbering.highest(), 10);
        numbering.assign(Some(6), Integrity::Altered);
        assert_eq!((numbering.last(), numbering.highest()), (6, 10));
    }

    #[test]
    fn a_checked_record_decides_what_comes_behind_it() {
        let mut whole = Numbering::default();
        for number in [50, 3, 10] {
            whole.assign(Some(number), Integrity::Verified);
        }
        let mut from_there = Numbering::after(9);
        from_there.assign(Some(10), Integrity::Verified);
        for own in [None, Some(40), Some(12), Some(7)] {
            for integrity in [Integrity::Altered, Integrity::Unverified] {
                let expected = whole.assign(own, integrity);
                assert_eq!(from_there.assign(own, integrity), expected);
            }
        }
    }
}

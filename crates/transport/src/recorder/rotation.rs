//! The daily rotation: once a day at a local time, whatever the clock does.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::calendar::timestamp;

/// A rotation that lies further ahead was computed from a clock that has been
/// set back since.
const FARTHEST: Duration = Duration::from_secs(49 * 3600);

/// Knows when the next rotation is due.
#[derive(Debug)]
pub(crate) struct Rotation {
    at: Option<Time>,
    zone: TimeZone,
    next: Option<Timestamp>,
}

impl Rotation {
    /// Rotates at `at` (hour, minute) in the given time zone, or never.
    pub(crate) fn new(at: Option<(i8, i8)>, zone: TimeZone, now: SystemTime) -> Self {
        let at = at.and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok());
        let mut rotation = Self {
            at,
            zone,
            next: None,
        };
        rotation.next = timestamp(now).and_then(|now| rotation.after(now));
        rotation
    }

    /// Rotates at another time of day from now on, or never. To be told the same again
    /// changes nothing, also where a rotation is due.
    pub(crate) fn set(&mut self, at: Option<(i8, i8)>, now: SystemTime) {
        let other = Self::new(at, self.zone.clone(), now);
        if other.at != self.at {
            *self = other;
        }
    }

    /// Tells whether a rotation is due, and looks ahead to the next one.
    pub(crate) fn is_due(&mut self, now: SystemTime) -> bool {
        let (Some(next), Some(now)) = (self.next, timestamp(now)) else {
            return false;
        };
        if now < next {
            if next.duration_since(now).unsigned_abs() > FARTHEST {
                self.next = self.after(now);
            }
            return false;
        }
        self.next = self.after(now);
        true
    }

    /// Returns the first rotation after a moment. Where the clocks are put
    /// forward over the time of day, it is as much later; where they are put
    /// back over it, it is the first of the two.
    fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let at = self.at?;
        let mut date = moment.to_zoned(self.zone.clone()).date();
        for _ in 0..3 {
            let due = date
                .to_datetime(at)
                .to_zoned(self.zone.clone())
                .ok()?
                .timestamp();
            if due > moment {
                return Some(due);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SystemTime {
        text.parse::<Timestamp>().unwrap().into()
    }

    fn berlin() -> TimeZone {
        // Written out, so that the test needs no time zone files.
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[test]
    fn it_is_due_once_a_day_at_the_local_time() {
        let mut rotation = Rotation::new(Some((4, 30)), berlin(), at("2025-11-20T02:00:00Z"));
        assert!(!rotation.is_due(at("2025-11-20T03:29:59Z")));
        assert!(rotation.is_due(at("2025-11-20T03:30:00Z")));
        assert!(!rotation.is_due(at("2025-11-20T03:30:01Z")));
        assert!(!rotation.is_due(at("2025-11-21T03:29:59Z")));
        assert!(rotation.is_due(at("2025-11-21T03:30:00Z")));
    }

    #[test]
    fn a_machine_that_slept_over_it_rotates_once_when_it_wakes() {
        let mut rotation = Rotation::new(Some((0, 0)), berlin(), at("2025-11-20T12:00:00Z"));
        assert!(rotation.is_due(at("2025-11-25T12:00:00Z")));
        assert!(!rotation.is_due(at("2025-11-25T12:00:01Z")));
    }

    #[test]
    fn daylight_saving_neither_skips_nor_repeats_it() {
        // On 2025-03-30 there is no 02:30, on 2025-10-26 there are two.
        for (day, hours) in [("2025-03-29", 48), ("2025-10-25", 48)] {
            let start: Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
            let mut rotation = Rotation::new(Some((2, 30)), berlin(), start.into());
            let minutes = (0..hours * 60)
                .map(|minute| SystemTime::from(start) + Duration::from_secs(60 * minute));
            assert_eq!(
                minutes.filter(|now| rotation.is_due(*now)).count(),
                2,
                "{day}"
            );
        }
    }

    #[test]
    fn a_clock_that_goes_back_does_not_repeat_it_and_one_from_afar_does_not_stop_it() {
        let mut rotation = Rotation::new(Some((0, 0)), berlin(), at("2025-11-20T22:00:00Z"));
        assert!(rotation.is_due(at("2025-11-20T23:00:00Z")));
        assert!(!rotation.is_due(at("2025-11-20T22:30:00Z")));
        assert!(
            !rotation.is_due(at("2025-11-20T23:00:00Z")),
            "it was done for this day"
        );
        assert!(rotation.is_due(at("2040-01-01T00:00:00Z")));
        assert!(!rotation.is_due(at("2025-11-21T12:00:00Z")));
        assert!(rotation.is_due(at("2025-11-21T23:00:00Z")));
    }

    #[test]
    fn another_time_of_day_holds_at_once_and_the_same_one_changes_nothing() {
        let noon = at("2025-11-20T12:00:00Z");
        let mut rotation = Rotation::new(Some((0, 0)), TimeZone::UTC, noon);
        rotation.set(Some((13, 0)), noon);
        assert!(rotation.is_due(at("2025-11-20T13:00:00Z")));
        rotation.set(Some((13, 0)), at("2025-11-21T13:30:00Z"));
        assert!(rotation.is_due(at("2025-11-21T13:30:00Z")), "it was due");
        rotation.set(None, noon);
        assert!(!rotation.is_due(at("2025-11-30T12:00:00Z")));
    }

    #[test]
    fn off_is_never_and_1970_is_a_time_like_any_other() {
        let mut off = Rotation::new(None, berlin(), SystemTime::UNIX_EPOCH);
        assert!(!off.is_due(at("2025-11-20T03:30:00Z")));
        let mut rotation = Rotation::new(Some((0, 0)), TimeZone::UTC, SystemTime::UNIX_EPOCH);
        assert!(!rotation.is_due(SystemTime::UNIX_EPOCH));
        assert!(rotation.is_due(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)));
    }
}

//! Timestamps as instants that can be compared.

mod clock;
mod odd;

use std::time::SystemTime;

use jiff::civil::Date;

pub(crate) use clock::Clock;

/// A point in time, as exact as nine digits of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    /// Seconds since 1970-01-01T00:00:00Z.
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    /// Reads a timestamp as agents and other programs write it, or `None` where it
    /// is none.
    ///
    /// That is RFC 3339, also with a space in place of the `T`, without seconds, with
    /// an offset without its colon or behind a space, or as a date alone; the basic
    /// form of ISO 8601; the forms of mail and of C's `ctime`; and a number of
    /// seconds, or of milli-, micro- or nanoseconds, since 1970, which its size tells.
    /// A time without an offset is taken as UTC.
    ///
    /// ```
    /// use query::Instant;
    ///
    /// let utc = Instant::parse("2025-11-20T04:30:00Z");
    /// assert!(utc.is_some());
    /// assert_eq!(Instant::parse("2025-11-20T05:30:00.000+01:00"), utc);
    /// assert_eq!(Instant::parse("2025-11-20T04:30:00"), utc);
    /// assert_eq!(Instant::parse("1763613000000"), utc);
    /// assert_eq!(Instant::parse("Thu, 20 Nov 2025 04:30:00 GMT"), utc);
    /// assert_eq!(Instant::parse("yesterday"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_usual(text).or_else(|| odd::parse(text))
    }

    fn parse_usual(text: &str) -> Option<Self> {
        let mut cursor = Cursor(text.as_bytes());
        let date = date(&mut cursor)?;
        cursor.one_of(b"Tt ")?;
        let within = time_of_day(&mut cursor)?;
        let nanoseconds = cursor.fraction()?;
        let offset = cursor.offset()?;
        cursor.0.is_empty().then_some(Self {
            seconds: start(date) + within - offset,
            nanoseconds,
        })
    }
}

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub(crate) const EPOCH: Self = Self::new(0, 0);

    /// Makes one of seconds since 1970, and nanoseconds of the next one.
    pub(crate) const fn new(seconds: i64, nanoseconds: u32) -> Self {
        Self {
            seconds,
            nanoseconds,
        }
    }

    /// Makes one of milliseconds since 1970.
    pub(crate) fn from_milliseconds(milliseconds: i64) -> Self {
        let within = u32::try_from(milliseconds.rem_euclid(1_000)).unwrap_or(0);
        Self::new(milliseconds.div_euclid(1_000), within * 1_000_000)
    }

    /// Tells whether it is a time at which a message can have been sent, and not
    /// one that a clock shows which was never set, or that stands for none.
    pub(crate) const fn is_likely(milliseconds: i64) -> bool {
        const FIRST: i64 = 0;
        /// 2200-01-01T00:00:00Z
        const END: i64 = 7_258_118_400_000;
        FIRST < milliseconds && milliseconds < END
    }

    /// Returns milliseconds since 1970.
    #[must_use]
    pub fn milliseconds(self) -> i64 {
        self.seconds * 1_000 + i64::from(self.nanoseconds / 1_000_000)
    }

    /// Returns seconds since 1970, and nanoseconds of the next one.
    pub(crate) const fn parts(self) -> (i64, u32) {
        (self.seconds, self.nanoseconds)
    }

    /// Returns the instant that is `by` earlier.
    #[cfg(test)]
    pub(crate) fn earlier(self, by: std::time::Duration) -> Self {
        let seconds = self.seconds.saturating_sub_unsigned(by.as_secs());
        Self { seconds, ..self }
    }
}

/// Writes the system's time as `2025-11-20 14:30:22`, in UTC.
pub(crate) fn date_and_time(time: SystemTime) -> String {
    let text = message::format_time(time);
    let (date, clock) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {}", clock.get(..8).unwrap_or_default())
}

/// Reads `YYYY-MM-DD`.
fn date(cursor: &mut Cursor<'_>) -> Option<Date> {
    let year = cursor.digits(4)?;
    cursor.one_of(b"-")?;
    let month = cursor.digits(2)?;
    cursor.one_of(b"-")?;
    let day = cursor.digits(2)?;
    calendar_date(year, month, day)
}

/// Reads `HH:MM` or `HH:MM:SS` as seconds; 60 is a leap second.
fn time_of_day(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hour = cursor.digits(2)?;
    cursor.one_of(b":")?;
    let minute = cursor.digits(2)?;
    let second = match cursor.one_of(b":") {
        Some(_) => cursor.digits(2)?,
        None => 0,
    };
    is_time(hour, minute, second).then_some(hour * 3_600 + minute * 60 + second)
}

/// Returns a day of the Gregorian calendar, or `None` where that has no such day.
pub(crate) fn calendar_date(year: i64, month: i64, day: i64) -> Option<Date> {
    let (year, month, day) = (year.try_into(), month.try_into(), day.try_into());
    Date::new(year.ok()?, month.ok()?, day.ok()?).ok()
}

/// Tells whether a clock can show this; a leap second it can, which jiff's times can't.
pub(crate) fn is_time(hour: i64, minute: i64, second: i64) -> bool {
    hour < 24 && minute < 60 && second <= 60
}

/// Returns when a day begins in UTC, in seconds since 1970.
fn start(date: Date) -> i64 {
    const EPOCH: Date = Date::constant(1970, 1, 1);
    date.duration_since(EPOCH).as_secs()
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        if !allowed.contains(first) {
            return None;
        }
        self.0 = rest;
        Some(*first)
    }

    fn digit(&mut self) -> Option<u8> {
        self.one_of(b"0123456789").map(|digit| digit - b'0')
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        (0..count).try_fold(0, |value, _| Some(value * 10 + i64::from(self.digit()?)))
    }

    /// Reads `.` and at least one digit, or nothing; digits beyond nine are dropped.
    fn fraction(&mut self) -> Option<u32> {
        if self.one_of(b".,").is_none() {
            return Some(0);
        }
        let mut value = u32::from(self.digit()?) * 100_000_000;
        let mut unit = 10_000_000;
        while let Some(digit) = self.digit() {
            value += u32::from(digit) * unit;
            unit /= 10;
        }
        Some(value)
    }

    /// Reads an offset in seconds; none is UTC.
    fn offset(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.one_of(b"Zz").is_some() {
            return Some(0);
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hour = self.digits(2)?;
        let _colon = self.one_of(b":");
        let minute = if self.0.is_empty() {
            0
        } else {
            self.digits(2)?
        };
        is_time(hour, minute, 0).then_some(sign * (hour * 3_600 + minute * 60))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;
    use time::format_description::well_known::Rfc3339;
    use time::{OffsetDateTime, UtcOffset};

    use super::*;

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2025",
            "2025-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-11-31T00:00:00Z",
            "2025-11-20T24:00:00Z",
            "2025-11-20T00:60:00Z",
            "2025-11-20T00:00:61Z",
            "2025-11-20T00:00:00.Z",
            "2025-11-20T00:00:00ZZ",
            "2025-11-20T00:00:00+",
            "2025-11-20T00:00:00+25:00",
            "2025-11-20T00:00:00 X",
            "12.5",
            "20251120",
            "99999999999999999999",
            "+10000-01-01T00:00:00Z",
            "+025-11-20T00:00:00Z",
            "٢٠٢٥-11-20T00:00:00Z",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }

    #[test]
    fn spellings_of_one_instant_are_equal() {
        let expected = Instant::parse("2024-02-29T12:00:00Z").unwrap();
        for text in [
            "2024-02-29T12:00:00",
            "2024-02-29 12:00",
            "2024-02-29t12:00:00z",
            "2024-02-29T12:00:00.000000000999",
            "2024-02-29T14:30:00+02:30",
            "2024-02-29T14:30:00+0230",
            "2024-02-28T23:00:00-13",
        ] {
            assert_eq!(Instant::parse(text), Some(expected), "{text}");
        }
        assert!(Instant::parse("2024-02-29T12:00:00.000000001Z").unwrap() > expected);
    }

    #[test]
    fn the_systems_time_is_written_in_utc() {
        let time = UNIX_EPOCH + Duration::from_secs(1_763_649_022);
        assert_eq!(date_and_time(time), "2025-11-20 14:30:22");
    }

    proptest! {
        #[test]
        fn agrees_with_the_time_crate(
            seconds in -62_135_596_800_i64..253_402_300_800,
            nanoseconds in 0..1_000_000_000_u32,
            offset in -1_439..1_440_i32,
        ) {
            let utc = OffsetDateTime::from_unix_timestamp(seconds).unwrap()
                .replace_nanosecond(nanoseconds).unwrap();
            let offset = UtcOffset::from_whole_seconds(offset * 60).unwrap();
            let local = utc.checked_to_offset(offset).filter(|local| (0..=9999).contains(&local.year()));
            for time in local.into_iter().chain([utc]) {
                let text = time.format(&Rfc3339).unwrap();
                prop_assert_eq!(Instant::parse(&text), Some(Instant { seconds, nanoseconds }), "{}", text);
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[0-9TZ:+. -]{0,40}") {
            let same = Instant::parse(&text);
            prop_assert_eq!(same, Instant::parse(&text));
        }
    }
}

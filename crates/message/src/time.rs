//! The clock as text.

use std::fmt;
use std::ops::Deref;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::DateTime;

const LEN: usize = 24;
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z, in milliseconds from 1970.
const FIRST_MS: i64 = -62_167_219_200_000;
const LAST_MS: i64 = 253_402_300_799_999;

/// Holds a point in time as RFC 3339 text in UTC with milliseconds; derefs to `str`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp([u8; LEN]);

/// Writes a point in time as RFC 3339, UTC, with milliseconds and `Z`.
///
/// Times before the year 0 or after the year 9999 become the first or the last
/// instant that the format can express.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let time = message::format_time(UNIX_EPOCH + Duration::from_millis(1_763_613_000_123));
/// assert_eq!(&*time, "2025-11-20T04:30:00.123Z");
/// ```
#[must_use]
pub fn format_time(time: SystemTime) -> Timestamp {
    let ms = milliseconds(time).clamp(FIRST_MS, LAST_MS);
    // Not of jiff's type for instants: that ends before the year 9999 does.
    let time = EPOCH.saturating_add(SignedDuration::from_millis(ms));
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let parts = [
        (0..4, time.year()),
        (5..7, time.month().into()),
        (8..10, time.day().into()),
        (11..13, time.hour().into()),
        (14..16, time.minute().into()),
        (17..19, time.second().into()),
        (20..23, time.millisecond()),
    ];
    for (place, mut number) in parts {
        for digit in text[place].iter_mut().rev() {
            *digit = u8::try_from(number % 10).map_or(b'0', |value| b'0' + value);
            number /= 10;
        }
    }
    Timestamp(text)
}

/// Rounds down to whole milliseconds, also before 1970.
fn milliseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            let ms = before.duration().as_nanos().div_ceil(1_000_000);
            i64::try_from(ms).map_or(i64::MIN, |ms| -ms)
        }
    }
}

impl Deref for Timestamp {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits and punctuation are ASCII")
    }
}

impl AsRef<str> for Timestamp {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use time::OffsetDateTime;
    use time::macros::format_description;

    use super::*;

    /// The first moment that the system's clock has: Windows counts from 1601 on.
    const BEGIN_MS: i64 = if cfg!(windows) {
        -11_644_473_600_000
    } else {
        FIRST_MS - 1
    };

    fn at(ms: i64) -> SystemTime {
        let distance = Duration::from_millis(ms.unsigned_abs());
        if ms < 0 {
            UNIX_EPOCH - distance
        } else {
            UNIX_EPOCH + distance
        }
    }

    #[test]
    fn clamps_what_four_digits_cannot_say() {
        assert_eq!(&*format_time(at(LAST_MS + 1)), "9999-12-31T23:59:59.999Z");
        let first = match cfg!(windows) {
            true => "1601-01-01T00:00:00.000Z",
            false => "0000-01-01T00:00:00.000Z",
        };
        assert_eq!(&*format_time(at(BEGIN_MS)), first);
        assert_eq!(&*format_time(at(-1)), "1969-12-31T23:59:59.999Z");
        assert_eq!(
            format!("{:>26}", format_time(at(0))),
            "  1970-01-01T00:00:00.000Z"
        );
    }

    proptest! {
        #[test]
        fn agrees_with_the_time_crate(ms in BEGIN_MS.max(FIRST_MS)..=LAST_MS, below in 0..1_000_000_u32) {
            let format = format_description!(
                "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
            );
            let time = at(ms) + Duration::from_nanos(u64::from(below));
            let expected = OffsetDateTime::from(time).format(&format).unwrap();
            prop_assert_eq!(&*format_time(time), expected.as_str());
        }
    }
}

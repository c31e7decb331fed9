//! Timestamps of other programs: numbers, and texts in other forms.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use super::{Cursor, Instant, calendar_date, date, is_time, start};

/// Reads what is not in the usual form.
pub(super) fn parse(text: &str) -> Option<Instant> {
    let text = text.trim();
    // Most texts that are no time are told apart by their first byte.
    let first = text.as_bytes().first()?;
    if first.is_ascii_digit() {
        return number(text)
            .or_else(|| basic(text))
            .or_else(|| day(text))
            .or_else(|| offset_behind_space(text))
            .or_else(|| named_zone(text))
            .or_else(|| with_slashes(text));
    }
    first.is_ascii_alphabetic().then(|| words(text)).flatten()
}

/// Reads a number since 1970, whose size tells its unit: times since 1973 are meant.
fn number(text: &str) -> Option<Instant> {
    const UNITS: [(u64, i128); 4] = [
        (100_000_000, 1_000_000_000),
        (100_000_000_000, 1_000_000),
        (100_000_000_000_000, 1_000),
        (100_000_000_000_000_000, 1),
    ];
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?;
    let (_, unit) = UNITS
        .into_iter()
        .find(|(least, _)| (*least..least.saturating_mul(100)).contains(&whole))?;
    let mut nanoseconds = i128::from(whole) * unit;
    let mut step = unit;
    for digit in part.bytes() {
        step /= 10;
        nanoseconds += i128::from(digit - b'0') * step;
    }
    let seconds = i64::try_from(nanoseconds / 1_000_000_000).ok()?;
    let rest = u32::try_from(nanoseconds % 1_000_000_000).ok()?;
    Some(Instant::new(seconds, rest))
}

/// Reads `20251120T120000Z`.
fn basic(text: &str) -> Option<Instant> {
    let mut cursor = Cursor(text.as_bytes());
    let (year, month, day) = (cursor.digits(4)?, cursor.digits(2)?, cursor.digits(2)?);
    let date = calendar_date(year, month, day)?;
    cursor.one_of(b"Tt")?;
    let (hour, minute, second) = (cursor.digits(2)?, cursor.digits(2)?, cursor.digits(2)?);
    let nanoseconds = cursor.fraction()?;
    let offset = cursor.offset()?;
    let within = hour * 3_600 + minute * 60 + second;
    let seconds = start(date) + within - offset;
    let is_right = is_time(hour, minute, second) && cursor.0.is_empty();
    is_right.then_some(Instant::new(seconds, nanoseconds))
}

/// Reads a date, which is its beginning.
fn day(text: &str) -> Option<Instant> {
    let mut cursor = Cursor(text.as_bytes());
    let date = date(&mut cursor)?;
    cursor.0.is_empty().then(|| Instant::new(start(date), 0))
}

/// Reads `2025/11/20 12:00:00`, and `20/Nov/2025:12:00:00 +0000` as web servers have it.
fn with_slashes(text: &str) -> Option<Instant> {
    let (front, rest) = text.split_at_checked(10)?;
    if front.as_bytes().get(4) == Some(&b'/') {
        let usual = front.replace('/', "-") + rest;
        return Instant::parse_usual(&usual)
            .or_else(|| day(&usual))
            .or_else(|| offset_behind_space(&usual));
    }
    let time = jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?;
    of(time.to_timestamp().ok()?)
}

/// Reads an offset, or a word for UTC, behind a space.
fn offset_behind_space(text: &str) -> Option<Instant> {
    let (time, offset) = text.rsplit_once(' ')?;
    let offset = match offset {
        "UTC" | "GMT" | "utc" => "Z",
        offset if offset.starts_with(['+', '-', 'Z']) => offset,
        _ => return None,
    };
    Instant::parse_usual(&format!("{time}{offset}"))
}

/// Reads a time with the name of a time zone behind it in brackets.
fn named_zone(text: &str) -> Option<Instant> {
    let (time, zone) = text.strip_suffix(']')?.split_once('[')?;
    if let Some(zone) = TimeZone::get(zone).ok().filter(|_| !has_offset(time)) {
        let time: DateTime = time.parse().ok()?;
        return of(zone.to_ambiguous_timestamp(time).compatible().ok()?);
    }
    Instant::parse_usual(time)
}

fn has_offset(time: &str) -> bool {
    time.ends_with(['Z', 'z']) || time.get(11..).is_some_and(|rest| rest.contains(['+', '-']))
}

/// Reads `Thu, 20 Nov 2025 12:00:00 GMT` and `Thu Nov 20 12:00:00 2025`.
fn words(text: &str) -> Option<Instant> {
    if let Ok(time) = rfc2822::parse(text) {
        return of(time.timestamp());
    }
    let time = DateTime::strptime("%a %b %d %H:%M:%S %Y", text).ok()?;
    of(TimeZone::UTC.to_timestamp(time).ok()?)
}

fn of(time: Timestamp) -> Option<Instant> {
    let nanoseconds = time.as_nanosecond();
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
    let rest = u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).ok()?;
    Some(Instant::new(seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_times_by_their_size() {
        let expected = Instant::parse("2024-01-13T00:33:05Z");
        for text in [
            "1705105985",
            "1705105985000",
            "1705105985000000",
            "1705105985000000000",
            "1705105985.0",
        ] {
            assert_eq!(Instant::parse(text), expected, "{text}");
        }
        let exact = Instant::parse("2024-01-13T00:33:05.123456Z");
        for text in ["1705105985.123456", "1705105985123456", "1705105985123.456"] {
            assert_eq!(Instant::parse(text), exact, "{text}");
        }
    }

    #[test]
    fn odd_texts_are_times() {
        let expected = Instant::parse("2025-11-20T12:00:00Z");
        for text in [
            "20251120T120000Z",
            "2025-11-20T17:30:00 +05:30",
            "2025-11-20 12:00:00 UTC",
            "2025-11-20T12:00:00 Z",
            "2025-11-20T13:00:00[Europe/Berlin]",
            "2025-11-20T13:00:00+01:00[Europe/Berlin]",
            "Thu, 20 Nov 2025 12:00:00 GMT",
            "Thu Nov 20 12:00:00 2025",
            "2025-11-20 12:00:00,000",
            "2025/11/20 12:00:00",
            "2025/11/20 12:00:00.000 +0000",
            "20/Nov/2025:13:00:00 +0100",
        ] {
            assert_eq!(Instant::parse(text), expected, "{text}");
        }
        assert_eq!(
            Instant::parse("2025-11-20"),
            Instant::parse("2025-11-20T00:00Z")
        );
    }
}

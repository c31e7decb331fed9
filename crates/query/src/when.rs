//! Times as people type them.

use jiff::Zoned;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::time::Instant;

/// A text that names no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a time such as 2025-11-20T04:30:00Z, '2025-11-20 04:30', 2025-11-20, 04:30, \
     now, today, yesterday, -3h or '2 days ago'"
)]
pub struct TimeError;

/// Reads a time: RFC 3339, a date, a time of today, `now`, `today`, `yesterday`,
/// or how long ago, as `-3h`, `1h30m` or `2 days ago`.
///
/// Where the text names no offset, the system's time zone counts. A date is its
/// beginning. A day and a week are always 24 and 168 hours.
///
/// # Errors
/// [`TimeError`] where the text is none of these.
///
/// ```
/// let time = query::parse_time("2025-11-20T05:30:00+01:00")?;
/// assert_eq!(Some(time), query::Instant::parse("2025-11-20T04:30:00Z"));
/// # Ok::<(), query::TimeError>(())
/// ```
pub fn parse_time(text: &str) -> Result<Instant, TimeError> {
    parse_at(text, &Zoned::now()).ok_or(TimeError)
}

fn parse_at(text: &str, now: &Zoned) -> Option<Instant> {
    let text = text.trim();
    let zone = now.time_zone();
    let (today, yesterday) = (now.date(), now.date().yesterday().ok());
    match text.to_ascii_lowercase().as_str() {
        "now" => return Some(instant(now)),
        "today" => return midnight(today, zone),
        "yesterday" => return midnight(yesterday?, zone),
        "tomorrow" => return midnight(today.tomorrow().ok()?, zone),
        _ => {}
    }
    if let Some(seconds) = ago(text) {
        let then = now.timestamp().as_nanosecond() - i128::from(seconds) * 1_000_000_000;
        return from_nanoseconds(then);
    }
    absolute(text, today, zone)
}

fn absolute(text: &str, today: Date, zone: &TimeZone) -> Option<Instant> {
    if let Ok(date) = text.parse::<Date>()
        && text.len() == 10
    {
        return midnight(date, zone);
    }
    // Times of day first: they would pass for hours of an offset.
    if text.len() <= 15
        && text.contains(':')
        && let Ok(time) = text.parse::<Time>()
    {
        return local(today.to_datetime(time), zone);
    }
    let has_offset = text.ends_with(['Z', 'z']) || text.get(16..)?.contains(['+', '-']);
    if has_offset {
        return Instant::parse(text);
    }
    local(text.parse::<DateTime>().ok()?, zone)
}

/// Reads how many seconds ago something was: `-3h`, `90m`, `1h30m`, `2 days ago`.
fn ago(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let text = text.strip_prefix('-').unwrap_or(&text);
    let mut rest = text.strip_suffix("ago").unwrap_or(text).trim();
    if rest.is_empty() {
        return None;
    }
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic());
        let (unit, behind) = behind.split_at(letters.unwrap_or(behind.len()));
        let part = number.parse::<u64>().ok()?.checked_mul(unit_of(unit)?)?;
        seconds = seconds.checked_add(part)?;
        rest = behind.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
    Some(seconds)
}

fn unit_of(name: &str) -> Option<u64> {
    Some(match name {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    })
}

fn midnight(date: Date, zone: &TimeZone) -> Option<Instant> {
    local(date.to_datetime(Time::midnight()), zone)
}

fn local(time: DateTime, zone: &TimeZone) -> Option<Instant> {
    // Of a time that occurs twice the first one, of one that is left out the next.
    let zoned = zone.to_ambiguous_zoned(time).compatible().ok()?;
    Some(instant(&zoned))
}

fn instant(time: &Zoned) -> Instant {
    from_nanoseconds(time.timestamp().as_nanosecond()).unwrap_or(Instant::EPOCH)
}

fn from_nanoseconds(nanoseconds: i128) -> Option<Instant> {
    const SECOND: i128 = 1_000_000_000;
    let seconds = i64::try_from(nanoseconds.div_euclid(SECOND)).ok()?;
    let rest = u32::try_from(nanoseconds.rem_euclid(SECOND)).ok()?;
    Some(Instant::new(seconds, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2025-11-20T14:30:00+01:00[Europe/Berlin]";

    fn parsed(text: &str) -> Option<Instant> {
        parse_at(text, &NOW.parse().unwrap())
    }

    #[test]
    fn all_forms_are_understood() {
        for (text, expected) in [
            ("2025-11-20T04:30:00Z", "2025-11-20T04:30:00Z"),
            ("2025-11-20t04:30:00.5z", "2025-11-20T04:30:00.5Z"),
            ("2025-11-20 04:30:00-05:00", "2025-11-20T09:30:00Z"),
            ("2025-11-20T04:30:00", "2025-11-20T03:30:00Z"),
            ("2025-11-20 04:30", "2025-11-20T03:30:00Z"),
            ("2025-07-20 04:30", "2025-07-20T02:30:00Z"),
            ("2025-11-19", "2025-11-18T23:00:00Z"),
            ("04:30", "2025-11-20T03:30:00Z"),
            ("04:30:15.25", "2025-11-20T03:30:15.25Z"),
            ("now", "2025-11-20T13:30:00Z"),
            ("Today", "2025-11-19T23:00:00Z"),
            ("yesterday", "2025-11-18T23:00:00Z"),
            ("tomorrow", "2025-11-20T23:00:00Z"),
            ("-3h", "2025-11-20T10:30:00Z"),
            ("90m", "2025-11-20T12:00:00Z"),
            ("-1h30m", "2025-11-20T12:00:00Z"),
            ("2 days ago", "2025-11-18T13:30:00Z"),
            ("1 week, 1 hour ago", "2025-11-13T12:30:00Z"),
            ("45s", "2025-11-20T13:29:15Z"),
        ] {
            let expected = Instant::parse(expected);
            assert!(expected.is_some());
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn a_day_begins_when_it_does_there() {
        // Clocks go forward at midnight in Santiago, so that day begins at one.
        let now = "2025-09-07T12:00:00-03:00[America/Santiago]";
        let today = parse_at("today", &now.parse().unwrap());
        assert_eq!(today, Instant::parse("2025-09-07T04:00:00Z"));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "-",
            "ago",
            "soon",
            "3",
            "-3",
            "3 fortnights ago",
            "h3",
            "25:00",
            "2025-13-01",
            "2025-11-20T25:00:00Z",
            "20251120",
            "99999999999999999999h",
            "9999999999999999w",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[0-9a-zTZ:+. \\[\\]/-]{0,30}") {
            let same = parsed(&text);
            prop_assert_eq!(same, parsed(&text));
        }

        #[test]
        fn how_long_ago_counts_back(hours in 0..9_000_u32, minutes in 0..10_000_u32) {
            let expected = Instant::parse("2025-11-20T13:30:00Z").unwrap();
            let seconds = u64::from(hours) * 3_600 + u64::from(minutes) * 60;
            let expected = expected.earlier(std::time::Duration::from_secs(seconds));
            prop_assert_eq!(parsed(&format!("-{hours}h{minutes}m")), Some(expected));
            prop_assert_eq!(parsed(&format!("{hours} hours {minutes} minutes ago")), Some(expected));
        }
    }
}

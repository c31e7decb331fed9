//! A time as clients and records write it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads RFC 3339; a time without an offset is taken as UTC, as in a record.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let time: DateTime = text.parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_an_offset_is_utc() {
        let utc = parse("2025-11-20T04:30:00Z");
        assert!(utc.is_some());
        assert_eq!(parse("2025-11-20T04:30:00"), utc);
        assert_eq!(parse("2025-11-20T05:30:00+01:00"), utc);
        assert_eq!(parse("2025-11-20T04:30:00.000000"), utc);
        assert_eq!(parse("yesterday"), None);
    }
}

//! Times in the time zone of whoever reads them.

use jiff::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::time::Instant;

/// The time zone in which times are shown.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// The system's time zone (`TZ`).
    #[must_use]
    pub fn local() -> Self {
        Self(TimeZone::system())
    }

    /// UTC.
    #[must_use]
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Returns an instant in this zone; `None` where the calendar ends before.
    pub(crate) fn at(&self, time: Instant) -> Option<Zoned> {
        let (seconds, nanoseconds) = time.parts();
        let nanoseconds = i32::try_from(nanoseconds).ok()?;
        let stamp = Timestamp::new(seconds, nanoseconds).ok()?;
        Some(stamp.to_zoned(self.0.clone()))
    }

    /// Writes a timestamp as `2025-11-20 04:30:00`, or as it is where it can't be read.
    #[must_use]
    pub fn date_and_time(&self, text: &str) -> String {
        let zoned = Instant::parse(text).and_then(|time| self.at(time));
        zoned.map_or_else(
            || text.to_owned(),
            |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        )
    }

    /// Returns the name that people know it by.
    #[must_use]
    pub fn name(&self) -> String {
        match self.0.iana_name() {
            Some(name) => name.to_owned(),
            None => "local time".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_zone() {
        let berlin = Zone(TimeZone::get("Europe/Berlin").unwrap());
        let time = "2025-07-20T22:30:00.999Z";
        assert_eq!(berlin.date_and_time(time), "2025-07-21 00:30:00");
        assert_eq!(Zone::utc().date_and_time(time), "2025-07-20 22:30:00");
        assert_eq!(berlin.name(), "Europe/Berlin");
    }

    #[test]
    fn what_is_no_time_stays_as_it_is() {
        assert_eq!(Zone::utc().date_and_time("soon"), "soon");
    }
}

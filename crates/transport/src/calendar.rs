//! The wall clock in the calendar of a time zone.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Returns a time as the calendar knows it; `None` far outside of it.
pub(crate) fn timestamp(time: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(time).ok()
}

/// Returns the local time as `YYYYMMDD_HHMMSS`, for an archive's name.
pub(crate) fn local_stamp(time: SystemTime, zone: &TimeZone) -> String {
    match timestamp(time) {
        Some(time) => time
            .to_zoned(zone.clone())
            .strftime("%Y%m%d_%H%M%S")
            .to_string(),
        None => "undated".to_owned(),
    }
}

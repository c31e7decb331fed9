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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_the_time_of_its_zone() {
        // Written out, so that the test needs no time zone files.
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let stamp = local_stamp(SystemTime::UNIX_EPOCH, &berlin);
        assert_eq!(stamp, "19700101_010000");
    }
}

//! Times as a report tells them.

use jiff::Zoned;

use crate::time::Instant;
use crate::zone::Zone;

pub(super) fn zoned(milliseconds: i64, zone: &Zone) -> Option<Zoned> {
    zone.at(Instant::from_milliseconds(milliseconds))
}

/// Writes a time as RFC 3339 with the zone's offset.
pub(super) fn text(milliseconds: i64, zone: &Zone) -> Option<String> {
    let time = zoned(milliseconds, zone)?;
    let format = if time.offset().is_zero() {
        "%Y-%m-%dT%H:%M:%S%.3fZ"
    } else {
        "%Y-%m-%dT%H:%M:%S%.3f%:z"
    };
    Some(time.strftime(format).to_string())
}

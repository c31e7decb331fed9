//! Lengths of time as people say them.

/// Writes a length of time in seconds, such as `1 h 30 min`.
///
/// ```
/// assert_eq!(render::duration(4.0), "4.0 s");
/// assert_eq!(render::duration(5_400.0), "1 h 30 min");
/// ```
#[must_use]
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round();
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    let (minutes, hours, days) = (whole / 60.0, whole / 3_600.0, whole / 86_400.0);
    match () {
        () if whole < 60.0 => format!("{whole:.0} s"),
        () if whole < 3_600.0 => format!("{} min {:.0} s", minutes.floor(), whole % 60.0),
        () if whole < 86_400.0 => {
            format!("{} h {} min", hours.floor(), (minutes % 60.0).floor())
        }
        () => format!("{} d {} h", days.floor(), (hours % 24.0).floor()),
    }
}

/// A length of time in few columns.
pub(crate) fn short(seconds: f64) -> String {
    match seconds {
        _ if seconds < 100.0 => format!("{seconds:.1}s"),
        _ if seconds < 6_000.0 => format!("{:.1}m", seconds / 60.0),
        _ if seconds < 360_000.0 => format!("{:.1}h", seconds / 3_600.0),
        _ => format!("{:.1}d", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_as_people_say_them() {
        for (seconds, expected) in [
            (0.0, "0.0 s"),
            (0.25, "0.2 s"),
            (59.0, "59 s"),
            (59.6, "1 min 0 s"),
            (75.0, "1 min 15 s"),
            (3_700.0, "1 h 1 min"),
            (5_400.0, "1 h 30 min"),
            (180_000.0, "2 d 2 h"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}

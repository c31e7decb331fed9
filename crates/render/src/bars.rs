//! Bars of text.

/// Eighths of a column, from one to all of them.
const EIGHTHS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// Draws a part of a whole as a bar of up to `columns` columns; no part that is not
/// nothing is drawn as nothing.
pub(crate) fn bar(part: u64, whole: u64, columns: usize) -> String {
    let most = columns as u128 * 8;
    let eighths = (u128::from(part) * most + u128::from(whole) / 2) / u128::from(whole.max(1));
    let eighths = eighths.max(u128::from(part > 0)).min(most);
    let eighths = usize::try_from(eighths).unwrap_or(0);
    let mut bar = EIGHTHS[7].repeat(eighths / 8);
    if let Some(rest) = (eighths % 8).checked_sub(1).and_then(|at| EIGHTHS.get(at)) {
        bar.push_str(rest);
    }
    bar
}

/// Writes a length of time as people say it, such as `1 h 30 min`.
pub(crate) fn duration(seconds: f64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_part() {
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(1, 1_000_000, 4), "▏");
        assert_eq!(bar(3, 16, 2), "▍");
        assert_eq!(bar(0, 0, 4), "");
    }

    #[test]
    fn lengths_of_time_are_as_people_say_them() {
        for (seconds, expected) in [
            (0.25, "0.2 s"),
            (59.6, "1 min 0 s"),
            (75.0, "1 min 15 s"),
            (5_400.0, "1 h 30 min"),
            (180_000.0, "2 d 2 h"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}

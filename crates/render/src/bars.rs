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
}

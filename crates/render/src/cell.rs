//! Text in a cell of a fixed number of columns.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use query::sanitise;

/// Stands for the part of a text for which there is no room.
const MORE: char = '…';
/// Accents take no column of their own. At most this many characters share one.
const STACKED: usize = 4;

/// Returns text on one line, fit to be shown: whitespace becomes single spaces.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&sanitise(word));
    }
    line
}

/// Returns the beginning of a text that holds all that `one_line` needs for so
/// many columns, so that a long text costs no more than a short one.
pub(crate) fn beginning(text: &str, columns: usize) -> &str {
    let most = columns.saturating_add(1).saturating_mul(STACKED);
    if text.len() <= most {
        return text;
    }
    match text
        .char_indices()
        .filter(|(_, c)| !c.is_whitespace())
        .nth(most)
    {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// Writes text into exactly `columns` columns: cut where it is longer, and filled
/// with spaces where it is shorter.
pub(crate) fn push_cell(text: &str, columns: usize, out: &mut String) {
    let used = push_cut(text, columns, out);
    let _infallible = write!(out, "{:1$}", "", columns.saturating_sub(used));
}

/// The same for numbers, which stand at the right.
pub(crate) fn push_right(text: &str, columns: usize, out: &mut String) {
    let width = text.chars().map(width).sum::<usize>();
    let _infallible = write!(out, "{:1$}", "", columns.saturating_sub(width));
    out.push_str(text);
}

/// Writes the beginning of a text that has room, and returns how many columns it takes.
pub(crate) fn push_cut(text: &str, columns: usize, out: &mut String) -> usize {
    let mut used = 0;
    // Where the text could be cut so that there is room for the sign.
    let mut cut = (out.len(), 0);
    for (at, c) in text.chars().enumerate() {
        if used + width(c) > columns || at >= columns.saturating_mul(STACKED) {
            out.truncate(cut.0);
            if columns > 0 {
                out.push(MORE);
                return cut.1 + 1;
            }
            return cut.1;
        }
        out.push(c);
        used += width(c);
        if used < columns {
            cut = (out.len(), used);
        }
    }
    used
}

fn width(c: char) -> usize {
    c.width().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn cell(text: &str, columns: usize) -> String {
        let mut out = String::new();
        push_cell(text, columns, &mut out);
        out
    }

    #[test]
    fn cells_are_as_wide_as_asked_for() {
        assert_eq!(cell("abc", 5), "abc  ");
        assert_eq!(cell("abcde", 5), "abcde");
        assert_eq!(cell("abcdef", 5), "abcd…");
        assert_eq!(cell("日本語", 6), "日本語");
        assert_eq!(cell("日本語", 5), "日本…");
        assert_eq!(cell("日本語", 4), "日… ");
        assert_eq!(cell("abc", 0), "");
    }

    #[test]
    fn text_comes_to_one_line() {
        assert_eq!(one_line(" a\r\n\tb\u{1b}[0m\u{2028}c "), "a b\\u001b[0m c");
    }

    proptest! {
        #[test]
        fn any_text_fits(text in "[a-zü日👋\u{300}\u{ac00} ]{0,40}", columns in 0..30_usize) {
            let line = one_line(&text);
            // Accents on nothing are not counted the same way everywhere.
            let by_char = cell(&line, columns).chars().map(width).sum::<usize>();
            prop_assert_eq!(by_char, columns);
            if !line.contains('\u{300}') {
                prop_assert_eq!(cell(&line, columns).width(), columns);
            }
        }

        #[test]
        fn the_beginning_is_enough(text in "[a日 \n]{0,200}", columns in 0..20_usize) {
            let whole = one_line(&text);
            let part = one_line(beginning(&text, columns));
            prop_assert_eq!(cell(&whole, columns), cell(&part, columns));
        }
    }
}

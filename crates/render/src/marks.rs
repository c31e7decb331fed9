//! What was searched, shown where it is found.

use std::fmt::Write;
use std::ops::Range;

use anstyle::Style;
use query::Marks;

/// Writes a text in a style, and what is found in it in another.
pub(crate) fn paint(marks: &Marks, text: &str, style: Style, mark: Style, out: &mut String) {
    let mut from = 0;
    let mut put = |range: Range<usize>, style: Style| {
        let part = text.get(range).unwrap_or_default();
        if !part.is_empty() {
            let _infallible = write!(out, "{style}{part}{style:#}");
        }
    };
    for range in marks.ranges(text) {
        put(from..range.start, style);
        put(range.clone(), mark);
        from = range.end;
    }
    put(from..text.len(), style);
}

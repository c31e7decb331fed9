//! Text with what was searched marked, as far as it is drawn.

use std::io::{self, Write};

use query::Marks;

use super::escape::EscapedLines;

/// Says that there is more than is drawn.
pub(super) fn write_rest(length: usize, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    match length > limit {
        true => writeln!(out, "<p class=\"rest\">{length} bytes in all</p>"),
        false => Ok(()),
    }
}

/// The beginning of a text, in whole characters.
pub(super) fn clipped(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev();
    let mut ends = end.filter(|at| text.is_char_boundary(*at));
    text.get(..ends.next().unwrap_or(0)).unwrap_or_default()
}

/// Writes text, with what was searched marked.
pub(super) fn write_marked(text: &str, marks: &Marks, out: &mut dyn Write) -> io::Result<()> {
    let mut from = 0;
    for range in marks.ranges(text) {
        let before = text.get(from..range.start).unwrap_or_default();
        let found = text.get(range.clone()).unwrap_or_default();
        write!(
            out,
            "{}<mark>{}</mark>",
            EscapedLines(before),
            EscapedLines(found)
        )?;
        from = range.end;
    }
    write!(
        out,
        "{}",
        EscapedLines(text.get(from..).unwrap_or_default())
    )
}

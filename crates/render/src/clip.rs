//! Lines that are cut where there are too many, or where they are too long.

use std::io::{self, Write};

use anstyle::Style;

use query::Marks;
use query::sanitise;

/// How much of a message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lines of content.
    pub lines: usize,
    /// Characters of a line of content.
    pub columns: usize,
    /// Characters of each other field.
    pub field: usize,
    /// Tells, where something was cut, how to see all of it.
    pub hint: &'static str,
}

impl Limits {
    /// Shows a message as a whole.
    pub const NONE: Self = Self {
        lines: usize::MAX,
        columns: usize::MAX,
        field: usize::MAX,
        hint: "",
    };

    /// Shows what fits on a screen, and says how to see more.
    #[must_use]
    pub const fn screen(hint: &'static str) -> Self {
        Self {
            lines: 40,
            columns: 1000,
            field: 200,
            hint,
        }
    }

    /// Returns a field's text, fit to be shown on one line.
    pub(crate) fn field(&self, text: &str) -> String {
        let (shown, hidden) = cut(text, self.field);
        match hidden {
            0 if text.is_empty() => "(empty)".to_owned(),
            0 => sanitise(shown).into_owned(),
            more => format!("{}... ({more} more characters)", sanitise(shown)),
        }
    }
}

/// Cuts a text behind `columns` characters, and returns how many are missing.
fn cut(text: &str, columns: usize) -> (&str, usize) {
    // No text has more characters than bytes.
    if text.len() <= columns {
        return (text, 0);
    }
    match text.char_indices().nth(columns) {
        Some((end, _)) => {
            let (shown, hidden) = text.split_at(end);
            (shown, hidden.chars().count())
        }
        None => (text, 0),
    }
}

/// Writes untrusted text line by line within limits, and counts what it leaves out.
pub(crate) struct Clip<'w> {
    out: &'w mut dyn Write,
    limits: Limits,
    /// Lines ended so far, those left out included.
    lines: usize,
    /// Characters of the line so far, and how many of them are left out.
    columns: usize,
    hidden: usize,
    /// Whether the end of some line was left out.
    has_cut: bool,
    /// What was searched, and how it is shown.
    marks: Option<(&'w Marks, Style)>,
}

impl<'w> Clip<'w> {
    pub(crate) fn new(out: &'w mut dyn Write, limits: Limits) -> Self {
        Self {
            out,
            limits,
            lines: 0,
            columns: 0,
            hidden: 0,
            has_cut: false,
            marks: None,
        }
    }

    /// Shows what was searched where it is found.
    pub(crate) fn with_marks(mut self, marks: &'w Marks, style: Style) -> Self {
        self.marks = Some((marks, style));
        self
    }

    /// Goes on in the line; a line break within the text is made visible.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        if self.lines >= self.limits.lines {
            return Ok(());
        }
        let room = self.limits.columns.saturating_sub(self.columns);
        let (shown, hidden) = cut(text, room);
        self.hidden += hidden;
        if self.limits.columns < usize::MAX {
            self.columns += shown.chars().count() + hidden;
        }
        let clean = sanitise(shown);
        match self.marks {
            Some((marks, style)) => {
                let mut painted = String::with_capacity(clean.len());
                crate::marks::paint(marks, &clean, Style::new(), style, &mut painted);
                self.out.write_all(painted.as_bytes())
            }
            None => self.out.write_all(clean.as_bytes()),
        }
    }

    /// Writes a line that is laid out already, between marks of its own: `styled` is
    /// the same as `plain` with its styles.
    pub(crate) fn row(&mut self, mark: &str, plain: &str, styled: &str) -> io::Result<()> {
        if self.lines >= self.limits.lines {
            return Ok(());
        }
        let room = self.limits.columns.saturating_sub(mark.chars().count());
        let (shown, hidden) = cut(plain, room);
        self.hidden += hidden;
        match hidden {
            0 => write!(self.out, "{mark}{styled}"),
            _ => write!(self.out, "{mark}{shown}"),
        }
    }

    /// Ends the line.
    pub(crate) fn end_line(&mut self) -> io::Result<()> {
        if self.lines < self.limits.lines {
            if self.hidden > 0 {
                write!(self.out, "... ({} more characters)", self.hidden)?;
                self.has_cut = true;
            }
            self.out.write_all(b"\n")?;
        }
        self.lines += 1;
        (self.columns, self.hidden) = (0, 0);
        Ok(())
    }

    /// Ends the last line, and tells what was left out.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.end_line()?;
        let hint = self.limits.hint;
        match self.lines.saturating_sub(self.limits.lines) {
            0 if self.has_cut => writeln!(self.out, "[... long lines are cut: {hint}]"),
            0 => Ok(()),
            more => writeln!(self.out, "[... {more} more lines: {hint}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Limits = Limits {
        lines: 2,
        columns: 5,
        field: 3,
        hint: "ask for more",
    };

    fn clipped(limits: Limits, lines: &[&[&str]]) -> String {
        let mut out = Vec::new();
        let mut clip = Clip::new(&mut out, limits);
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                clip.end_line().unwrap();
            }
            for text in *line {
                clip.text(text).unwrap();
            }
        }
        clip.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_fits_is_shown_as_it_is() {
        assert_eq!(clipped(SMALL, &[&["äöü", "ßé"], &["x"]]), "äöüßé\nx\n");
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let shown = clipped(SMALL, &[&["a"], &["b"], &["c"], &["d"]]);
        assert_eq!(shown, "a\nb\n[... 2 more lines: ask for more]\n");
    }

    #[test]
    fn long_lines_are_cut() {
        let shown = clipped(SMALL, &[&["äöü", "ßéx", "yz"], &["b"]]);
        assert_eq!(
            shown,
            "äöüßé... (3 more characters)\nb\n[... long lines are cut: ask for more]\n"
        );
    }

    #[test]
    fn without_limits_nothing_is_cut() {
        let long = "x".repeat(100_000);
        let lines: Vec<&[&str]> = vec![&["y"]; 1000];
        assert_eq!(clipped(Limits::NONE, &lines), "y\n".repeat(1000));
        assert_eq!(clipped(Limits::NONE, &[&[&long]]), long + "\n");
    }

    #[test]
    fn a_line_break_within_text_does_not_break_the_line() {
        assert_eq!(clipped(SMALL, &[&["a\nb"]]), "a\\u000ab\n");
    }

    #[test]
    fn fields_are_cut_and_fit_to_be_shown() {
        assert_eq!(SMALL.field("äöü"), "äöü");
        assert_eq!(
            SMALL.field("a\u{1b}cdé"),
            "a\\u001bc... (2 more characters)"
        );
        assert_eq!(SMALL.field(""), "(empty)");
        assert_eq!(Limits::NONE.field("abcdef"), "abcdef");
    }
}

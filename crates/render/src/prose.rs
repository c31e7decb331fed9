//! Text as text: its own lines, wrapped at words, with the little that a terminal
//! can show of Markdown. Without colours and width it stays as it was written.

use anstyle::Style;
use unicode_width::UnicodeWidthChar;

use crate::colour::Paint;
use crate::layout::Layout;
use query::sanitise;

/// Shown in place of a tab.
const TAB: &str = "    ";

/// A line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// What can be read of it.
    pub(crate) plain: String,
    /// The same with its styles.
    pub(crate) styled: String,
}

/// Lays a text out in rows of up to `columns` columns.
pub(crate) fn rows(text: &str, columns: Option<usize>, layout: &Layout, paint: &Paint) -> Vec<Row> {
    let mut prose = Prose {
        columns: columns.map(|columns| columns.max(10)),
        layout,
        paint,
        fence: None,
        rows: Vec::new(),
    };
    let text = text.strip_suffix('\n').unwrap_or(text);
    let lines: Vec<&str> = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect();
    let mut at = 0;
    while at < lines.len() {
        let table = table_length(&lines[at..]);
        if prose.fence.is_none() && table > 1 {
            prose.table(&lines[at..at + table]);
            at += table;
        } else {
            prose.line(lines[at]);
            at += 1;
        }
    }
    prose.rows
}

struct Prose<'a> {
    columns: Option<usize>,
    layout: &'a Layout,
    paint: &'a Paint,
    /// What ends the block of code that is open.
    fence: Option<String>,
    rows: Vec<Row>,
}

/// A character and its style, which are words later.
type Letters = Vec<(char, Style)>;

impl Prose<'_> {
    fn line(&mut self, line: &str) {
        let line = line.replace('\t', TAB);
        let clean = sanitise(&line);
        let start = clean.trim_start();
        if let Some(fence) = &self.fence {
            let is_end = start.trim_end() == fence;
            let style = if is_end {
                self.paint.dim()
            } else {
                self.paint.code()
            };
            self.fence = self.fence.take().filter(|_| !is_end);
            return self.put(letters(&clean, style), 0, false);
        }
        if let Some(fence) = fence_of(start) {
            self.fence = Some(fence);
            return self.put(letters(&clean, self.paint.dim()), 0, false);
        }
        if is_heading(start) {
            return self.put(letters(&clean, self.paint.bold()), 0, true);
        }
        let hanging = clean.chars().count() - start.chars().count() + marker_length(start);
        self.put(inline(&clean, self.paint), hanging, true);
    }

    /// Writes letters in rows; the second one and those behind it are indented.
    fn put(&mut self, letters: Letters, hanging: usize, at_words: bool) {
        let columns = self.columns.unwrap_or(usize::MAX);
        let hanging = if hanging * 2 < columns { hanging } else { 0 };
        let mut rest = &letters[..];
        let mut is_first = true;
        loop {
            let indent = if is_first { 0 } else { hanging };
            let taken = fitting(rest, columns.saturating_sub(indent), at_words);
            let (row, behind) = rest.split_at(taken);
            self.row(row, indent);
            let spaces = behind.iter().take_while(|(c, _)| *c == ' ').count();
            rest = behind
                .get(if at_words { spaces } else { 0 }..)
                .unwrap_or_default();
            if rest.is_empty() {
                return;
            }
            is_first = false;
        }
    }

    fn row(&mut self, letters: &[(char, Style)], indent: usize) {
        let mut plain = " ".repeat(indent);
        let mut styled = plain.clone();
        let mut part = String::new();
        let mut style = Style::new();
        let marks = &self.layout.marks;
        for (c, of) in letters {
            if *of != style {
                crate::marks::paint(marks, &part, style, self.paint.mark(), &mut styled);
                part.clear();
                style = *of;
            }
            part.push(*c);
            plain.push(*c);
        }
        crate::marks::paint(marks, &part, style, self.paint.mark(), &mut styled);
        plain.truncate(plain.trim_end().len());
        self.rows.push(Row { plain, styled });
    }

    /// Writes a table with its columns one below the other, where it fits.
    fn table(&mut self, lines: &[&str]) {
        let rows: Vec<Vec<String>> = lines.iter().map(|line| cells(line)).collect();
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| {
            rows.iter()
                .filter_map(|row| Some(width_of(row.get(at)?)))
                .max()
        };
        let widths: Vec<usize> = (0..count).map(|at| width(at).unwrap_or(0).max(3)).collect();
        let all: usize = widths.iter().map(|width| width + 3).sum::<usize>() + 1;
        if self.columns.is_some_and(|columns| all > columns) {
            lines.iter().for_each(|line| self.line(line));
            return;
        }
        for (at, row) in rows.iter().enumerate() {
            let mut line = String::from("|");
            for (column, width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                let is_rule = at == 1 && is_rule(cell);
                let cell = if is_rule {
                    "-".repeat(*width)
                } else {
                    cell.to_owned()
                };
                let fill = width.saturating_sub(width_of(&cell));
                line.push_str(&format!(" {cell}{} |", " ".repeat(fill)));
            }
            let letters = match at {
                0 => letters(&line, self.paint.bold()),
                _ => inline(&line, self.paint),
            };
            self.put(letters, 0, true);
        }
    }
}

fn letters(text: &str, style: Style) -> Letters {
    text.chars().map(|c| (c, style)).collect()
}

/// Gives code and stressed words in a line their styles.
fn inline(line: &str, paint: &Paint) -> Letters {
    let mut found = Letters::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, marked) = rest.split_at(at);
        found.extend(letters(before, paint.plain()));
        let mark = if marked.starts_with('`') { "`" } else { "**" };
        let inside = marked.strip_prefix(mark).unwrap_or_default();
        let end = inside.find(mark).filter(|end| *end > 0);
        let Some(end) = end.filter(|_| !inside.starts_with([' ', '*', '`'])) else {
            let length = marked.chars().next().map_or(1, char::len_utf8);
            found.extend(letters(&marked[..length], paint.plain()));
            rest = &marked[length..];
            continue;
        };
        let length = mark.len() * 2 + end;
        let style = if mark == "`" {
            paint.code()
        } else {
            paint.bold()
        };
        found.extend(letters(&marked[..length], style));
        rest = &marked[length..];
    }
    found.extend(letters(rest, paint.plain()));
    found
}

/// Returns how many letters fit into a row: up to the last space, if there is one.
fn fitting(letters: &[(char, Style)], columns: usize, at_words: bool) -> usize {
    let mut used = 0;
    let mut space = 0;
    for (at, (c, _)) in letters.iter().enumerate() {
        used += c.width().unwrap_or(1);
        if used > columns && at > 0 {
            let is_end = *c == ' ' || space == 0;
            return if at_words && !is_end { space } else { at };
        }
        // Spaces at the beginning are no place to break.
        if *c == ' ' && letters[..at].iter().any(|(c, _)| *c != ' ') {
            space = at;
        }
    }
    letters.len()
}

fn is_heading(line: &str) -> bool {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    (1..=6).contains(&level) && line[level..].starts_with(' ')
}

/// Returns what ends a block of code that a line begins.
fn fence_of(line: &str) -> Option<String> {
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == first).count();
    let info = &line[length..];
    (length >= 3 && !info.contains('`')).then(|| first.to_string().repeat(length))
}

/// How long the mark of a list's item or of a quotation is.
fn marker_length(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let behind = &line[digits..];
    if digits > 0 && digits < 4 && (behind.starts_with(". ") || behind.starts_with(") ")) {
        return digits + 2;
    }
    let marks = ["- [ ] ", "- [x] ", "- ", "* ", "+ ", "> "];
    marks
        .iter()
        .find(|mark| line.starts_with(**mark))
        .map_or(0, |mark| mark.len())
}

/// How many lines are a table: rows between bars, of which the second is a rule.
fn table_length(lines: &[&str]) -> usize {
    let is_row = |line: &&&str| line.trim().starts_with('|') && line.trim().len() > 1;
    let length = lines.iter().take_while(is_row).count();
    let second = lines.get(1).copied().unwrap_or_default();
    let has_rule = length > 1 && cells(second).iter().all(|cell| is_rule(cell));
    if has_rule { length } else { 0 }
}

fn is_rule(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':'))
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|')
        .map(|cell| sanitise(cell.trim()).into_owned())
        .collect()
}

fn width_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str, columns: Option<usize>) -> Vec<String> {
        let rows = rows(text, columns, &Layout::default(), &Paint::new(false));
        rows.into_iter().map(|row| row.plain).collect()
    }

    #[test]
    fn lines_are_wrapped_at_words() {
        assert_eq!(
            plain("one two three four\n\nfive", Some(10)),
            ["one two", "three four", "", "five"]
        );
        assert_eq!(
            plain("- one two three\n12. one two three", Some(11)),
            ["- one two", "  three", "12. one two", "    three"]
        );
        assert_eq!(plain("日本語日本語", Some(10)), ["日本語日本", "語"]);
    }

    #[test]
    fn code_is_not_wrapped_at_words() {
        let text = "```rust\nlet a = 1; let b = 2;\n```\n# a";
        assert_eq!(
            plain(text, Some(12)),
            ["```rust", "let a = 1; l", "et b = 2;", "```", "# a"]
        );
    }

    #[test]
    fn tables_are_aligned_where_they_fit() {
        let text = "| a | bcd |\n|---|:-:|\n| long one | x |";
        assert_eq!(
            plain(text, Some(40)),
            [
                "| a        | bcd |",
                "| -------- | --- |",
                "| long one | x   |"
            ]
        );
        assert_eq!(
            plain(text, Some(12)).first().map(String::as_str),
            Some("| a | bcd |")
        );
    }

    #[test]
    fn marks_of_markdown_have_styles() {
        let paint = Paint::new(true);
        let rows = rows(
            "# head\n`code` and **bold**",
            None,
            &Layout::default(),
            &paint,
        );
        assert_eq!(rows[0].styled, "\u{1b}[1m# head\u{1b}[0m");
        assert_eq!(rows[1].plain, "`code` and **bold**");
        assert!(
            rows[1].styled.contains("\u{1b}[36m`code`\u{1b}[0m"),
            "{:?}",
            rows[1]
        );
        assert!(
            rows[1].styled.contains("\u{1b}[1m**bold**\u{1b}[0m"),
            "{:?}",
            rows[1]
        );
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in "[a-z`*#| \n-]{0,80}", columns in 10..40_usize) {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            let shown = plain(&text, Some(columns)).concat();
            prop_assert_eq!(letters(&shown), letters(&text));
            for row in plain(&text, Some(columns)) {
                prop_assert!(width_of(&row) <= columns, "{row}");
            }
        }
    }
}

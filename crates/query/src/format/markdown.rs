//! A transcript in Markdown.

use std::io::{self, Write};
use std::path::PathBuf;

use super::body::{Body, bytes_note, indented};
use super::column::Row;
use super::layout::Layout;
use crate::error::{Error, shown};
use crate::sanitise::sanitise;
use crate::select::{Sink, Summary};
use crate::source::Entry;

/// Writes a transcript that people can share.
#[derive(Debug)]
pub(super) struct MarkdownFormat<W> {
    out: W,
    path: PathBuf,
    layout: Layout,
}

impl<W: Write> MarkdownFormat<W> {
    pub(super) fn new(out: W, path: PathBuf, layout: Layout) -> Self {
        Self { out, path, layout }
    }

    fn write_message(&mut self, row: &Row<'_>) -> io::Result<()> {
        let out = &mut self.out;
        let record = &row.record;
        let (sender, topic) = (inline(&record.sender), inline(&record.topic));
        writeln!(out, "\n### \\#{} {sender} → {topic}\n", row.number)?;
        let time = self.layout.zone.date_and_time(row.time());
        let (tier, chain) = (inline(&record.tier), inline(&record.chain_type));
        write!(out, "{} · tier {tier} · {chain}", inline(&time))?;
        if let Some(id) = &record.message_id {
            write!(out, " · {}", inline(id))?;
        }
        if let Some(other) = record.links().in_reply_to {
            write!(out, " · in reply to {}", inline(&other))?;
        }
        for tag in &record.shl_tags {
            write!(out, " · {}", inline(tag))?;
        }
        writeln!(out)?;
        let body = Body::of(record);
        if let Some(text) = &body.text {
            writeln!(out)?;
            write_quote(text, out)?;
        }
        if let Some(json) = body.json {
            write_block("json", &indented(json), out)?;
        }
        if let Some((count, base64)) = &body.bytes {
            writeln!(out, "\n{}", inline(&bytes_note(*count)))?;
            write_block("text", &sanitise(base64), out)?;
        }
        Ok(())
    }
}

impl<W: Write> Sink for MarkdownFormat<W> {
    fn begin(&mut self, summary: &Summary) -> Result<(), Error> {
        writeln!(self.out, "# Conversation\n")?;
        write!(self.out, "{}", inline(&shown(&self.path)))?;
        if let Some(count) = summary.shown {
            write!(self.out, " · {count} messages")?;
        }
        let zone = self.layout.zone.name();
        writeln!(self.out, " · times in {}", inline(&zone))?;
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        match Row::read(entry) {
            Ok(row) => self.write_message(&row)?,
            Err(error) => {
                let reason = inline(&error.to_string());
                writeln!(
                    self.out,
                    "\n### \\#{} cannot be read: {reason}",
                    entry.number
                )?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

/// Writes text on one line so that nothing in it is taken for Markdown or HTML.
fn inline(text: &str) -> String {
    let clean = sanitise(text);
    let mut line = String::with_capacity(clean.len());
    for (at, c) in clean.char_indices() {
        let is_edge = at == 0 || at + c.len_utf8() == clean.len();
        match c {
            '<' => line.push_str("&lt;"),
            '>' => line.push_str("&gt;"),
            '&' => line.push_str("&amp;"),
            // Indented lines are code; what is at an edge is cut off.
            _ if c.is_whitespace() && is_edge => line.push_str("&nbsp;"),
            _ if c.is_ascii_punctuation() && !matches!(c, ',' | ';' | '\'' | '"' | '%' | '/') => {
                line.extend(['\\', c]);
            }
            _ => line.push(c),
        }
    }
    match line.is_empty() {
        true => "(empty)".to_owned(),
        false => line,
    }
}

/// Writes text as a quotation, line by line.
fn write_quote(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = text.trim_end_matches(['\n', '\r']);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let next = lines.peek().map(|next| next.trim_end_matches('\r'));
        match (line, next) {
            ("", Some(_)) => writeln!(out, ">")?,
            (line, None | Some("")) => writeln!(out, "> {}", spaced(line))?,
            (line, Some(_)) => writeln!(out, "> {}\\", spaced(line))?,
        }
    }
    Ok(())
}

/// The same as [`inline`], with the spaces at the beginning.
fn spaced(line: &str) -> String {
    let text = line.trim_start_matches([' ', '\t']);
    let indent = line.len() - text.len();
    let text = match text.is_empty() {
        true => String::new(),
        false => inline(text),
    };
    "&nbsp;".repeat(indent) + &text
}

/// Writes a block of code, within a fence that is longer than any in the text.
fn write_block(language: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut longest = 2;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    writeln!(out, "\n{fence}{language}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = Vec::new();
        write_quote(text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn markdown_and_html_are_text() {
        assert_eq!(
            inline("*a* <b> [c](d) `e` &lt;"),
            "\\*a\\* &lt;b&gt; \\[c\\]\\(d\\) \\`e\\` &amp;lt;"
        );
        assert_eq!(inline("a\n# b"), "a\\\\u000a\\# b");
        assert_eq!(inline(" a "), "&nbsp;a&nbsp;");
        assert_eq!(inline(""), "(empty)");
    }

    #[test]
    fn quotations_keep_their_lines() {
        assert_eq!(
            quoted("a\r\n# b\n\n    c\n```\n"),
            "> a\\\n> \\# b\n>\n> &nbsp;&nbsp;&nbsp;&nbsp;c\\\n> \\`\\`\\`\n"
        );
        assert_eq!(quoted(""), "> \n");
    }

    #[test]
    fn a_fence_is_longer_than_those_within() {
        let mut out = Vec::new();
        write_block("json", "a\n````\nb", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\n`````json\na\n````\nb\n`````\n");
    }
}

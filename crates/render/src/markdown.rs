//! A transcript in Markdown.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::column::Row;
use crate::layout::Layout;
use crate::number::{counted, of_message};
use crate::pretty::indented_with;
use query::Entry;
use query::sanitise;
use query::{Body, bytes_note};
use query::{Error, shown};
use query::{Sink, Summary};

/// Writes a transcript that people can share.
#[derive(Debug)]
pub(crate) struct MarkdownFormat<W> {
    out: W,
    path: PathBuf,
    layout: Layout,
}

impl<W: Write> MarkdownFormat<W> {
    pub(crate) fn new(out: W, path: PathBuf, layout: Layout) -> Self {
        Self { out, path, layout }
    }

    fn write_message(&mut self, row: &Row<'_>) -> io::Result<()> {
        let out = &mut self.out;
        let record = &row.record;
        let (sender, topic) = (inline(&record.sender), inline(&record.topic));
        writeln!(
            out,
            "\n### \\#{} {sender} → {topic}\n",
            of_message(row.number)
        )?;
        let time = self.layout.zone.date_and_time(row.time());
        let (tier, chain) = (inline(&record.tier), inline(&record.chain_type));
        write!(out, "{} · tier {tier} · {chain}", inline(&time))?;
        if let Some(key) = row.other_key() {
            write!(out, " · key {}", inline(key))?;
        }
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
            write_block("json", &without(json, body.text.as_deref()), out)?;
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
            write!(self.out, " · {}", counted(count, "message", "messages"))?;
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
                    of_message(entry.number)
                )?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

/// Writes text on one line so that nothing in it is taken for Markdown or HTML. Only
/// what Markdown could mean there is escaped: words with a hyphen stay as they are.
fn inline(text: &str) -> String {
    let clean = sanitise(text);
    let mut line = String::with_capacity(clean.len());
    let mut before = ' ';
    let mut characters = clean.chars().peekable();
    while let Some(c) = characters.next() {
        let behind = characters.peek().copied().unwrap_or(' ');
        let is_within = before.is_alphanumeric() && behind.is_alphanumeric();
        match c {
            '<' => line.push_str("&lt;"),
            '&' => line.push_str("&amp;"),
            // A lone space at an edge is cut off.
            _ if c.is_whitespace() && (line.is_empty() || characters.peek().is_none()) => {
                line.push_str("&nbsp;");
            }
            '_' if is_within => line.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' => line.extend(['\\', c]),
            '#' | '>' | '+' | '-' | '=' | ':' if line.is_empty() => line.extend(['\\', c]),
            '.' | ')' if is_ordinal(&line) => line.extend(['\\', c]),
            _ => line.push(c),
        }
        before = c;
    }
    match line.is_empty() {
        true => "(empty)".to_owned(),
        false => line,
    }
}

/// Tells whether a line that goes on with a dot would be an item of a list.
fn is_ordinal(line: &str) -> bool {
    (1..10).contains(&line.len()) && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns JSON for people, without the text that stands above it.
fn without(json: &str, text: Option<&str>) -> String {
    indented_with(json, &mut |_, token| {
        let is_above = text.is_some_and(|text| message::text(token).as_deref() == Some(text));
        is_above.then_some("\"(above)\"")
    })
}

/// Writes text as a quotation: as it was written, with its Markdown. HTML in it is
/// text, and so is what could end the quotation.
fn write_quote(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = text.trim_end_matches(['\n', '\r']);
    let mut fence: Option<String> = None;
    for line in text.split('\n') {
        let line = line
            .strip_suffix('\r')
            .unwrap_or(line)
            .replace('\t', "    ");
        let line = sanitise(&line);
        let start = line.trim_start();
        let marks = |c: char| start.chars().take_while(|other| *other == c).count();
        let length = marks('`').max(marks('~'));
        let mark = start.get(..length).unwrap_or_default().to_owned();
        match &fence {
            Some(open) if start.trim_end() == *open => fence = None,
            Some(_) => {}
            None if length > 2 => fence = Some(mark),
            None => {
                // Where code begins, HTML is none.
                writeln!(out, "> {}", line.replace('<', "&lt;"))?;
                continue;
            }
        }
        writeln!(out, "> {line}")?;
    }
    if let Some(fence) = fence {
        writeln!(out, "> {fence}")?;
    }
    Ok(())
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
    fn a_text_is_not_repeated_as_json() {
        let json = r#"{"message":"a\nb","action":"x"}"#;
        let shown = "{\n  \"message\": \"(above)\",\n  \"action\": \"x\"\n}";
        assert_eq!(without(json, Some("a\nb")), shown);
    }

    #[test]
    fn markdown_and_html_are_text() {
        assert_eq!(
            inline("*a* <b> [c](d) `e` &lt;"),
            "\\*a\\* &lt;b> \\[c\\](d) \\`e\\` &amp;lt;"
        );
        assert_eq!(inline("a\n# b"), "a\\\\u000a# b");
        assert_eq!(inline("# b"), "\\# b");
        assert_eq!(inline(" a "), "&nbsp;a&nbsp;");
        assert_eq!(inline(""), "(empty)");
        assert_eq!(inline("claude_code, 2025-11-20"), "claude_code, 2025-11-20");
    }

    #[test]
    fn texts_keep_their_markdown() {
        assert_eq!(
            quoted("a\r\n# b\n\n- *c*\n```\n<x>\n```\n<script>"),
            "> a\n> # b\n> \n> - *c*\n> ```\n> <x>\n> ```\n> &lt;script>\n"
        );
        assert_eq!(quoted("```\nopen"), "> ```\n> open\n> ```\n");
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

//! Messages as blocks of text.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use message::ContentKind;

use super::Clip;
use super::body::decoded_len;
use super::clip::Limits;
use super::colour::Paint;
use crate::error::{Error, shown};
use crate::pretty::indent;
use crate::select::{Counts, Sink, Summary};
use crate::source::Entry;

/// Stands before and behind each message.
const RULE: &str =
    "================================================================================";
/// Stands before each line of a text, which could otherwise pass for one of the
/// lines around it.
const QUOTE: &str = "| ";
/// How far a reply stands to the right of what it replies to.
const STEP: usize = 4;
/// Deeper replies stand no further to the right.
const DEEPEST: usize = 10;
/// Length of a line of base64.
const BASE64_LINE: usize = 76;

/// Writes messages for people to read.
#[derive(Debug)]
pub struct TextFormat<W> {
    out: W,
    path: PathBuf,
    limits: Limits,
    is_filtered: bool,
    paint: Paint,
}

impl<W: Write> TextFormat<W> {
    /// Writes to `out` what is read from `path`. `is_filtered` tells whether
    /// only some of the messages were asked for.
    pub fn new(out: W, path: &Path, limits: Limits, is_filtered: bool) -> Self {
        Self {
            out,
            path: path.to_owned(),
            limits,
            is_filtered,
            paint: Paint::new(false),
        }
    }

    /// Gives senders colours, on a terminal.
    #[must_use]
    pub fn with_colours(mut self, is_coloured: bool) -> Self {
        self.paint = Paint::new(is_coloured);
        self
    }

    fn write_message(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let (limits, paint) = (&self.limits, self.paint);
        let dim = paint.dim();
        let out = &mut Indent::new(&mut self.out, entry.depth);
        let record = match entry.record() {
            Ok(record) => record,
            Err(error) => return writeln!(out, "\n[#{}] cannot be read: {error}", entry.number),
        };
        let field = |text: &str| limits.field(text);
        writeln!(out, "\n{dim}{RULE}{dim:#}")?;
        let (sender, topic) = (field(&record.sender), field(&record.topic));
        let style = paint.sender(&record.sender);
        writeln!(
            out,
            "[#{}] {style}{sender}{style:#} → {topic}",
            entry.number
        )?;
        writeln!(out, "[TIME] {}", field(&record.timestamp))?;
        let (tier, chain) = (field(&record.tier), field(&record.chain_type));
        writeln!(out, "[TIER] {tier} | [CHAIN] {chain}")?;
        if let Some(id) = &record.message_id {
            writeln!(out, "[ID] {}", field(id))?;
        }
        if !record.shl_tags.is_empty() {
            writeln!(out, "[SHL] {}", field(&record.shl_tags.join(", ")))?;
        }
        writeln!(out, "\n[CONTENT]:")?;
        write_content(&record.content, record.content_kind, *limits, out)?;
        writeln!(out, "{dim}{RULE}{dim:#}")
    }
}

impl<W: Write> Sink for TextFormat<W> {
    fn wants_counts(&self) -> bool {
        true
    }

    fn begin(&mut self, summary: &Summary) -> Result<(), Error> {
        let kind = if self.is_filtered {
            "matching messages"
        } else {
            "messages"
        };
        let path = shown(&self.path);
        match (summary.counts, summary.shown) {
            (Some(Counts { messages, matching }), Some(count)) => {
                writeln!(self.out, "[*] Loaded {messages} messages from {path}")?;
                writeln!(self.out, "[*] Showing {count} of {matching} {kind}")?;
            }
            // Counting them would take longer than showing them.
            (_, Some(count)) => {
                writeln!(self.out, "[*] Read the end of {path}")?;
                writeln!(self.out, "[*] Showing the newest {count} {kind}")?;
            }
            _ => {
                writeln!(self.out, "[*] Reading {path} from its end")?;
                writeln!(self.out, "[*] Showing the newest {kind} first")?;
            }
        }
        if summary.shown != Some(0) {
            writeln!(self.out, "\n[RECENT MESSAGES]:")?;
        }
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        Ok(self.write_message(entry)?)
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

/// Puts a reply to the right of what it replies to.
struct Indent<W> {
    out: W,
    width: usize,
    is_at_start: bool,
}

impl<W: Write> Indent<W> {
    fn new(out: W, depth: usize) -> Self {
        Self {
            out,
            width: STEP * depth.min(DEEPEST),
            is_at_start: true,
        }
    }
}

impl<W: Write> Write for Indent<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.width == 0 {
            return self.out.write(bytes);
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.is_at_start && line != b"\n" {
                write!(self.out, "{:width$}", "", width = self.width)?;
            }
            self.out.write_all(line)?;
            self.is_at_start = line.ends_with(b"\n");
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn write_content(
    json: &str,
    kind: ContentKind,
    limits: Limits,
    out: &mut dyn Write,
) -> io::Result<()> {
    let text = match json.starts_with('"') {
        // Half of a surrogate pair is no text; JSON can show it.
        true => serde_json::from_str::<String>(json).ok(),
        false => None,
    };
    if let (Some(text), ContentKind::Base64) = (&text, kind) {
        writeln!(
            out,
            "({} bytes that are no text, in base64)",
            decoded_len(text)
        )?;
    }
    let mut clip = Clip::new(out, limits);
    match (text, kind) {
        (None, _) => indent(json, &mut clip)?,
        (Some(text), ContentKind::Base64) => quote(chunks(&text), &mut clip)?,
        (Some(text), _) => quote(lines(&text), &mut clip)?,
    }
    clip.finish()
}

/// Writes lines, each marked as part of a text.
fn quote<'t>(lines: impl Iterator<Item = &'t str>, out: &mut Clip<'_>) -> io::Result<()> {
    for (index, line) in lines.enumerate() {
        if index > 0 {
            out.end_line()?;
        }
        let mark = if line.is_empty() {
            QUOTE.trim_end()
        } else {
            QUOTE
        };
        out.text(mark)?;
        out.text(line)?;
    }
    Ok(())
}

/// Splits text at line feeds, with or without a carriage return.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
}

fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = text.char_indices().nth(BASE64_LINE).map(|(at, _)| at);
        let (line, more) = text.split_at(cut.unwrap_or(text.len()));
        rest = cut.map(|_| more);
        Some(line)
    })
}

#[cfg(test)]
mod tests;

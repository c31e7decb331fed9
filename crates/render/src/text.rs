//! Messages as blocks of text.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use unicode_width::UnicodeWidthStr;

use crate::clip::Clip;
use crate::clip::Limits;
use crate::colour::Paint;
use crate::column::other_key;
use crate::layout::Layout;
use crate::number::{counted, grouped, of_message};
use crate::pretty::indent_with;
use crate::prose;
use query::Entry;
use query::Instant;
use query::{Body, bytes_note};
use query::{Counts, Sink, Summary};
use query::{Error, shown};

/// How wide the rules before and behind each message are where nothing tells how
/// wide the terminal is.
const RULE: usize = 80;
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
    layout: Layout,
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
            layout: Layout::default(),
        }
    }

    /// Fits it to the place where it is shown.
    #[must_use]
    pub fn with_layout(mut self, layout: Layout) -> Self {
        self.paint = Paint::new(layout.is_coloured);
        self.layout = layout;
        self
    }

    /// When it was recorded, and what the sender says where that is something else.
    fn time(&self, record: &message::Record<'_>) -> String {
        /// In milliseconds.
        const SAME: u64 = 1_000;
        let sent = &*record.timestamp;
        let recorded = record.recorded_at.as_deref().unwrap_or(sent);
        // In a file or a pipe it stands as it was sent.
        if !self.layout.is_terminal {
            return self.limits.field(sent);
        }
        let shown = self.limits.field(&self.layout.zone.date_and_time(recorded));
        let instant = |text| Instant::parse(text).map(Instant::milliseconds);
        match (instant(recorded), instant(sent)) {
            (Some(recorded), Some(sent)) if recorded.abs_diff(sent) <= SAME => shown,
            _ if sent == recorded => shown,
            _ => format!("{shown} (sent {})", self.limits.field(sent)),
        }
    }

    fn write_message(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let (limits, paint) = (&self.limits, &self.paint);
        let dim = paint.dim();
        let rule = "=".repeat(self.layout.wrap.unwrap_or(RULE));
        let time = entry.record().ok().map(|record| self.time(&record));
        let number = of_message(entry.number);
        let indent = STEP * entry.depth.min(DEEPEST);
        let out = &mut Indent::new(&mut self.out, entry.depth);
        let record = match entry.record() {
            Ok(record) => record,
            Err(error) => return writeln!(out, "\n[#{number}] cannot be read: {error}"),
        };
        let field = |text: &str| limits.field(text);
        writeln!(out, "\n{dim}{rule}{dim:#}")?;
        let (sender, topic) = (field(&record.sender), field(&record.topic));
        let style = paint.sender(&record.sender);
        writeln!(out, "[#{number}] {style}{sender}{style:#} → {topic}")?;
        if let Some(key) = other_key(&record) {
            writeln!(out, "[KEY] {}", field(key))?;
        }
        if let Some(other) = &record.provenance {
            let (name, number) = (field(&other.name), other.message_num);
            writeln!(out, "[FROM] {name}, where it is #{number}")?;
        }
        writeln!(out, "[TIME] {}", time.unwrap_or_default())?;
        let (tier, chain) = (field(&record.tier), field(&record.chain_type));
        writeln!(out, "[TIER] {tier} | [CHAIN] {chain}")?;
        if let Some(id) = &record.message_id {
            writeln!(out, "[ID] {}", field(id))?;
        }
        if !record.shl_tags.is_empty() {
            writeln!(out, "[SHL] {}", field(&record.shl_tags.join(", ")))?;
        }
        writeln!(out, "\n[CONTENT]:")?;
        let content = Content {
            record: &record,
            limits: *limits,
            layout: &self.layout,
            paint,
            columns: self.layout.wrap.map(|width| width.saturating_sub(indent)),
        };
        content.write(out)?;
        writeln!(out, "{dim}{rule}{dim:#}")
    }
}

impl<W: Write> Sink for TextFormat<W> {
    fn wants_counts(&self) -> bool {
        true
    }

    fn begin(&mut self, summary: &Summary) -> Result<(), Error> {
        let (one, many) = match self.is_filtered {
            true => ("matching message", "matching messages"),
            false => ("message", "messages"),
        };
        let path = shown(&self.path);
        match (summary.counts, summary.shown) {
            (Some(Counts { messages, matching }), Some(count)) => {
                let loaded = counted(messages, "message", "messages");
                let matching = counted(matching, one, many);
                writeln!(self.out, "[*] Loaded {loaded} from {path}")?;
                writeln!(self.out, "[*] Showing {} of {matching}", grouped(count))?;
            }
            // Counting them would take longer than showing them.
            (_, Some(count)) => {
                writeln!(self.out, "[*] Read the end of {path}")?;
                let newest = counted(count, one, many);
                writeln!(self.out, "[*] Showing the newest {newest}")?;
            }
            _ => {
                writeln!(self.out, "[*] Reading {path} from its end")?;
                writeln!(self.out, "[*] Showing the newest {many} first")?;
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

/// What a message says, as it is shown below its head.
struct Content<'a> {
    record: &'a message::Record<'a>,
    limits: Limits,
    layout: &'a Layout,
    paint: &'a Paint,
    /// Columns that there are for it.
    columns: Option<usize>,
}

impl Content<'_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let json = &*self.record.content;
        let body = Body::of(self.record);
        if let Some((count, base64)) = &body.bytes {
            writeln!(out, "{}", bytes_note(*count))?;
            let mut clip = Clip::new(out, self.limits);
            quote(chunks(base64), &mut clip)?;
            return clip.finish();
        }
        let mut clip =
            Clip::new(out, self.limits).with_marks(&self.layout.marks, self.paint.mark());
        match &body.text {
            Some(text) if body.json.is_none() && self.is_prose(json, text) => {
                self.prose(text, &mut clip)?;
            }
            _ => {
                let mut texts = Vec::new();
                indent_with(json, &mut clip, &mut |key, token| {
                    self.below(key, token, &mut texts)
                })?;
                for (key, text) in texts {
                    clip.end_line()?;
                    clip.end_line()?;
                    clip.text(&format!("{key}:"))?;
                    clip.end_line()?;
                    self.prose(&text, &mut clip)?;
                }
            }
        }
        clip.finish()
    }

    /// Tells whether a content is shown as its text alone. Short objects are shown
    /// as JSON.
    fn is_prose(&self, json: &str, text: &str) -> bool {
        !json.starts_with('{') || self.is_long(text) || json.contains('[')
    }

    /// Tells whether a text has several lines or is wider than there is room for.
    fn is_long(&self, text: &str) -> bool {
        let room = self.columns.unwrap_or(usize::MAX);
        text.trim_end().contains('\n') || text.width() > room
    }

    /// Keeps a long text of a member, to be shown below; returns what stands there.
    fn below(
        &self,
        key: &str,
        token: &str,
        texts: &mut Vec<(String, String)>,
    ) -> Option<&'static str> {
        /// A document of more long texts than this stays JSON.
        const MOST: usize = 8;
        if !token.contains('\\') && token.len() < self.columns.unwrap_or(usize::MAX) {
            return None;
        }
        let text = message::text(token)?;
        if texts.len() == MOST || !self.is_long(&text) {
            return None;
        }
        texts.push((key.to_owned(), text.into_owned()));
        Some("\"(below)\"")
    }

    /// Writes a text in lines, each marked as part of it.
    fn prose(&self, text: &str, out: &mut Clip<'_>) -> io::Result<()> {
        let columns = self
            .columns
            .map(|columns| columns.saturating_sub(QUOTE.len()));
        let rows = prose::rows(text, columns, self.layout, self.paint);
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                out.end_line()?;
            }
            let mark = if row.plain.is_empty() {
                QUOTE.trim_end()
            } else {
                QUOTE
            };
            out.row(mark, &row.plain, &row.styled)?;
        }
        Ok(())
    }
}

/// Writes lines, each marked as part of a text.
fn quote<'t>(lines: impl Iterator<Item = &'t str>, out: &mut Clip<'_>) -> io::Result<()> {
    for (index, line) in lines.enumerate() {
        if index > 0 {
            out.end_line()?;
        }
        out.text(QUOTE)?;
        out.text(line)?;
    }
    Ok(())
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

//! A conversation to be read: who said what, one after the other.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use crate::clip::Clip;
use crate::colour::Paint;
use crate::column::Row;
use crate::layout::Layout;
use crate::number::{counted, grouped, of_message};
use crate::pretty::indented;
use crate::prose;
use query::Entry;
use query::Error;
use query::Instant;
use query::{Body, bytes_note};
use query::{Sink, Summary};

/// How far a text stands to the right of its head, and how far a reply stands to
/// the right of what it answers.
const STEP: usize = 2;
/// Deeper replies stand no further to the right.
const DEEPEST: usize = 12;
/// Where nothing tells how wide the terminal is.
const COLUMNS: usize = 80;
/// A sender who goes on within this many milliseconds gets no new head.
const PAUSE: i64 = 300_000;

/// Writes a head for each message, and below it what was said.
#[derive(Debug)]
pub(crate) struct ChatFormat<W> {
    out: W,
    layout: Layout,
    paint: Paint,
    /// The day of the last message.
    day: String,
    last: Option<Last>,
}

/// What the last message had in its head.
#[derive(Debug, PartialEq, Eq)]
struct Last {
    sender: String,
    key: Option<String>,
    topic: String,
    depth: usize,
    time: i64,
}

impl<W: Write> ChatFormat<W> {
    pub(crate) fn new(out: W, layout: Layout) -> Self {
        Self {
            out,
            paint: Paint::new(layout.is_coloured),
            layout,
            day: String::new(),
            last: None,
        }
    }

    fn write_message(&mut self, row: &Row<'_>) -> io::Result<()> {
        let time = self.layout.zone.date_and_time(row.time());
        let (day, clock) = match time.split_once(' ') {
            Some((day, clock)) if time.len() == 19 => (day.to_owned(), clock.to_owned()),
            _ if time.is_empty() => (String::new(), time.clone()),
            _ => (String::new(), self.layout.limits.field(&time)),
        };
        if !day.is_empty() && day != self.day {
            self.write_day(&day)?;
        }
        let indent = STEP * row.depth.min(DEEPEST);
        self.write_head(row, &clock, indent)?;
        self.write_text(row, indent + STEP)
    }

    /// Marks the beginning of a day.
    fn write_day(&mut self, day: &str) -> io::Result<()> {
        let width = self.layout.wrap.unwrap_or(COLUMNS);
        let rule = "─".repeat(width.saturating_sub(day.len() + 4));
        let dim = self.paint.dim();
        let before = if self.day.is_empty() { "" } else { "\n" };
        writeln!(self.out, "{before}{dim}── {day} {rule}{dim:#}")?;
        day.clone_into(&mut self.day);
        self.last = None;
        Ok(())
    }

    /// Who goes on with the same topic gets a short head.
    fn write_head(&mut self, row: &Row<'_>, clock: &str, indent: usize) -> io::Result<()> {
        let record = &row.record;
        let last = Last {
            sender: record.sender.clone().into_owned(),
            key: row.other_key().map(str::to_owned),
            topic: record.topic.clone().into_owned(),
            depth: row.depth,
            time: Instant::parse(row.time()).map_or(0, Instant::milliseconds),
        };
        let goes_on = self.last.as_ref().is_some_and(|before| {
            let is_same = (&before.sender, &before.key, &before.topic, before.depth)
                == (&last.sender, &last.key, &last.topic, last.depth);
            is_same && (0..PAUSE).contains(&last.time.saturating_sub(before.time))
        });
        let is_first = self.last.is_none();
        if !goes_on && !is_first {
            writeln!(self.out)?;
        }
        self.last = Some(last);
        let field = |text: &str| self.layout.limits.field(text);
        let (dim, number) = (self.paint.dim(), of_message(row.number));
        let head = format!("[#{number}] {clock}");
        let mut pieces = vec![("", dim, head.trim_end().to_owned())];
        if !goes_on {
            let style = self.paint.sender(&record.sender);
            pieces.push(("  ", style, field(&record.sender)));
            if let Some(key) = row.other_key() {
                pieces.push((" ", dim, format!("(key {})", field(key))));
            }
            if !record.topic.is_empty() {
                let topic = format!("→ {}", field(&record.topic));
                pieces.push((" ", Style::new(), topic));
            }
            if record.tier != "E" {
                pieces.push(("  ", dim, format!("tier {}", field(&record.tier))));
            }
        }
        if let Some(reply) = record.links().in_reply_to {
            pieces.push(("  ", dim, format!("↩ {}", field(&reply))));
        }
        self.write_pieces(&pieces, indent)
    }

    /// Writes pieces, each behind a separator, or on the next line where there is no
    /// room.
    fn write_pieces(&mut self, pieces: &[(&str, Style, String)], indent: usize) -> io::Result<()> {
        let columns = self.layout.wrap.unwrap_or(usize::MAX);
        let mut used = indent;
        write!(self.out, "{:indent$}", "")?;
        for (separator, style, text) in pieces {
            let width = separator.width() + text.width();
            if used.saturating_add(width) > columns && used > indent {
                let behind = indent + STEP;
                write!(self.out, "\n{:behind$}", "")?;
                used = behind;
            } else {
                self.out.write_all(separator.as_bytes())?;
            }
            write!(self.out, "{style}{text}{style:#}")?;
            used += width;
        }
        writeln!(self.out)
    }

    fn write_text(&mut self, row: &Row<'_>, indent: usize) -> io::Result<()> {
        let body = Body::of(&row.record);
        let text = match (&body.text, body.json, &body.bytes) {
            (Some(text), ..) => text.clone().into_owned(),
            (None, Some(json), _) => indented(json),
            (None, None, Some((count, _))) => bytes_note(*count),
            (None, None, None) => String::new(),
        };
        let columns = self.layout.wrap.map(|width| width.saturating_sub(indent));
        let rows = prose::rows(&text, columns, &self.layout, &self.paint);
        let space = " ".repeat(indent);
        let mut clip = Clip::new(&mut self.out, self.layout.limits);
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                clip.end_line()?;
            }
            let before = if row.plain.is_empty() { "" } else { &space };
            clip.row(before, &row.plain, &row.styled)?;
        }
        clip.finish()
    }
}

impl<W: Write> Sink for ChatFormat<W> {
    fn begin(&mut self, summary: &Summary) -> Result<(), Error> {
        if let (Some(counts), Some(shown)) = (summary.counts, summary.shown) {
            let matching = counted(counts.matching, "message", "messages");
            writeln!(self.out, "[*] Showing {} of {matching}", grouped(shown))?;
        }
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        match Row::read(entry) {
            Ok(row) => Ok(self.write_message(&row)?),
            Err(error) => Ok(writeln!(
                self.out,
                "[#{}] cannot be read: {error}",
                of_message(entry.number)
            )?),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

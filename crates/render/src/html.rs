//! A transcript as one page of HTML.
//!
//! The page needs nothing else: no other file, no network. All that somebody
//! else has written stands in it as text. Its policy allows one script and one
//! style, the page's own, by their hashes, so that even markup that got in by
//! some mistake would run nothing and load nothing.

mod charts;
mod parents;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::colour::Paint;
use crate::column::Row;
use crate::layout::Layout;
use crate::number::of_message;
use crate::pretty::indented;
use parents::Parents;
use query::Analysis;
use query::Entry;
use query::Marks;
use query::sanitise;
use query::{Body, bytes_note};
use query::{Error, shown};
use query::{Sink, Summary};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
/// SHA-256 of the two, in base64.
const STYLE_HASH: &str = "BXSSOxqb3/sTQIg1CfjPPxXqFutCyoNRw9XGrDZuBgU=";
const SCRIPT_HASH: &str = "DRNMm4Ge/ZzIPJx1zOwTkSxukSthAdq30TNFYWEUD48=";

/// Writes a page that people can share.
#[derive(Debug)]
pub(crate) struct HtmlFormat<W> {
    out: W,
    path: PathBuf,
    layout: Layout,
    /// How many messages there are on the page. It names them there, since
    /// several may have the same number.
    count: u64,
    parents: Parents,
    analysis: Analysis,
    paint: Paint,
}

impl<W: Write> HtmlFormat<W> {
    pub(crate) fn new(out: W, path: PathBuf, layout: Layout) -> Self {
        Self {
            out,
            path,
            layout,
            count: 0,
            parents: Parents::default(),
            analysis: Analysis::default(),
            paint: Paint::default(),
        }
    }

    fn write_message(&mut self, row: &Row<'_>) -> io::Result<()> {
        let record = &row.record;
        let reply = record.links().in_reply_to;
        let parent = reply.as_deref().and_then(|id| self.parents.get(id));
        let out = &mut self.out;
        self.count += 1;
        let (count, number, kind) = (
            self.count,
            of_message(row.number),
            self.paint.kind(&record.sender),
        );
        write!(out, "<article id=\"m{count}\" class=\"k{kind}\"")?;
        if let Some((parent, _)) = parent {
            write!(out, " data-parent=\"m{parent}\"")?;
        }
        let (sender, topic) = (Text(&record.sender), Text(&record.topic));
        write!(
            out,
            ">\n<header><a class=\"number\" href=\"#m{count}\">#{number}</a> \
             <span class=\"who\">{sender}</span> <span class=\"topic\">→ {topic}</span> "
        )?;
        if let Some(key) = row.other_key() {
            write!(out, "<span class=\"key\">key {}</span> ", Text(key))?;
        }
        let time = self.layout.zone.date_and_time(row.time());
        let (exact, time) = (Text(row.time()), Text(&time));
        writeln!(out, "<time title=\"{exact}\">{time}</time></header>")?;
        match (&reply, parent) {
            (Some(_), Some((parent, number))) => writeln!(
                out,
                "<p class=\"reply\">in reply to <a href=\"#m{parent}\">#{}</a></p>",
                of_message(number)
            )?,
            (Some(id), None) => {
                writeln!(
                    out,
                    "<p class=\"reply\">in reply to {}, not here</p>",
                    Text(id)
                )?;
            }
            (None, _) => {}
        }
        write_body(&Body::of(record), &self.layout.marks, out)?;
        write!(
            out,
            "<p class=\"tags\">tier {} · {}",
            Text(&record.tier),
            Text(&record.chain_type)
        )?;
        if let Some(id) = &record.message_id {
            write!(out, " · {}", Text(id))?;
        }
        for tag in &record.shl_tags {
            write!(out, " <span>{}</span>", Text(tag))?;
        }
        writeln!(out, "</p>\n</article>")?;
        if let Some(id) = &record.message_id {
            self.parents.insert(id, (count, row.number));
        }
        Ok(())
    }
}

impl<W: Write> Sink for HtmlFormat<W> {
    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        let path = shown(&self.path);
        let (title, zone) = (Text(&path), self.layout.zone.name());
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{SCRIPT_HASH}'; \
             style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
        );
        write!(
            self.out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>Conversation: {title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <header><h1>Conversation</h1>\n<p>{title} · times in {}</p></header>\n\
             <div id=\"controls\" hidden><input id=\"search\" type=\"search\" autocomplete=\"off\" \
             placeholder=\"Search: press /\" aria-label=\"Search\"> \
             <label><input id=\"threads\" type=\"checkbox\"> Threads</label> \
             <span id=\"found\" role=\"status\"></span></div>\n<main id=\"messages\">\n",
            Text(&zone)
        )?;
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let row = match Row::read(entry) {
            Ok(row) => row,
            Err(error) => {
                let (number, reason) = (of_message(entry.number), error.to_string());
                let reason = Text(&reason);
                writeln!(
                    self.out,
                    "<article>#{number} cannot be read: {reason}</article>"
                )?;
                return Ok(());
            }
        };
        self.write_message(&row)?;
        self.analysis.add_entry(entry, row.record);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        writeln!(self.out, "</main>")?;
        let report = self.analysis.summary(&self.layout.zone);
        charts::write(&report, &self.layout.zone, &self.paint, &mut self.out)?;
        writeln!(self.out, "<script>{SCRIPT}</script>\n</body>\n</html>")?;
        Ok(())
    }
}

fn write_body(body: &Body<'_>, marks: &Marks, out: &mut dyn Write) -> io::Result<()> {
    if let Some(text) = &body.text {
        write!(out, "<div class=\"text\">")?;
        let mut from = 0;
        for range in marks.ranges(text) {
            let before = text.get(from..range.start).unwrap_or_default();
            let found = text.get(range.clone()).unwrap_or_default();
            write!(out, "{}<mark>{}</mark>", Lines(before), Lines(found))?;
            from = range.end;
        }
        writeln!(out, "{}</div>", Lines(text.get(from..).unwrap_or_default()))?;
    }
    if let Some(json) = body.json {
        let json = indented(json);
        match body.text {
            None => writeln!(out, "<pre>{}</pre>", Lines(&json))?,
            Some(_) => writeln!(
                out,
                "<details><summary>content</summary><pre>{}</pre></details>",
                Lines(&json)
            )?,
        }
    }
    if let Some((count, base64)) = &body.bytes {
        let note = bytes_note(*count);
        let (note, base64) = (Text(&note), Text(base64));
        writeln!(
            out,
            "<details><summary>{note}</summary><pre>{base64}</pre></details>"
        )?;
    }
    Ok(())
}

/// Text on one line, as a page shows it and nothing else.
struct Text<'a>(&'a str);

/// Text that may have several lines.
struct Lines<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean = sanitise(self.0);
        let mut rest = &*clean;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (plain, special) = rest.split_at(at);
            f.write_str(plain)?;
            f.write_str(match special.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = special.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.0.split('\n').enumerate() {
            let before = if at == 0 { "" } else { "\n" };
            let line = line.strip_suffix('\r').unwrap_or(line);
            // Tabs indent, and nothing else comes of them.
            let mut parts = line.split('\t');
            write!(f, "{before}{}", Text(parts.next().unwrap_or_default()))?;
            parts.try_for_each(|part| write!(f, "\t{}", Text(part)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

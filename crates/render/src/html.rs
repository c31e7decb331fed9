//! A transcript as one page of HTML.
//!
//! The page needs nothing else: no other file, no network. All that somebody
//! else has written stands in it as text. Its policy allows one script and one
//! style, the page's own, by their hashes, so that even markup that got in by
//! some mistake would run nothing and load nothing.

mod body;
mod charts;
mod code;
mod escape;
mod message;
mod parents;
mod rich;
mod tree;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::colour::Paint;
use crate::column::Row;
use crate::layout::Layout;
use escape::Text;
pub use message::Drawing;
use message::Unreadable;
use parents::Parents;
use query::Analysis;
use query::Entry;
use query::{Error, shown};
use query::{Sink, Summary};

/// The style of a message, for pages that draw messages as this one does.
pub const MESSAGE_STYLE: &str = include_str!("html/message.css");
const STYLE: &str = concat!(
    include_str!("html/message.css"),
    include_str!("html/page.css")
);
const SCRIPT: &str = include_str!("html/page.js");
/// SHA-256 of the two, in base64.
const STYLE_HASH: &str = "KJK/tR9zDkjjY1lfmyHhfk1YsCQQJ5xXfJo5c2TDalM=";
const SCRIPT_HASH: &str = "B7nRNtxo5wRQTQtIRiahQXv6CTzv+EG3bLCVb3Q7zDI=";

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
        self.count += 1;
        let count = self.count;
        let drawing = Drawing {
            anchor: format!("m{count}"),
            kind: self.paint.kind(&record.sender),
            parent: parent.map(|(parent, number)| (format!("m{parent}"), number)),
            zone: &self.layout.zone,
            marks: &self.layout.marks,
            limit: usize::MAX,
        };
        drawing.write(row.number, record, &mut self.out)?;
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
            "default-src 'none'; img-src data:; script-src 'sha256-{SCRIPT_HASH}'; \
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
                let reason = error.to_string();
                writeln!(self.out, "{}", Unreadable(entry.number, &reason))?;
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

#[cfg(test)]
mod tests;

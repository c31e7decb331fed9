//! A transcript as one page, which people can share.

use std::io::{self, Write};
use std::path::PathBuf;

use query::{Analysis, Entry, Error, Sink, Summary};

use super::charts;
use super::document::{Document, PAGE, write_controls};
use super::message::{Drawing, Parent, Unreadable};
use super::parents::{Parents, Place};
use crate::colour::Paint;
use crate::column::Row;
use crate::layout::Layout;

/// The first messages, up to about this many bytes, are elements of the page from its start.
const AT_ONCE: usize = if cfg!(test) { 8 << 10 } else { 256 << 10 };
/// The others stand in parts of about this many bytes.
const PART: usize = if cfg!(test) { 4 << 10 } else { 32 << 10 };

/// Writes a page that people can share.
#[derive(Debug)]
pub(crate) struct HtmlFormat<W> {
    out: W,
    path: PathBuf,
    layout: Layout,
    /// How many messages there are on the page. It names them there, since
    /// several may have the same number.
    count: u64,
    part: Part,
    parents: Parents,
    analysis: Analysis,
    paint: Paint,
}

/// Some messages that stand together. Of all but the first, a browser that runs scripts
/// makes text, which costs it next to nothing; the page makes elements of it while it has
/// nothing else to do. For a browser that runs none they are elements like the others.
#[derive(Debug, Default)]
struct Part {
    text: Vec<u8>,
    /// The first message's place among all, which names it on the page. 0: the part that
    /// is there from the start.
    first: u64,
    count: u64,
}

impl Part {
    fn is_full(&self) -> bool {
        let limit = if self.first == 0 { AT_ONCE } else { PART };
        self.text.len() >= limit
    }

    fn write(self, out: &mut impl Write) -> io::Result<()> {
        let Self { text, first, count } = self;
        if first == 0 || count == 0 {
            return out.write_all(&text);
        }
        writeln!(
            out,
            "<noscript class=\"later\" data-first=\"{first}\" data-count=\"{count}\">"
        )?;
        out.write_all(&text)?;
        writeln!(out, "</noscript>")
    }
}

impl<W: Write> HtmlFormat<W> {
    pub(crate) fn new(out: W, path: PathBuf, layout: Layout) -> Self {
        Self {
            out,
            path,
            layout,
            count: 0,
            part: Part::default(),
            parents: Parents::default(),
            analysis: Analysis::default(),
            paint: Paint::default(),
        }
    }

    fn document(&self) -> Document<'_> {
        Document {
            path: &self.path,
            zone: &self.layout.zone,
            script: &PAGE,
            has_files: false,
        }
    }

    fn end_part(&mut self) -> io::Result<()> {
        let ended = std::mem::take(&mut self.part);
        self.part.first = self.count + 1;
        ended.write(&mut self.out)
    }

    fn count_message(&mut self) -> io::Result<()> {
        self.part.count += 1;
        match self.part.is_full() {
            true => self.end_part(),
            false => Ok(()),
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
            parent: parent.map(|Place { count, number, .. }| Parent {
                address: format!("#m{count}"),
                number,
            }),
            zone: &self.layout.zone,
            marks: &self.layout.marks,
            limit: usize::MAX,
        };
        drawing.write(row.number, record, &mut self.part.text)?;
        if let Some(id) = &record.message_id {
            let number = row.number;
            let place = Place {
                page: 1,
                count,
                number,
            };
            self.parents.insert(id, place);
        }
        Ok(())
    }
}

impl<W: Write> Sink for HtmlFormat<W> {
    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        let mut head = Vec::new();
        self.document().begin(&mut head)?;
        self.out.write_all(&head)?;
        write_controls(&mut self.out)?;
        writeln!(self.out, "<main id=\"messages\">")?;
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let row = match Row::read(entry) {
            Ok(row) => row,
            Err(error) => {
                let reason = error.to_string();
                writeln!(self.part.text, "{}", Unreadable(entry.number, &reason))?;
                return Ok(self.count_message()?);
            }
        };
        self.write_message(&row)?;
        self.analysis.add_entry(entry, row.record);
        Ok(self.count_message()?)
    }

    fn end(&mut self) -> Result<(), Error> {
        self.end_part()?;
        writeln!(self.out, "</main>")?;
        let report = self.analysis.summary(&self.layout.zone);
        charts::write(&report, &self.layout.zone, &self.paint, &mut self.out)?;
        let mut end = Vec::new();
        self.document().end(&mut end)?;
        self.out.write_all(&end)?;
        Ok(())
    }
}

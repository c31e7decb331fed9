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

    fn document(&self) -> Document<'_> {
        Document {
            path: &self.path,
            zone: &self.layout.zone,
            script: &PAGE,
            has_files: false,
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
        drawing.write(row.number, record, &mut self.out)?;
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
        let mut end = Vec::new();
        self.document().end(&mut end)?;
        self.out.write_all(&end)?;
        Ok(())
    }
}

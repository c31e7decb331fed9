//! A transcript as a folder of pages of a bounded size, with an index page.
//!
//! ```text
//! index.html        statistics, the list of pages, and a search over all of them
//! pages/0001.html   messages, as on a single page; linked with those before and behind
//! links/0001.js     which of them are answered on other pages
//! search/0001.js    their texts, for the search; loaded only by that
//! ```
//!
//! A browser lets no page read another file of a folder, but it runs a script that lies
//! there: so what a page has to know of others is a script that calls a function.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use query::{Analysis, Entry, Error, Sink, Summary};
use serde_json::json;

use super::contents::{self, Listed};
use super::document::{Document, PAGE, write_controls};
use super::message::{Drawing, Parent, Unreadable};
use super::parents::{Parents, Place};
use super::words::visible;
use crate::colour::Paint;
use crate::column::Row;
use crate::layout::Layout;

/// A page has no more messages than this.
const MESSAGES: u64 = if cfg!(test) { 10 } else { 1_000 };
/// A page ends behind the message with which it has this many bytes.
const BYTES: usize = if cfg!(test) { 20 << 10 } else { 1 << 20 };

/// Where the files of a transcript go.
pub trait Folder {
    /// Makes a file. Its name may have a folder in front, as in `pages/0001.html`.
    ///
    /// # Errors
    /// Where it can't be made or written.
    fn write(&mut self, name: &str, content: &[u8]) -> io::Result<()>;
}

/// Writes a transcript as pages into a folder.
///
/// Of the messages it holds those of one page; of all messages together, 32 bytes for
/// each answer to a message on another page.
pub struct Pages<'f> {
    folder: &'f mut dyn Folder,
    path: PathBuf,
    layout: Layout,
    /// How many messages there are. It names them, since several may have the same
    /// number.
    count: u64,
    page: Page,
    listed: Vec<Listed>,
    parents: Parents,
    /// Answers on other pages, by the page of what they answer.
    answers: BTreeMap<u64, Vec<(u64, Place)>>,
    analysis: Analysis,
    paint: Paint,
}

impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("path", &self.path)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// The page that is being filled.
#[derive(Debug, Default)]
struct Page {
    html: Vec<u8>,
    /// What is said to the search: an array for each message.
    texts: String,
    listed: Listed,
}

impl<'f> Pages<'f> {
    /// Makes a sink. `path` is where the messages are read from.
    ///
    /// Whoever shows messages with it calls [`Sink::end`] behind the last one.
    pub fn new(folder: &'f mut dyn Folder, path: PathBuf, layout: Layout) -> Self {
        Self {
            folder,
            path,
            layout,
            count: 0,
            page: Page::default(),
            listed: Vec::new(),
            parents: Parents::default(),
            answers: BTreeMap::new(),
            analysis: Analysis::default(),
            paint: Paint::default(),
        }
    }

    /// The number of the page that is being filled.
    fn at(&self) -> u64 {
        self.listed.len() as u64 + 1
    }

    fn add(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let record = &row.record;
        let reply = record.links().in_reply_to;
        let parent = reply.as_deref().and_then(|id| self.parents.get(id));
        let here = Place {
            page: self.at(),
            count: self.count,
            number: row.number,
        };
        let begin = self.page.html.len();
        let drawing = Drawing {
            anchor: format!("m{}", here.count),
            kind: self.paint.kind(&record.sender),
            parent: parent.map(|parent| Parent {
                address: address(parent, here.page),
                number: parent.number,
            }),
            zone: &self.layout.zone,
            marks: &self.layout.marks,
            limit: usize::MAX,
        };
        drawing.write(row.number, record, &mut self.page.html)?;
        if let Some(parent) = parent.filter(|parent| parent.page != here.page) {
            let answers = self.answers.entry(parent.page).or_default();
            answers.push((parent.count, here));
        }
        if let Some(id) = &record.message_id {
            self.parents.insert(id, here);
        }
        let time = self.layout.zone.date_and_time(row.time());
        self.page.listed.add(row.number, &time);
        self.remember(begin, &record.sender, &time, here);
        Ok(())
    }

    /// Lets the search know what was drawn last.
    fn remember(&mut self, begin: usize, sender: &str, time: &str, here: Place) {
        let markup = self.page.html.get(begin..).unwrap_or_default();
        let text = visible(&String::from_utf8_lossy(markup));
        let sender = query::sanitise(sender);
        let said = json!([here.count, here.number, sender, time, text]);
        let texts = &mut self.page.texts;
        if !texts.is_empty() {
            texts.push_str(",\n");
        }
        texts.push_str(&said.to_string());
    }

    /// Writes the page that was filled.
    fn turn(&mut self, is_last: bool) -> Result<(), Error> {
        let page = std::mem::take(&mut self.page);
        let at = self.at();
        let mut html = Vec::with_capacity(page.html.len() + (32 << 10));
        let document = Document {
            path: &self.path,
            zone: &self.layout.zone,
            script: &PAGE,
            has_files: true,
        };
        document.begin(&mut html)?;
        write_way(at, is_last, &page.listed, &mut html)?;
        write_controls(&mut html)?;
        writeln!(html, "<main id=\"messages\">")?;
        html.extend(page.html);
        writeln!(html, "</main>")?;
        write_way(at, is_last, &page.listed, &mut html)?;
        writeln!(html, "<script src=\"../links/{at:04}.js\"></script>")?;
        document.end(&mut html)?;
        self.folder.write(&format!("pages/{at:04}.html"), &html)?;
        let texts = format!("conversation({at},[{}]);\n", page.texts);
        let name = format!("search/{at:04}.js");
        self.folder.write(&name, texts.as_bytes())?;
        self.listed.push(page.listed);
        Ok(())
    }

    /// Writes for each page which of its messages are answered on others.
    fn write_links(&mut self) -> Result<(), Error> {
        for page in 1..=self.listed.len() as u64 {
            let answers = self.answers.remove(&page).unwrap_or_default();
            let answers: Vec<_> = answers
                .into_iter()
                .map(|(parent, answer)| json!([parent, address(answer, page), answer.number]))
                .collect();
            let text = format!("globalThis.answers={};\n", json!(answers));
            let name = format!("links/{page:04}.js");
            self.folder.write(&name, text.as_bytes())?;
        }
        Ok(())
    }
}

/// The address of a message, as seen from a page.
fn address(place: Place, from: u64) -> String {
    let Place { page, count, .. } = place;
    match page == from {
        true => format!("#m{count}"),
        false => format!("{page:04}.html#m{count}"),
    }
}

/// Writes the links to the index and to the pages before and behind.
fn write_way(at: u64, is_last: bool, listed: &Listed, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<nav class=\"way\" aria-label=\"Pages\">")?;
    if at > 1 {
        write!(
            out,
            "<a rel=\"prev\" href=\"{:04}.html\">← page {}</a> ",
            at - 1,
            at - 1
        )?;
    }
    write!(
        out,
        "<span>Page {at}: {listed}</span> <a href=\"../index.html\">all pages, search</a>"
    )?;
    if !is_last {
        write!(
            out,
            " <a rel=\"next\" href=\"{:04}.html\">page {} →</a>",
            at + 1,
            at + 1
        )?;
    }
    writeln!(out, "</nav>")
}

impl Sink for Pages<'_> {
    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let page = &self.page;
        if page.listed.messages >= MESSAGES || page.html.len() >= BYTES {
            self.turn(false)?;
        }
        self.count += 1;
        match Row::read(entry) {
            Ok(row) => {
                self.add(&row)?;
                self.analysis.add_entry(entry, row.record);
            }
            Err(error) => {
                let reason = error.to_string();
                writeln!(self.page.html, "{}", Unreadable(entry.number, &reason))?;
                self.page.listed.add(entry.number, "");
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        self.turn(true)?;
        self.write_links()?;
        let mut html = Vec::new();
        let report = self.analysis.summary(&self.layout.zone);
        let contents = contents::Contents {
            path: &self.path,
            zone: &self.layout.zone,
            paint: &self.paint,
            report: &report,
            pages: &self.listed,
        };
        contents.write(&mut html)?;
        self.folder.write("index.html", &html)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! The index page of a folder of pages.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use query::{AnalysisReport, Zone};

use super::charts;
use super::document::{Document, SEARCH};
use super::escape::Text;
use crate::colour::Paint;
use crate::number::{grouped, of_message};

/// What the index page tells of a page.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) messages: u64,
    /// The first and the last message: number and time.
    ends: Option<[(Option<u64>, String); 2]>,
}

impl Listed {
    pub(super) fn add(&mut self, number: Option<u64>, time: &str) {
        self.messages += 1;
        let end = (number, time.to_owned());
        match &mut self.ends {
            Some([_, last]) => *last = end,
            None => self.ends = Some([end.clone(), end]),
        }
    }
}

/// Which messages are there, by their numbers.
impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ends {
            Some([(first, _), (last, _)]) if self.messages > 1 => {
                write!(f, "#{} to #{}", of_message(*first), of_message(*last))
            }
            Some([(first, _), _]) => write!(f, "#{}", of_message(*first)),
            None => f.write_str("no messages"),
        }
    }
}

/// What the index page is made of.
pub(super) struct Contents<'a> {
    pub(super) path: &'a Path,
    pub(super) zone: &'a Zone,
    pub(super) paint: &'a Paint,
    pub(super) report: &'a AnalysisReport,
    pub(super) pages: &'a [Listed],
}

impl Contents<'_> {
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let document = Document {
            path: self.path,
            zone: self.zone,
            script: &SEARCH,
            has_files: true,
        };
        document.begin(out)?;
        let count = self.pages.len();
        writeln!(
            out,
            "<div id=\"controls\" hidden><input id=\"search\" type=\"search\" autocomplete=\"off\" \
             placeholder=\"Search all pages: press /\" aria-label=\"Search all pages\"> \
             <span id=\"found\" role=\"status\"></span></div>\n\
             <section id=\"results\" aria-label=\"Found\" hidden></section>\n\
             <main id=\"contents\" data-pages=\"{count}\">\n<h2>Pages</h2>\n\
             <div class=\"table\"><table>\n<tr><th scope=\"col\">Page</th><th scope=\"col\">Messages</th>\
             <th scope=\"col\">From</th><th scope=\"col\">To</th></tr>"
        )?;
        for (page, listed) in (1..).zip(self.pages) {
            write_page(page, listed, out)?;
        }
        writeln!(out, "</table></div>\n</main>")?;
        charts::write(self.report, self.zone, self.paint, out)?;
        document.end(out)
    }
}

fn write_page(page: u64, listed: &Listed, out: &mut dyn Write) -> io::Result<()> {
    let [first, last] = match &listed.ends {
        Some([(_, first), (_, last)]) => [first.as_str(), last.as_str()],
        None => [""; 2],
    };
    writeln!(
        out,
        "<tr><td><a href=\"pages/{page:04}.html\">{page}: {listed}</a></td>\
         <td class=\"right\">{}</td><td>{}</td><td>{}</td></tr>",
        grouped(listed.messages),
        Text(first),
        Text(last)
    )
}

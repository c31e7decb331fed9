//! Where results go: a terminal, a pager in front of it, a file or a pipe.

use std::io::{self, BufWriter, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use query::Marks;
use render::{Format, Layout};

use crate::args::{Args, When};
use crate::pager::Pager;
use crate::{output, shown};

/// Held back for a pager. It is little, since somebody waits for the first page.
const PAGE: usize = 8 << 10;
/// Where a terminal does not tell how many columns it has.
const COLUMNS: usize = 80;

/// An opened output.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    is_terminal: bool,
    is_paged: bool,
}

impl Screen {
    /// Opens the output, with a pager where it is a terminal and a person is to
    /// read what comes; that one opens at the end where the newest is there.
    pub(crate) fn open(args: &Args, is_for_people: bool, from_end: bool) -> anyhow::Result<Self> {
        let is_terminal = io::stdout().is_terminal();
        let pager = match is_terminal && is_for_people && !args.output.no_pager {
            true => Pager::start(from_end),
            false => None,
        };
        let is_paged = pager.is_some();
        let out: Box<dyn Write> = match pager {
            Some(pager) => Box::new(BufWriter::with_capacity(PAGE, pager)),
            None => Box::new(output::results()),
        };
        Ok(Self {
            out,
            is_terminal,
            is_paged,
        })
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Says how to lay out what goes there.
    pub(crate) fn layout(&self, args: &Args, format: Format, marks: Marks) -> Layout {
        let width = columns(args, self.is_terminal);
        Layout {
            wrap: width,
            marks,
            has_bom: args.output.bom,
            limits: shown::limits(args),
            zone: shown::zone(args),
            // With --full nothing is cut, and the terminal breaks the lines.
            width: width.filter(|_| args.stats || !args.full),
            is_terminal: self.is_terminal,
            // In Markdown they would be part of the text.
            is_coloured: format != Format::Markdown && is_coloured(args.output.color),
            columns: args.output.fields.clone(),
        }
    }

    /// Tells whether somebody reads it page by page.
    pub(crate) fn is_paged(&self) -> bool {
        self.is_paged
    }

    /// Writes what is held back, and waits until a pager is left.
    pub(crate) fn close(mut self) -> anyhow::Result<()> {
        self.out.flush().context("cannot write the output")
    }
}

/// How many columns there are, where anything tells.
pub(crate) fn columns(args: &Args, is_terminal: bool) -> Option<usize> {
    let columns = || terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| width.0.into());
    let given = args.output.width.map(usize::from);
    given.or_else(|| is_terminal.then(|| from_environment().unwrap_or_else(columns)))
}

/// How many columns the environment says that there are.
fn from_environment() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok()?.trim().parse().ok()?;
    (columns > 0).then_some(columns)
}

/// Tells whether to use colours. By itself it follows `NO_COLOR`, `CLICOLOR` and
/// `CLICOLOR_FORCE`, and what the terminal can do.
fn is_coloured(when: When) -> bool {
    let is_wanted = match when {
        When::Always => true,
        When::Never => false,
        When::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
    };
    if is_wanted {
        // Older consoles of Windows understand colours only when told to.
        let _enabled = AutoStream::always(io::stdout());
    }
    is_wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_counts() {
        assert!(is_coloured(When::Always));
        assert!(!is_coloured(When::Never));
    }
}

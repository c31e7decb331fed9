//! Messages as a table that spreadsheets read.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::column::{Column, Row};
use crate::layout::Layout;
use query::Entry;
use query::Error;
use query::sanitise;
use query::{Sink, Summary};

/// Writes a table as in RFC 4180, with names in the first row.
#[derive(Debug)]
pub(crate) struct CsvFormat<W> {
    out: W,
    columns: Vec<Column>,
    wants_numbers: bool,
    is_terminal: bool,
    has_bom: bool,
}

impl<W: Write> CsvFormat<W> {
    pub(crate) fn new(out: W, layout: &Layout) -> Self {
        let columns = match &layout.columns[..] {
            [] => Column::DATA.to_vec(),
            chosen => chosen.to_vec(),
        };
        Self {
            out,
            columns,
            wants_numbers: layout.wants_numbers(),
            is_terminal: layout.is_terminal,
            has_bom: layout.has_bom,
        }
    }

    fn write_row<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) -> io::Result<()> {
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                self.out.write_all(b",")?;
            }
            match self.is_terminal {
                true => write_cell(&visible(&cell), &mut self.out)?,
                false => write_cell(&cell, &mut self.out)?,
            }
        }
        self.out.write_all(b"\r\n")
    }
}

impl<W: Write> Sink for CsvFormat<W> {
    fn wants_numbers(&self) -> bool {
        self.wants_numbers
    }

    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        if self.has_bom {
            self.out.write_all("\u{feff}".as_bytes())?;
        }
        let names: Vec<_> = self.columns.iter().map(|column| column.name()).collect();
        Ok(self.write_row(names.into_iter().map(Cow::Borrowed))?)
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let row = Row::read(entry).ok();
        let cell = |column: &Column| match (&row, column) {
            (Some(row), _) => row.text(*column).unwrap_or_default(),
            (None, Column::Number) => Cow::Owned(
                entry
                    .number
                    .map(|number| number.to_string())
                    .unwrap_or_default(),
            ),
            (None, _) => Cow::Borrowed(""),
        };
        let columns = self.columns.clone();
        Ok(self.write_row(columns.iter().map(cell))?)
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

/// Keeps a terminal from acting on a cell; it may have several lines.
fn visible(cell: &str) -> Cow<'_, str> {
    let lines: Vec<_> = cell.split('\n').map(sanitise).collect();
    Cow::Owned(lines.join("\n"))
}

/// Writes a cell. A quotation mark in front keeps a spreadsheet from taking
/// somebody else's text for a formula.
fn write_cell(cell: &str, out: &mut dyn Write) -> io::Result<()> {
    let guard = if is_formula(cell) { "'" } else { "" };
    // A lone empty cell would be taken for an empty line.
    if !cell.is_empty() && !cell.contains(['"', ',', '\r', '\n', ';']) && cell.trim() == cell {
        return write!(out, "{guard}{cell}");
    }
    write!(out, "\"{guard}{}\"", cell.replace('"', "\"\""))
}

/// Tells whether a spreadsheet would calculate with a text: by how it begins,
/// whitespace and marks that can't be seen left aside.
fn is_formula(cell: &str) -> bool {
    let hidden = |c: char| c.is_whitespace() || query::is_hidden(c) || "'\"".contains(c);
    let text = cell.trim_start_matches(hidden);
    let is_plain = text.len() == cell.len();
    text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%'])
        || !is_plain && cell.starts_with(['\t', '\r', '\n', '\0'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(text: &str) -> String {
        let mut out = Vec::new();
        write_cell(text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn formulas_are_texts() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("\t=1", "\"'\t=1\""),
            ("\u{200b}=1", "'\u{200b}=1"),
            ("'=1", "''=1"),
            ("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
            ("2025-11-20", "2025-11-20"),
            ("", "\"\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_cells_read_back(cells in prop::collection::vec(any::<String>(), 1..5)) {
            let mut format = CsvFormat::new(Vec::new(), &Layout::default());
            format.write_row(cells.iter().map(|cell| Cow::Borrowed(&**cell))).unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*format.out);
            let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), 1);
            for (read, cell) in rows[0].iter().zip(&cells) {
                let guarded = format!("'{cell}");
                prop_assert!(read == cell && !is_formula(cell) || read == guarded, "{read:?} of {cell:?}");
            }
            prop_assert_eq!(rows[0].len(), cells.len());
        }
    }
}

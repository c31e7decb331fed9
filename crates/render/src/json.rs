//! Messages as JSON, for programs.

use std::fmt;
use std::io::{self, Write};

use crate::column::{Column, Row};
use crate::layout::Layout;
use crate::pretty::Tokens;
use query::Entry;
use query::Error;
use query::sanitise;
use query::{Sink, Summary};

/// Writes one array with an object for each message.
#[derive(Debug)]
pub(crate) struct JsonFormat<W> {
    out: W,
    columns: Vec<Column>,
    wants_numbers: bool,
    is_first: bool,
}

/// Writes the journal's own lines, or an object with the chosen fields a line.
#[derive(Debug)]
pub(crate) struct JsonlFormat<W> {
    out: W,
    layout: Layout,
}

impl<W: Write> JsonFormat<W> {
    pub(crate) fn new(out: W, layout: &Layout) -> Self {
        let columns = match &layout.columns[..] {
            [] => Column::DATA.to_vec(),
            chosen => chosen.to_vec(),
        };
        Self {
            out,
            columns,
            wants_numbers: layout.wants_numbers(),
            is_first: true,
        }
    }
}

impl<W: Write> JsonlFormat<W> {
    pub(crate) fn new(out: W, layout: Layout) -> Self {
        Self { out, layout }
    }
}

impl<W: Write> Sink for JsonFormat<W> {
    fn wants_numbers(&self) -> bool {
        self.wants_numbers
    }

    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(self.out.write_all(b"[")?)
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let before: &[u8] = if self.is_first { b"\n" } else { b",\n" };
        self.out.write_all(before)?;
        self.is_first = false;
        Ok(write_entry(entry, &self.columns, &mut self.out)?)
    }

    fn end(&mut self) -> Result<(), Error> {
        let end: &[u8] = if self.is_first { b"]\n" } else { b"\n]\n" };
        Ok(self.out.write_all(end)?)
    }
}

impl<W: Write> Sink for JsonlFormat<W> {
    fn wants_numbers(&self) -> bool {
        self.layout.wants_numbers()
    }

    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        if !self.layout.columns.is_empty() {
            write_entry(entry, &self.layout.columns, &mut self.out)?;
        } else if self.layout.is_terminal {
            let line = String::from_utf8_lossy(entry.line);
            self.out.write_all(sanitise(&line).as_bytes())?;
        } else {
            self.out.write_all(entry.line)?;
        }
        Ok(self.out.write_all(b"\n")?)
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

fn write_entry(entry: &Entry<'_>, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
    let row = match Row::read(entry) {
        Ok(row) => row,
        Err(error) => {
            let number = Number(entry.number);
            write!(out, "{{\"message_num\":{number},\"error\":")?;
            write_string(&error.to_string(), out)?;
            return out.write_all(b"}");
        }
    };
    for (at, column) in columns.iter().enumerate() {
        let before = if at == 0 { '{' } else { ',' };
        write!(out, "{before}\"{}\":", column.name())?;
        write_value(&row, *column, out)?;
    }
    out.write_all(b"}")
}

fn write_value(row: &Row<'_>, column: Column, out: &mut dyn Write) -> io::Result<()> {
    match column {
        Column::Number => write!(out, "{}", Number(row.number)),
        Column::Content => write_json(&row.record.content, out),
        Column::Tags => {
            out.write_all(b"[")?;
            for (at, tag) in row.record.shl_tags.iter().enumerate() {
                if at > 0 {
                    out.write_all(b",")?;
                }
                write_string(tag, out)?;
            }
            out.write_all(b"]")
        }
        _ => match row.text(column) {
            Some(text) => write_string(&text, out),
            None => out.write_all(b"null"),
        },
    }
}

/// A message's number as JSON.
struct Number(Option<u64>);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("null"),
        }
    }
}

/// Writes a JSON string in which nothing acts on a terminal: what would stands
/// there as its escape, which means the same.
pub(crate) fn write_string(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let quoted = serde_json::to_string(text)?;
    out.write_all(sanitise(&quoted).as_bytes())
}

/// Writes JSON as it was sent, but for whitespace between tokens, and for
/// characters that could act on a terminal, which are escaped.
fn write_json(json: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut tokens = Tokens::new(json);
    while let Some(token) = tokens.next() {
        out.write_all(sanitise(token).as_bytes())?;
    }
    Ok(())
}

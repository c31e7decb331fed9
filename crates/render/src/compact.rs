//! One line for each message.

use std::fmt::Write as _;
use std::io::Write;

use crate::cell::{beginning, one_line, push_cell, push_cut, push_right};
use crate::colour::Paint;
use crate::column::{Column, Row};
use crate::layout::Layout;
use crate::number::of_message;
use query::Body;
use query::Entry;
use query::Error;
use query::{Sink, Summary};

/// The columns that are shown unless others are asked for.
const USUAL: [Column; 6] = [
    Column::Number,
    Column::Time,
    Column::Sender,
    Column::Topic,
    Column::Tier,
    Column::Text,
];
/// Terminals with fewer columns get short cells, those with more get long ones.
const NARROW: usize = 80;
const WIDE: usize = 120;

/// How many characters are shown before what was searched.
const NEAR: usize = 20;
/// Deeper replies are indented no further.
const DEEPEST: usize = 12;

/// Writes one line for each message, in columns.
#[derive(Debug)]
pub(crate) struct CompactFormat<W> {
    out: W,
    layout: Layout,
    columns: Vec<Column>,
    paint: Paint,
    line: String,
}

impl<W: Write> CompactFormat<W> {
    pub(crate) fn new(out: W, layout: Layout) -> Self {
        let columns = match &layout.columns[..] {
            [] => USUAL.to_vec(),
            chosen => chosen.to_vec(),
        };
        Self {
            out,
            columns,
            paint: Paint::new(layout.is_coloured),
            line: String::new(),
            layout,
        }
    }

    /// Columns of the terminal that a cell takes.
    fn cell(&self, column: Column) -> usize {
        let room = self.layout.width.unwrap_or(usize::MAX);
        let by_room = |narrow, usual, wide| match room {
            _ if room < NARROW => narrow,
            _ if room < WIDE => usual,
            _ => wide,
        };
        match column {
            Column::Number => 6,
            // The date counts as much as the time where messages span days.
            Column::Time => by_room(11, 19, 19),
            Column::Sender => by_room(10, 14, 16),
            Column::Topic => by_room(10, 16, 24),
            Column::Tier => 2,
            Column::ContentIs => 6,
            Column::Timestamp | Column::RecordedAt => 24,
            _ => by_room(12, 20, 28),
        }
    }

    fn value(&self, row: &Row<'_>, column: Column, room: usize) -> String {
        match column {
            Column::Time if self.cell(column) < 19 => {
                let time = self.layout.zone.date_and_time(row.time());
                // Month, day, hour and minute.
                let short = time.get(5..16).filter(|_| time.len() == 19);
                one_line(short.unwrap_or(&time))
            }
            Column::Time => one_line(&self.layout.zone.date_and_time(row.time())),
            // What is proven comes first, since what a sender says may be cut.
            Column::Sender if row.other_key().is_some() => {
                let key = row.other_key().unwrap_or_default();
                one_line(&format!("[{key}] {}", beginning(&row.record.sender, room)))
            }
            Column::Text => {
                let text = self.around_match(&Body::of(&row.record).summary(), room);
                // A reply stands to the right of what it answers.
                "  ".repeat(row.depth.min(DEEPEST)) + &text
            }
            _ => one_line(beginning(&row.text(column).unwrap_or_default(), room)),
        }
    }

    /// Returns the part of a text that has room: its beginning, or else what is
    /// around the first place where something is found that was searched.
    fn around_match(&self, text: &str, room: usize) -> String {
        let (marks, line) = (&self.layout.marks, one_line(beginning(text, room)));
        let Some(at) = marks.first(text) else {
            return line;
        };
        let before = text.get(..at).unwrap_or_default();
        let near = one_line(before);
        if near.chars().count() + NEAR < room {
            return line;
        }
        // On a narrow terminal the match itself has to have room.
        let least = NEAR.min(room / 4);
        let start = before
            .char_indices()
            .rev()
            .nth(least)
            .map_or(0, |(start, _)| start);
        let rest = text.get(start..).unwrap_or_default();
        format!("…{}", one_line(beginning(rest, room)))
    }

    fn write_row(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        let mut used = 0;
        for (at, column) in self.columns.iter().enumerate() {
            let left = self.layout.width.unwrap_or(usize::MAX).saturating_sub(used);
            let is_last = at + 1 == self.columns.len();
            let taken = self.push_column(row, *column, left, is_last, &mut line);
            used = used.saturating_add(taken);
        }
        writeln!(self.out, "{}", line.trim_end())?;
        self.line = line;
        Ok(())
    }

    /// Writes one cell and the space behind it, and returns how much it takes.
    fn push_column(
        &self,
        row: &Row<'_>,
        column: Column,
        left: usize,
        is_last: bool,
        line: &mut String,
    ) -> usize {
        const SPACE: &str = "  ";
        let cell = if is_last {
            left
        } else {
            self.cell(column).min(left)
        };
        let text = self.value(row, column, cell);
        let style = match column {
            Column::Sender => self.paint.sender(&row.record.sender),
            Column::Number | Column::Time => self.paint.dim(),
            _ => self.paint.plain(),
        };
        let mut taken = cell;
        let _infallible = write!(line, "{style}");
        match column {
            Column::Text if is_last => {
                let mut shown = String::new();
                taken = push_cut(&text, cell, &mut shown);
                let (style, mark) = (self.paint.plain(), self.paint.mark());
                crate::marks::paint(&self.layout.marks, &shown, style, mark, line);
            }
            _ if is_last => taken = push_cut(&text, cell, line),
            Column::Number => {
                push_right(&text, cell, line);
                // A number is never cut.
                taken = cell.max(text.len());
            }
            _ => push_cell(&text, cell, line),
        }
        let _infallible = write!(line, "{style:#}");
        if !is_last {
            line.push_str(SPACE);
        }
        taken.saturating_add(SPACE.len())
    }
}

impl<W: Write> Sink for CompactFormat<W> {
    fn wants_numbers(&self) -> bool {
        self.layout.wants_numbers()
    }

    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        match Row::read(entry) {
            Ok(row) => self.write_row(&row),
            Err(error) => Ok(writeln!(
                self.out,
                "{:>6}  cannot be read: {error}",
                of_message(entry.number)
            )?),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

//! How a conversation went, as text and as JSON.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use crate::bars::bar;
use crate::cell::{one_line, push_cell, push_cut, push_right};
use crate::colour::Paint;
use crate::duration::{duration, short};
use crate::layout::Layout;
use crate::number::{counted, grouped, size};
use crate::stats::{messages, write_around};
use query::Error;
use query::sanitise;
use query::{Activity, AnalysisReport, Named, ReplyTimes, Sender, Statistics, Unit};

/// How many names of each kind are shown, unless all are asked for.
const SHOWN: usize = 20;
/// Columns where nothing tells how many there are.
const WIDTH: usize = 100;

/// Writes the counts, and what there is to tell beyond them.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_analysis(
    counts: &Statistics,
    report: &AnalysisReport,
    layout: &Layout,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let text = Text {
        report,
        layout,
        width: layout.width.unwrap_or(WIDTH).max(40),
        paint: Paint::new(layout.is_coloured),
    };
    write_around(counts, &layout.limits, out, |out| text.senders(out))?;
    if report.messages == 0 {
        return Ok(());
    }
    text.names("Keys", &report.keys, out)?;
    text.names("Topics", &report.topics, out)?;
    text.names("Tags", &report.tags, out)?;
    if let Some(activity) = &report.activity {
        text.activity(activity, out)?;
    }
    text.replies(out)?;
    text.open_questions(out)?;
    text.health(out)?;
    Ok(())
}

/// Writes the whole report as JSON.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_analysis_json(report: &AnalysisReport, out: &mut dyn Write) -> Result<(), Error> {
    let json = serde_json::to_string_pretty(report).map_err(io::Error::from)?;
    for line in json.lines() {
        // Within JSON the escapes stand for the same characters.
        writeln!(out, "{}", sanitise(line))?;
    }
    Ok(())
}

struct Text<'a> {
    report: &'a AnalysisReport,
    layout: &'a Layout,
    width: usize,
    paint: Paint,
}

impl Text<'_> {
    fn heading(&self, title: &str, out: &mut dyn Write) -> io::Result<()> {
        let bold = self.paint.bold();
        writeln!(out, "\n{bold}[{title}]{bold:#}")
    }

    /// How many of `count` rows are shown.
    fn shown(&self, count: usize) -> usize {
        match self.layout.limits.lines {
            usize::MAX => count,
            _ => count.min(SHOWN),
        }
    }

    fn rest(&self, count: usize, out: &mut dyn Write) -> io::Result<()> {
        match count - self.shown(count) {
            0 => Ok(()),
            more => writeln!(out, "  and {more} more: --full shows all"),
        }
    }

    fn senders(&self, out: &mut dyn Write) -> io::Result<()> {
        self.heading("Senders", out)?;
        let senders = &self.report.senders;
        let senders = senders.get(..self.shown(senders.len())).unwrap_or_default();
        let name = |sender: &Sender| cut(&label(sender.name.as_deref()), self.width / 3);
        let count = |sender: &Sender| format!(": {}", messages(sender.messages));
        let widths = senders
            .iter()
            .map(|sender| name(sender).width() + count(sender).width());
        let width = widths.max().unwrap_or(0);
        let mut head = String::from("  ");
        push_cell("", width, &mut head);
        head.push_str("   share       size   median      p95");
        let has_times = self.width >= width + 40 + 42;
        if has_times {
            head.push_str("  first                last");
        }
        let dim = self.paint.dim();
        writeln!(out, "{dim}{}{dim:#}", cut(&head, self.width))?;
        for sender in senders {
            let (name, count) = (name(sender), count(sender));
            let style = self
                .paint
                .sender(sender.name.as_deref().unwrap_or_default());
            let mut row = count;
            let room = width - name.width();
            row.push_str(&" ".repeat(room - row.width()));
            row.push_str(&self.sender_details(sender, has_times));
            let row = cut(&row, self.width.saturating_sub(name.width() + 2));
            writeln!(out, "  {style}{name}{style:#}{row}")?;
        }
        self.rest(self.report.senders.len(), out)
    }

    fn sender_details(&self, sender: &Sender, has_times: bool) -> String {
        let mut row = String::new();
        push_right(&percent(sender.share), 8, &mut row);
        push_right(&size(sender.bytes), 11, &mut row);
        let ReplyTimes {
            median_seconds,
            p95_seconds,
            ..
        } = sender.replies;
        for time in [median_seconds, p95_seconds] {
            push_right(&time.map_or("-".to_owned(), short), 9, &mut row);
        }
        if let (true, Some(range)) = (has_times, &sender.recorded) {
            let zone = &self.layout.zone;
            let first = zone.date_and_time(&range.first);
            row.push_str(&format!("  {first}  {}", zone.date_and_time(&range.last)));
        }
        row
    }

    fn names(&self, title: &str, names: &[Named], out: &mut dyn Write) -> io::Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        self.heading(title, out)?;
        let most = names.iter().map(|name| name.messages).max().unwrap_or(0);
        let name_width = name_width(
            names.iter().map(|name| name.name.as_deref()),
            self.width / 3,
        );
        let room = self.width.saturating_sub(name_width + 22).min(40);
        for name in names.iter().take(self.shown(names.len())) {
            let mut row = String::from("  ");
            push_cell(&label(name.name.as_deref()), name_width, &mut row);
            push_right(&grouped(name.messages), 10, &mut row);
            push_right(&percent(name.share), 7, &mut row);
            writeln!(out, "{row}  {}", bar(name.messages, most, room))?;
        }
        self.rest(names.len(), out)
    }

    fn activity(&self, activity: &Activity, out: &mut dyn Write) -> io::Result<()> {
        let per = match (activity.unit, activity.units) {
            (Unit::Hour, _) => "Messages per Hour".to_owned(),
            (Unit::Day, 1) => "Messages per Day".to_owned(),
            (Unit::Day, days) => format!("Messages per {days} Days"),
        };
        self.heading(
            &format!("{per}, {}", sanitise(&self.layout.zone.name())),
            out,
        )?;
        let most = activity.buckets.iter().map(|bucket| bucket.messages).max();
        let most = most.unwrap_or(0);
        let digits = grouped(most).len();
        for bucket in &activity.buckets {
            let start = self.layout.zone.date_and_time(&bucket.start);
            let start = match activity.unit {
                Unit::Hour => start.get(..16).unwrap_or(&start),
                Unit::Day => start.get(..10).unwrap_or(&start),
            };
            let room = self.width.saturating_sub(start.len() + digits + 6).min(60);
            let bar = bar(bucket.messages, most, room);
            let line = format!("  {start}  {:>digits$}  {bar}", grouped(bucket.messages));
            writeln!(out, "{}", line.trim_end())?;
        }
        let Some(silence) = &self.report.longest_silence else {
            return Ok(());
        };
        let length = duration(silence.seconds);
        match &silence.between {
            Some(range) => {
                let zone = &self.layout.zone;
                let (first, last) = (&range.first, &range.last);
                let (first, last) = (zone.date_and_time(first), zone.date_and_time(last));
                writeln!(out, "  Longest silence: {length}, from {first} to {last}")
            }
            None => writeln!(out, "  Longest silence: less than {length}"),
        }
    }

    fn replies(&self, out: &mut dyn Write) -> io::Result<()> {
        let replies = &self.report.replies;
        self.heading("Replies", out)?;
        let (Some(median), Some(p95)) = (replies.median_seconds, replies.p95_seconds) else {
            return writeln!(out, "  No reply names a message that is here.");
        };
        let (median, p95) = (duration(median), duration(p95));
        let about = about(self.report.open_questions.one_in);
        writeln!(
            out,
            "  {about}{}: half within {median}, 95% within {p95}",
            counted(replies.count, "reply", "replies")
        )
    }

    fn open_questions(&self, out: &mut dyn Write) -> io::Result<()> {
        let open = &self.report.open_questions;
        // Where nobody replies to a message by its name, none is without a reply.
        if self.report.replies.count == 0 {
            return Ok(());
        }
        self.heading("Open Questions", out)?;
        if open.count == 0 {
            return writeln!(out, "  None.");
        }
        writeln!(
            out,
            "  {}{} without a reply, the newest:",
            about(open.one_in),
            grouped(open.count)
        )?;
        for question in &open.newest {
            let number = question
                .message_num
                .map_or("-".to_owned(), |number| format!("#{number}"));
            let mut row = String::from("  ");
            push_right(&number, 8, &mut row);
            row.push_str("  ");
            let sender = one_line(&question.sender);
            let style = self.paint.sender(&question.sender);
            let mut name = String::new();
            push_cell(&sender, 14, &mut name);
            let text = format!("  {}", one_line(&question.text));
            let text = cut(&text, self.width.saturating_sub(26));
            writeln!(out, "{row}{style}{name}{style:#}{text}")?;
        }
        Ok(())
    }

    fn health(&self, out: &mut dyn Write) -> io::Result<()> {
        let damage = &self.report.damage;
        self.heading("Health", out)?;
        writeln!(out, "  Damaged lines:    {}", grouped(damage.damaged_lines))?;
        writeln!(
            out,
            "  Altered messages: {}",
            grouped(damage.altered_messages)
        )?;
        match &self.report.gaps {
            None if self.report.is_filtered => Ok(()),
            None => writeln!(out, "  Missing numbers:  too many gaps to count"),
            Some(gaps) if gaps.count == 0 => writeln!(out, "  Missing numbers:  none"),
            Some(gaps) => {
                write!(
                    out,
                    "  Missing numbers:  {} in {}:",
                    grouped(gaps.missing),
                    counted(gaps.count, "gap", "gaps")
                )?;
                for (at, (from, to)) in gaps.first.iter().enumerate() {
                    let before = if at == 0 { " " } else { ", " };
                    match from == to {
                        true => write!(out, "{before}{from}")?,
                        false => write!(out, "{before}{from}-{to}")?,
                    }
                }
                let more = if gaps.first.len() as u64 == gaps.count {
                    ""
                } else {
                    ", ..."
                };
                writeln!(out, "{more}")
            }
        }
    }
}

fn about(one_in: u64) -> &'static str {
    if one_in > 1 { "about " } else { "" }
}

fn label(name: Option<&str>) -> String {
    match name {
        None => "(others)".to_owned(),
        Some("") => "(empty)".to_owned(),
        Some(name) => one_line(name),
    }
}

/// How wide the longest of some names is, within limits.
fn name_width<'n>(names: impl Iterator<Item = Option<&'n str>>, most: usize) -> usize {
    let width = |name: Option<&str>| {
        let mut out = String::new();
        push_cut(&label(name), most, &mut out)
    };
    names.map(width).max().unwrap_or(0).max(8)
}

fn cut(text: &str, columns: usize) -> String {
    let mut out = String::new();
    push_cut(text, columns, &mut out);
    out.truncate(out.trim_end().len());
    out
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

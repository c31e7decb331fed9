//! The statistics of a page, with charts drawn as SVG.

use std::io::{self, Write};

use super::escape::Text;
use crate::colour::Paint;
use crate::duration::duration;
use crate::number::{counted, size};
use query::Zone;
use query::{Activity, AnalysisReport, Unit};

/// How many senders are drawn at most.
const SENDERS: usize = 12;
const WIDTH: u64 = 800;
const ROW: u64 = 22;
const LABEL: u64 = 170;
const HEIGHT: u64 = 110;

/// Writes the statistics as a part of a page.
pub(super) fn write(
    report: &AnalysisReport,
    zone: &Zone,
    paint: &Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let messages = counted(report.messages, "message", "messages");
    let size = size(report.bytes);
    writeln!(
        out,
        "<section id=\"statistics\"><details open><summary>Statistics: {messages}, \
         {size}</summary>"
    )?;
    if !report.senders.is_empty() {
        write_senders(report, paint, out)?;
    }
    if let Some(activity) = &report.activity {
        write_activity(activity, zone, out)?;
    }
    writeln!(out, "<p class=\"meta\">{}</p>", Text(&facts(report)))?;
    writeln!(out, "</details></section>")
}

fn write_senders(report: &AnalysisReport, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let shown = report.senders.get(..SENDERS).unwrap_or(&report.senders);
    let most = shown
        .iter()
        .map(|sender| sender.messages)
        .max()
        .unwrap_or(1);
    let height = ROW * shown.len() as u64 + 4;
    writeln!(
        out,
        "<h2>Senders</h2>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Messages by sender\">"
    )?;
    let room = WIDTH - LABEL - 130;
    for (at, sender) in shown.iter().enumerate() {
        let y = at as u64 * ROW;
        let name = sender.name.as_deref().unwrap_or("(others)");
        let (kind, width) = (paint.kind(name), scaled(sender.messages, most, room));
        let (label, text) = (clipped(name), y + 15);
        let share = sender.share * 100.0;
        writeln!(
            out,
            "<g class=\"k{kind}\"><title>{}</title><text x=\"0\" y=\"{text}\">{}</text>\
             <rect class=\"own\" x=\"{LABEL}\" y=\"{}\" width=\"{width}\" height=\"{}\" rx=\"3\"/>\
             <text class=\"soft\" x=\"{}\" y=\"{text}\">{} ({share:.1}%)</text></g>",
            Text(name),
            Text(&label),
            y + 2,
            ROW - 5,
            LABEL + width + 8,
            sender.messages,
        )?;
    }
    writeln!(out, "</svg>")?;
    if shown.len() < report.senders.len() {
        let more = report.senders.len() - shown.len();
        writeln!(out, "<p class=\"meta\">and {more} more senders</p>")?;
    }
    Ok(())
}

fn write_activity(activity: &Activity, zone: &Zone, out: &mut dyn Write) -> io::Result<()> {
    let count = activity.buckets.len().max(1) as u64;
    let most = activity.buckets.iter().map(|bucket| bucket.messages).max();
    let most = most.unwrap_or(1).max(1);
    let title = match (activity.unit, activity.units) {
        (Unit::Hour, _) => "Messages per hour".to_owned(),
        (Unit::Day, 1) => "Messages per day".to_owned(),
        (Unit::Day, days) => format!("Messages per {days} days"),
    };
    writeln!(
        out,
        "<h2>{title}</h2>\n<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{title}\">",
        HEIGHT + 20
    )?;
    for (at, bucket) in activity.buckets.iter().enumerate() {
        let (from, to) = (at as u64 * WIDTH / count, (at as u64 + 1) * WIDTH / count);
        let height = scaled(bucket.messages, most, HEIGHT);
        let start = zone.date_and_time(&bucket.start);
        let width = (to - from).saturating_sub(2).clamp(1, 60);
        writeln!(
            out,
            "<rect x=\"{from}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"2\">\
             <title>{}: {}</title></rect>",
            HEIGHT - height,
            Text(&start),
            bucket.messages,
        )?;
    }
    let label = |start: &str| zone.date_and_time(start).get(..16).map(str::to_owned);
    let ends = [activity.buckets.first(), activity.buckets.last()].map(|bucket| {
        let start = bucket.map(|bucket| label(&bucket.start));
        start.flatten().unwrap_or_default()
    });
    let y = HEIGHT + 15;
    write!(
        out,
        "<text class=\"soft\" x=\"0\" y=\"{y}\">{}</text>",
        Text(&ends[0])
    )?;
    if ends[0] != ends[1] {
        let end = Text(&ends[1]);
        write!(
            out,
            "<text class=\"soft\" x=\"{WIDTH}\" y=\"{y}\" text-anchor=\"end\">{end}</text>"
        )?;
    }
    writeln!(out, "</svg>")
}

/// Says in a sentence what no chart shows.
fn facts(report: &AnalysisReport) -> String {
    let mut facts = Vec::new();
    let replies = &report.replies;
    if let (Some(median), Some(p95)) = (replies.median_seconds, replies.p95_seconds) {
        let (median, p95) = (duration(median), duration(p95));
        facts.push(format!(
            "{} replies, half within {median}, 95% within {p95}",
            replies.count
        ));
    }
    facts.push(format!("{} open questions", report.open_questions.count));
    if let Some(silence) = &report.longest_silence {
        let below = if silence.is_exact { "" } else { "less than " };
        facts.push(format!(
            "longest silence {below}{}",
            duration(silence.seconds)
        ));
    }
    facts.join(" · ")
}

fn scaled(part: u64, whole: u64, room: u64) -> u64 {
    let length = u128::from(part) * u128::from(room) / u128::from(whole.max(1));
    let length = u64::try_from(length).unwrap_or(room);
    length.max(u64::from(part > 0)).min(room)
}

/// Cuts a name to what fits before the bars.
fn clipped(name: &str) -> String {
    const MOST: usize = 22;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    name.chars().take(MOST - 1).chain(['…']).collect()
}

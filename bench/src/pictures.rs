//! The pictures in the documentation.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::cases::open_loop::PERCENTILES;
use crate::cases::throughput::RATE;
use crate::plot::{Frame, draw, panel, positions};
use crate::results::Results;

/// Draws throughput against message size, a panel for each number of agents.
pub(crate) fn throughput(results: &Results) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for row in &results.rows {
        if !groups.contains(&row.group.as_str()) {
            groups.push(&row.group);
        }
    }
    let panels = groups
        .iter()
        .map(|group| panel(results, &agents(group), group, RATE));
    let frame = Frame {
        title: "Messages a second (more is better)",
        x_label: "message size",
        x_ticks: positions(results).into_iter().map(bytes).collect(),
        y_tick: count,
    };
    draw(&frame, &panels.collect::<Vec<_>>())
}

/// Draws latency against load, a panel for each percentile.
pub(crate) fn latency(results: &Results) -> String {
    let panels = PERCENTILES.map(|(measure, heading, _)| {
        let title = heading.trim_end_matches(" µs");
        panel(results, title, "", measure)
    });
    let frame = Frame {
        title: "Latency at a steady load, from when a message is due (less is better)",
        x_label: "messages a second",
        x_ticks: positions(results)
            .into_iter()
            .map(|rate| count(rate as f64))
            .collect(),
        y_tick: time,
    };
    draw(&frame, &panels)
}

/// Writes a picture.
///
/// # Errors
/// An error with the file's name.
pub(crate) fn write(path: &Path, svg: &str) -> anyhow::Result<()> {
    fs::write(path, svg).with_context(|| format!("cannot write {}", path.display()))
}

fn agents(shape: &str) -> String {
    let (publishers, subscribers) = shape.split_once('x').unwrap_or((shape, ""));
    let plural = |number: &str, what: &str| match number {
        "1" => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    format!(
        "{}, {}",
        plural(publishers, "publisher"),
        plural(subscribers, "subscriber")
    )
}

fn bytes(size: u64) -> String {
    match size {
        _ if size >= 1 << 10 && size.is_multiple_of(1 << 10) => format!("{} KiB", size >> 10),
        _ => format!("{size} B"),
    }
}

fn count(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{} M", value / 1e6),
        _ if value >= 1e3 => format!("{} k", value / 1e3),
        _ => format!("{value}"),
    }
}

fn time(microseconds: f64) -> String {
    match microseconds {
        _ if microseconds >= 1e6 => format!("{} s", microseconds / 1e6),
        _ if microseconds >= 1e3 => format!("{} ms", microseconds / 1e3),
        _ => format!("{microseconds} µs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_say_them() {
        assert_eq!(
            (bytes(256), bytes(16_384)),
            ("256 B".to_owned(), "16 KiB".to_owned())
        );
        assert_eq!(
            (count(5_000.0), count(1e6)),
            ("5 k".to_owned(), "1 M".to_owned())
        );
        assert_eq!(
            (time(100.0), time(1e4)),
            ("100 µs".to_owned(), "10 ms".to_owned())
        );
        assert_eq!(agents("1x16"), "1 publisher, 16 subscribers");
    }
}

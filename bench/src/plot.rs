//! Pictures of results: a row of panels with a line for each subject.

mod scale;
mod style;

use std::fmt::Write as _;

use self::scale::Scale;
use self::style::{STYLE, class};
use crate::results::Results;
use crate::stats::median;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 48.0;
const LEGEND: f64 = 34.0;

/// One subject's values from left to right.
#[derive(Debug, PartialEq)]
struct Line {
    subject: String,
    /// Position on the x axis and value.
    points: Vec<(usize, f64)>,
}

/// A diagram with a title.
#[derive(Debug)]
pub(crate) struct Panel {
    title: String,
    lines: Vec<Line>,
}

/// What is the same in all panels.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// Above everything.
    pub(crate) title: &'a str,
    /// Below each panel.
    pub(crate) x_label: &'a str,
    /// What stands at each position on the x axis.
    pub(crate) x_ticks: Vec<String>,
    /// How a value on the y axis is written.
    pub(crate) y_tick: fn(f64) -> String,
}

/// Makes the panel of one group and one measure.
pub(crate) fn panel(results: &Results, title: &str, group: &str, measure: &str) -> Panel {
    let positions = positions(results);
    let mut lines: Vec<Line> = Vec::new();
    for row in results.rows.iter().filter(|row| row.group == group) {
        let Some(rounds) = row.measures.get(measure) else {
            continue;
        };
        let at = positions.iter().position(|x| *x == row.x).unwrap_or(0);
        let point = (at, median(rounds));
        match lines.iter_mut().find(|line| line.subject == row.subject) {
            Some(line) => line.points.push(point),
            None => lines.push(Line {
                subject: row.subject.clone(),
                points: vec![point],
            }),
        }
    }
    Panel {
        title: title.to_owned(),
        lines,
    }
}

/// Returns what is on the x axis, in order.
pub(crate) fn positions(results: &Results) -> Vec<u64> {
    let mut positions: Vec<u64> = results.rows.iter().map(|row| row.x).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

/// Draws panels beside each other, with one scale and one legend.
pub(crate) fn draw(frame: &Frame<'_>, panels: &[Panel]) -> String {
    let values = panels
        .iter()
        .flat_map(|panel| &panel.lines)
        .flat_map(|line| &line.points);
    let scale = Scale::around(values.map(|(_, value)| *value), TOP, HEIGHT - BOTTOM);
    let (width, height) = (WIDTH * panels.len() as f64, HEIGHT + LEGEND);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"{middle}\" y=\"24\">{title}</text>\n",
        title = escape(frame.title),
        middle = width / 2.0,
    );
    for (index, panel) in panels.iter().enumerate() {
        push(
            &mut svg,
            format_args!("<g transform=\"translate({} 0)\">\n", WIDTH * index as f64),
        );
        draw_axes(&mut svg, frame, &scale, &panel.title);
        for line in &panel.lines {
            draw_line(&mut svg, line, frame.x_ticks.len(), &scale);
        }
        svg.push_str("</g>\n");
    }
    draw_legend(&mut svg, panels, width);
    svg.push_str("</svg>\n");
    svg
}

fn draw_axes(svg: &mut String, frame: &Frame<'_>, scale: &Scale, title: &str) {
    let (bottom, end) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let middle = LEFT.midpoint(end);
    push(
        svg,
        format_args!(
            "<text class=\"panel\" x=\"{middle}\" y=\"50\">{}</text>\n",
            escape(title)
        ),
    );
    for value in scale.ticks() {
        let (y, label) = (scale.place(value), (frame.y_tick)(value));
        push(
            svg,
            format_args!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{end}\"/>\n"),
        );
        let (x, y) = (LEFT - 6.0, y + 4.0);
        push(
            svg,
            format_args!("<text class=\"y\" x=\"{x}\" y=\"{y:.1}\">{label}</text>\n"),
        );
    }
    for (position, label) in frame.x_ticks.iter().enumerate() {
        let (x, y) = (place_x(position, frame.x_ticks.len()), bottom + 18.0);
        push(
            svg,
            format_args!("<text class=\"x\" x=\"{x:.1}\" y=\"{y}\">{label}</text>\n"),
        );
    }
    let (y, label) = (bottom + 36.0, frame.x_label);
    push(
        svg,
        format_args!("<text class=\"x\" x=\"{middle}\" y=\"{y}\">{label}</text>\n"),
    );
}

fn draw_line(svg: &mut String, line: &Line, positions: usize, scale: &Scale) {
    let points = line
        .points
        .iter()
        .map(|(at, value)| (place_x(*at, positions), scale.place(*value)));
    let points: Vec<(f64, f64)> = points.collect();
    let path: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1} {y:.1}"))
        .collect();
    let class = class(&line.subject);
    push(
        svg,
        format_args!("<path class=\"line {class}\" d=\"M{}\"/>\n", path.join("L")),
    );
    for (x, y) in points {
        push(
            svg,
            format_args!("<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>\n"),
        );
    }
}

fn draw_legend(svg: &mut String, panels: &[Panel], width: f64) {
    let mut subjects: Vec<&str> = Vec::new();
    for line in panels.iter().flat_map(|panel| &panel.lines) {
        if !subjects.contains(&line.subject.as_str()) {
            subjects.push(&line.subject);
        }
    }
    let room = |subject: &str| 46.0 + 7.5 * subject.chars().count() as f64;
    let total: f64 = subjects.iter().map(|subject| room(subject)).sum();
    let (mut x, y) = ((width - total) / 2.0, HEIGHT + 14.0);
    for subject in subjects {
        let class = class(subject);
        push(
            svg,
            format_args!("<path class=\"line {class}\" d=\"M{x:.1} {y}h24\"/>\n"),
        );
        let (text, base) = (x + 30.0, y + 4.0);
        let name = escape(subject);
        push(
            svg,
            format_args!("<text class=\"legend\" x=\"{text:.1}\" y=\"{base}\">{name}</text>\n"),
        );
        x += room(subject);
    }
}

fn place_x(position: usize, positions: usize) -> f64 {
    let step = (WIDTH - LEFT - RIGHT) / positions.max(1) as f64;
    LEFT + step * (position as f64 + 0.5)
}

fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _written = svg.write_fmt(text);
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_has_a_line_through_its_medians() {
        let mut results = Results::new("case", "bytes", Vec::new());
        for (subject, x, value) in [
            ("a", 16, 3.0),
            ("a", 4, 1.0),
            ("a", 16, 5.0),
            ("<b>", 4, 9.0),
        ] {
            results.add("1x1", x, subject, "rate", value);
        }
        results.add("other", 4, "a", "rate", 100.0);
        let panel = panel(&results, "1 & 1", "1x1", "rate");
        let line = |subject: &str, points: &[(usize, f64)]| Line {
            subject: subject.to_owned(),
            points: points.to_vec(),
        };
        assert_eq!(
            panel.lines,
            [line("a", &[(1, 4.0), (0, 1.0)]), line("<b>", &[(0, 9.0)])]
        );
        let frame = Frame {
            title: "T",
            x_label: "x",
            x_ticks: vec!["4".to_owned(), "16".to_owned()],
            y_tick: |value| value.to_string(),
        };
        let svg = draw(&frame, &[panel]);
        assert!(
            svg.contains(">&lt;b&gt;<") && svg.contains(">1 &amp; 1<"),
            "{svg}"
        );
        assert_eq!(svg.matches("<circle").count(), 3);
    }
}

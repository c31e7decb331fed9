//! What a viewer shows of anything.

use std::path::Path;
use std::sync::LazyLock;

use query::{Analysis, ArchivedSession, Error, Filter, Findings, Order, Source, Statistics, Zone};
use regex::Regex;
use render::{Format, Layout, Limits, TextFormat};
use serde_json::value::RawValue;

use crate::sandbox::with_session;

/// What drives a terminal or can't be seen, by Unicode's own classes.
static HIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    let classes = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\x{2800}]";
    Regex::new(classes).expect("it is a class of characters")
});

/// Shows bytes as a session's lines: messages in every format, counts, findings,
/// the archive.
///
/// # Panics
/// Where a character that is no newline acts on a terminal or can't be seen.
pub fn rendering(data: &[u8]) {
    check_sanitise(&String::from_utf8_lossy(data));
    with_session(data, |dir, open| {
        let everything = Filter::default();
        let screen = Limits {
            lines: 3,
            columns: 20,
            ..Limits::screen("more")
        };
        for limits in [Limits::NONE, screen] {
            let mut out = Vec::new();
            let mut findings = Findings::default();
            let counted: Result<Statistics, _> = query::count(&open(), &everything, &mut findings);
            let counted = counted.expect("the session can be counted");
            render::write_statistics(&counted, &limits, &mut out).expect("memory has room");
            render::write_findings(&findings, &mut out).expect("memory has room");
            for limit in [None, Some(2)] {
                let mut findings_shown = Findings::default();
                let path = Path::new("a\u{1b}[2J\n.jsonl");
                let mut format = TextFormat::new(&mut out, path, limits, true);
                let order = Order {
                    limit,
                    newest_first: limit.is_none(),
                };
                query::show(
                    &open(),
                    &everything,
                    order,
                    &mut findings_shown,
                    &mut format,
                )
                .expect("the session can be shown");
                assert_eq!(findings_shown, findings);
            }
            check_shown(&out, counted.messages);
        }
        check_formats(open, screen);
        let mut out = Vec::new();
        let archives = query::list_archives(dir).expect("the archive can be listed");
        let held = |archive: &ArchivedSession| query::holdings(dir, &archive.name, &Zone::utc());
        let holdings: Vec<_> = archives.iter().map(held).collect();
        render::write_archives(dir, &archives, &holdings, Some(60), &mut out)
            .expect("memory has room");
        check_shown(&out, 0);
    });
}

/// Writes all messages in each format, for a terminal and for a file, and what
/// was counted of them.
fn check_formats(open: &dyn Fn() -> Source, limits: Limits) {
    let everything = Filter::default();
    let mut findings = Findings::default();
    let analysis: Analysis =
        query::count(&open(), &everything, &mut findings).expect("the session can be counted");
    let messages = analysis.counts.messages;
    let report = analysis
        .report(&open(), &everything, &findings, &Zone::utc())
        .expect("the session can be read again");
    let mut out = Vec::new();
    render::write_analysis_json(&report, &mut out).expect("memory has room");
    check_json(&out);

    for (_, format) in Format::NAMES {
        let [screen, file] = [true, false].map(|is_terminal| {
            let layout = Layout {
                width: is_terminal.then_some(70),
                limits: if is_terminal { limits } else { Limits::NONE },
                is_terminal,
                ..Layout::default()
            };
            written(open, format, layout)
        });
        check_visible(&screen);
        match format {
            Format::Json => assert_eq!(check_json(&file), messages),
            Format::Compact => assert_eq!(
                file.split(|byte| *byte == b'\n').count() as u64,
                messages + 1
            ),
            Format::Html => {
                let page = String::from_utf8_lossy(&file);
                assert_eq!(page.matches("<article").count() as u64, messages);
                assert_eq!(page.matches("<script").count(), 1);
            }
            _ => {}
        }
    }
}

fn written(open: &dyn Fn() -> Source, format: Format, layout: Layout) -> Vec<u8> {
    let mut out = Vec::new();
    let path = Path::new("a\u{1b}[2J\n.jsonl");
    let mut sink = render::formatter(format, &mut out, path, layout, false);
    let (everything, mut findings) = (Filter::default(), Findings::default());
    let order = Order {
        limit: None,
        newest_first: false,
    };
    let shown = query::show(&open(), &everything, order, &mut findings, &mut *sink);
    shown.expect("the session can be shown");
    match sink.end() {
        // Of a line that somebody changed there may be no payload.
        Err(Error::Changed { .. }) if format == Format::Raw => {}
        ended => ended.expect("memory has room"),
    }
    drop(sink);
    out
}

/// Returns how many values there are in an array.
fn check_json(out: &[u8]) -> u64 {
    let json: Box<RawValue> = serde_json::from_slice(out).expect("it is JSON");
    let array: Result<Vec<&RawValue>, _> = serde_json::from_str(json.get());
    array.map_or(0, |all| all.len() as u64)
}

/// Lines and cells are ended as each format wants it.
fn check_visible(out: &[u8]) {
    let shown = std::str::from_utf8(out).expect("what is shown is text");
    for line in shown.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(hidden) = HIDDEN.find(&line.replace('\t', " ")) {
            panic!("{:?} in {line:?}", hidden.as_str());
        }
    }
}

fn check_shown(out: &[u8], messages: u64) {
    let shown = std::str::from_utf8(out).expect("what is shown is text");
    for line in shown.split('\n') {
        if let Some(hidden) = HIDDEN.find(line) {
            panic!("{:?} in {line:?}", hidden.as_str());
        }
    }
    // All of them, and the newest two of them.
    let headings = shown
        .lines()
        .filter(|line| line.starts_with("[TIME] "))
        .count() as u64;
    assert!(
        headings == 0 || headings == messages + messages.min(2),
        "{shown}"
    );
}

fn check_sanitise(text: &str) {
    let clean = query::sanitise(text);
    assert!(!HIDDEN.is_match(&clean), "{text:?}");
    assert_eq!(clean == text, !HIDDEN.is_match(text), "{text:?}");
    assert_eq!(query::sanitise(&clean), clean);
}

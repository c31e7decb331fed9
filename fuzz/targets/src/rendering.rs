//! What a viewer shows of anything.

use std::path::Path;
use std::sync::LazyLock;

use query::{Filter, Findings, Limits, Order, Statistics, TextFormat};
use regex::Regex;

use crate::sandbox::with_session;

/// What drives a terminal or can't be seen, by Unicode's own classes.
static HIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    let classes = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\x{2800}]";
    Regex::new(classes).expect("it is a class of characters")
});

/// Shows bytes as a session's lines: messages, counts, findings, the archive.
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
            query::write_statistics(&counted, &limits, &mut out).expect("memory has room");
            query::write_findings(&findings, &mut out).expect("memory has room");
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
        let mut out = Vec::new();
        let archives = query::list_archives(dir).expect("the archive can be listed");
        query::write_archives(dir, &archives, &mut out).expect("memory has room");
        check_shown(&out, 0);
    });
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

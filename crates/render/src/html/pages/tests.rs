use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use query::testing::{dir_with, open, recorded};
use query::{Filter, Findings, Order, show};
use serde_json::Value;

use super::*;

#[derive(Default)]
struct Files(BTreeMap<String, String>);

impl Folder for Files {
    fn write(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let content = String::from_utf8(content.to_vec()).unwrap();
        assert_eq!(self.0.insert(name.to_owned(), content), None, "{name}");
        Ok(())
    }
}

fn written(session: &[u8]) -> BTreeMap<String, String> {
    let (dir, mut files) = (dir_with(session), Files::default());
    let layout = Layout {
        zone: query::Zone::utc(),
        ..Layout::default()
    };
    let mut pages = Pages::new(&mut files, "the path".into(), layout);
    let (filter, order) = (Filter::default(), Order::default());
    show(
        &open(&dir),
        &filter,
        order,
        &mut Findings::default(),
        &mut pages,
    )
    .unwrap();
    pages.end().unwrap();
    files.0
}

/// Messages of which each answers the one three before it.
fn talk(count: u64) -> Vec<u8> {
    let line = |number: u64| {
        let reply = match number {
            0..4 => String::new(),
            _ => format!(r#""in_reply_to":"m{}","#, number - 3),
        };
        let payload =
            format!(r#"{{"from":"a<b","id":"m{number}",{reply}"content":"word{number} & <i>"}}"#);
        recorded(number, "t", &payload)
    };
    (1..=count).flat_map(line).collect()
}

/// Names between such marks.
fn between<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
    let parts = text.split(before).skip(1);
    parts.map(|part| part.split('"').next().unwrap()).collect()
}

/// The path to which an address leads, and the element there.
fn target(from: &str, address: &str) -> (String, Option<String>) {
    let (path, element) = match address.split_once('#') {
        Some((path, element)) => (path, Some(element.to_owned())),
        None => (address, None),
    };
    let folder = from.rsplit_once('/').map(|(folder, _)| folder);
    let path = match (path, path.strip_prefix("../"), folder) {
        ("", ..) => from.to_owned(),
        (_, Some(above), _) => above.to_owned(),
        (path, None, Some(folder)) => format!("{folder}/{path}"),
        (path, None, None) => path.to_owned(),
    };
    (path, element)
}

/// What a script gives to the function that it calls, or to what it sets.
fn said(script: &str, before: &str) -> Value {
    let json = script.strip_prefix(before).unwrap();
    let json = json.trim_end().trim_end_matches([')', ';']);
    serde_json::from_str(json).unwrap()
}

#[test]
fn all_links_lead_to_something() {
    let files = written(&talk(95));
    let mut leads_across = 0;
    for (name, content) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        let addresses = between(content, "href=\"")
            .into_iter()
            .chain(between(content, "src=\""));
        for address in addresses {
            let (path, element) = target(name, address);
            let there = files.get(&path);
            let there = there.unwrap_or_else(|| panic!("{name}: {address}"));
            if let Some(element) = element {
                let is_there = there.contains(&format!("id=\"{element}\""));
                assert!(is_there, "{name}: {address}");
                leads_across += u64::from(path != *name);
            }
        }
    }
    // Of each page but the first, the first three answer messages of the one before.
    assert_eq!(leads_across, 9 * 3);
}

#[test]
fn pages_are_bounded_and_hold_each_message_once() {
    let mut session = talk(35);
    let long = "long ".repeat(8 << 10);
    for number in 36..=40 {
        let payload = format!(r#"{{"content":"BEGIN {long}"}}"#);
        session.extend(recorded(number, "t", &payload));
    }
    let files = written(&session);
    let mut seen = Vec::new();
    for (name, content) in files.iter().filter(|(name, _)| name.starts_with("pages/")) {
        let anchors = between(content, "<article id=\"m");
        assert!(anchors.len() as u64 <= MESSAGES, "{name}");
        // One that is longer than a page may be is the last on its page.
        assert!(content.matches("BEGIN").count() <= 1, "{name}");
        seen.extend(anchors.into_iter().map(|at| at.parse::<u64>().unwrap()));
    }
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
}

#[test]
fn the_search_knows_what_stands_on_the_pages() {
    let files = written(&talk(25));
    let mut found = Vec::new();
    for page in 1..=3 {
        let text = &files[&format!("search/{page:04}.js")];
        let texts = said(text, &format!("conversation({page},"));
        let html = &files[&format!("pages/{page:04}.html")];
        for message in texts.as_array().unwrap() {
            let at = message[0].as_u64().unwrap();
            assert!(
                html.contains(&format!("<article id=\"m{at}\"")),
                "{page}: {at}"
            );
            let text = message[4].as_str().unwrap();
            assert!(text.contains(&format!("word{at} & <i>")), "{text}");
            assert!(text.contains("a<b"), "the sender can be found: {text}");
            found.push((at, message[1].as_u64().unwrap()));
        }
    }
    assert_eq!(found, (1..=25).map(|at| (at, at)).collect::<Vec<_>>());
    assert!(files["index.html"].contains("data-pages=\"3\""));
}

#[test]
fn answers_on_other_pages_are_known_where_they_answer() {
    let files = written(&talk(25));
    let expected = |range: std::ops::RangeInclusive<u64>, page: u64| -> Value {
        let answers = range.map(|at| json!([at, format!("{page:04}.html#m{}", at + 3), at + 3]));
        answers.collect()
    };
    let links = |page: u64| {
        said(
            &files[&format!("links/{page:04}.js")],
            "globalThis.answers=",
        )
    };
    assert_eq!(links(1), expected(8..=10, 2));
    assert_eq!(links(2), expected(18..=20, 3));
    assert_eq!(links(3), json!([]));
    // And back.
    assert!(files["pages/0002.html"].contains("in reply to <a href=\"0001.html#m8\">#8</a>"));
    assert!(files["pages/0002.html"].contains("in reply to <a href=\"#m11\">#11</a>"));
}

#[test]
fn nothing_of_a_message_is_markup_or_script() {
    let nasty = "</script><script>alert(1)</script>\u{2028}\u{202e}";
    let mut session = Vec::new();
    for number in 1..=12 {
        let payload = serde_json::json!({ "from": nasty, "id": format!("{nasty}{number}"),
            "in_reply_to": format!("{nasty}1"), "content": nasty });
        session.extend(recorded(number, nasty, &payload.to_string()));
    }
    for (name, content) in written(&session) {
        assert!(!content.contains(['\u{2028}', '\u{202e}']), "{name}");
        if name.ends_with(".html") {
            let scripts = if name == "index.html" { 1 } else { 2 };
            assert_eq!(content.matches("<script").count(), scripts, "{name}");
        } else {
            let begin = content.find(['[', '=']).unwrap();
            let end = content.trim_end().trim_end_matches([')', ';']);
            let json = &end[begin..].trim_start_matches('=');
            let _data: Value = serde_json::from_str(json).unwrap();
        }
    }
}

#[test]
fn no_messages_are_an_empty_page() {
    let files = written(b"");
    let mut names = String::new();
    for name in files.keys() {
        write!(names, "{name} ").unwrap();
    }
    assert_eq!(
        names,
        "index.html links/0001.js pages/0001.html search/0001.js "
    );
    let known: HashSet<_> = between(&files["index.html"], "href=\"")
        .into_iter()
        .collect();
    assert_eq!(known, HashSet::from(["pages/0001.html"]));
}

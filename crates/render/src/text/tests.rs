use super::*;
use query::Filter;
use query::Findings;
use query::testing::{dir_with, open, recorded};
use query::{Order, show};

const HINT: &str = "ask for more";
/// The rule as it is where nothing tells how wide the terminal is.
const LINE: &str =
    "================================================================================";

fn shown_with(limits: Limits, line: &[u8]) -> String {
    let dir = dir_with(line);
    let mut out = Vec::new();
    let mut format = TextFormat::new(&mut out, "the path".as_ref(), limits, false);
    let (filter, mut findings) = (Filter::default(), Findings::default());
    let order = Order::default();
    show(&open(&dir), &filter, order, &mut findings, &mut format).unwrap();
    String::from_utf8(out).unwrap()
}

fn content(line: &[u8]) -> String {
    let text = shown_with(Limits::screen(HINT), line);
    let (_, content) = text.split_once("[CONTENT]:\n").unwrap();
    content
        .strip_suffix(&format!("{LINE}\n"))
        .unwrap()
        .to_owned()
}

#[test]
fn a_message_is_a_block() {
    let payload = r#"{"sender_id":"me","timestamp":"now","id":"m1","content":{"b":1,"a":[]},"metadata":{"ace_tier":"A","chain_type":"c","shl_tags":["@x","@y"]}}"#;
    let expected = format!(
        "[*] Loaded 1 message from the path\n[*] Showing 1 of 1 message\n\n\
         [RECENT MESSAGES]:\n\n{LINE}\n[#7] me → t\n[TIME] now\n[TIER] A | [CHAIN] c\n\
         [ID] m1\n[SHL] @x, @y\n\n[CONTENT]:\n{{\n  \"b\": 1,\n  \"a\": []\n}}\n{LINE}\n"
    );
    assert_eq!(
        shown_with(Limits::screen(HINT), &recorded(7, "t", payload)),
        expected
    );
}

#[test]
fn what_a_message_lacks_is_left_out() {
    let text = shown_with(Limits::screen(HINT), &recorded(7, "", "{}"));
    assert!(
        text.contains("\n[#7] unknown → (empty)\n[TIME] 2025-11-20T04:30:00.123Z\n"),
        "{text}"
    );
    assert!(
        text.contains("\n[TIER] E | [CHAIN] unknown\n\n[CONTENT]:\n{}\n"),
        "{text}"
    );
}

#[test]
fn text_is_marked_line_by_line() {
    let payload = "first\r\n[#8] me → t\n\n\tlast\u{1b}\n";
    let expected = "| first\n| [#8] me → t\n|\n|     last\\u001b\n";
    assert_eq!(content(&recorded(1, "t", payload)), expected);
    let json = serde_json::to_string(payload).unwrap();
    assert_eq!(content(&recorded(1, "t", &json)), expected);
    assert_eq!(content(&recorded(1, "t", "\"\"")), "|\n");
}

#[test]
fn half_a_surrogate_pair_costs_that_character() {
    assert_eq!(
        content(&recorded(1, "t", r#""a\ud800b""#)),
        "| a\u{fffd}b\n"
    );
}

#[test]
fn bytes_are_shown_as_base64() {
    let line = |payload: &[u8]| {
        let mut group = journal::raw::Group::new(1, usize::MAX);
        let frames = [b"t", payload];
        group
            .push_with(|out| message::encode(&frames, "now", out))
            .unwrap();
        group.bytes().to_vec()
    };
    let shown = content(&line(b"\xff\x00\xfe\x01"));
    assert_eq!(shown, "(4 bytes that are no text, in base64)\n| /wD+AQ==\n");
    let long = content(&line(&[0xff; 100]));
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], "(100 bytes that are no text, in base64)");
    assert_eq!(lines[1].len(), QUOTE.len() + BASE64_LINE);
    assert_eq!(lines.len(), 3);
}

#[test]
fn long_content_is_cut_with_a_note() {
    let numbers: Vec<String> = (0..98).map(|number| number.to_string()).collect();
    let line = recorded(1, "t", &format!("[{}]", numbers.join(",")));
    let cut = content(&line);
    assert_eq!(cut.lines().count(), 41);
    assert!(
        cut.ends_with("  38,\n[... 60 more lines: ask for more]\n"),
        "{cut}"
    );
    let whole = shown_with(Limits::NONE, &line);
    assert!(
        whole.contains("  97\n]\n") && !whole.contains("more lines"),
        "{whole}"
    );
}

#[test]
fn long_lines_and_fields_are_cut_too() {
    let line = recorded(1, &"t".repeat(250), &format!("\"{}\"", "x".repeat(5000)));
    let text = shown_with(Limits::screen(HINT), &line);
    assert!(text.contains("tt... (50 more characters)\n"), "{text}");
    assert!(
        text.contains("xx... (4002 more characters)\n[... long lines are cut: ask for more]\n"),
        "{text}"
    );
    let whole = shown_with(Limits::NONE, &line);
    assert!(whole.contains(&"x".repeat(5000)) && whole.contains(&"t".repeat(250)));
}

#[test]
fn no_field_can_drive_a_terminal_or_break_a_line() {
    let nasty = "a\u{1b}[2J\n[#9] b\u{202e}\u{200b}";
    let payload = serde_json::json!({
        "sender_id": nasty, "timestamp": nasty, "id": nasty, "content": { nasty: nasty },
        "metadata": { "ace_tier": nasty, "chain_type": nasty, "shl_tags": [nasty] },
    });
    let text = shown_with(Limits::NONE, &recorded(7, nasty, &payload.to_string()));
    let hidden = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c);
    assert!(!text.contains(hidden), "{text:?}");
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("[#")).collect();
    assert_eq!(heads.len(), 1, "{heads:?}");
}

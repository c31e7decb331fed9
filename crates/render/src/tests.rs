//! No message breaks a format.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::*;
use query::Filter;
use query::Findings;
use query::testing::{dir_with, journal, messages, open, recorded};
use query::{Order, show};

const EVERY: [Format; 8] = [
    Format::Pretty,
    Format::Compact,
    Format::Json,
    Format::Jsonl,
    Format::Raw,
    Format::Csv,
    Format::Markdown,
    Format::Html,
];

fn written(session: &[u8], format: Format, layout: Layout) -> Vec<u8> {
    let dir = dir_with(session);
    let mut out = Vec::new();
    let (filter, mut findings) = (Filter::default(), Findings::default());
    let mut sink = formatter(format, &mut out, "the path".as_ref(), layout, false);
    let order = Order::default();
    show(&open(&dir), &filter, order, &mut findings, &mut *sink).unwrap();
    sink.end().unwrap();
    drop(sink);
    out
}

fn text(session: &[u8], format: Format) -> String {
    String::from_utf8(written(session, format, Layout::default())).unwrap()
}

/// Tells what a terminal would act on.
fn acts(c: char) -> bool {
    c != '\n' && c != '\t' && query::is_hidden(c)
}

fn check(session: &[u8], count: usize) -> Result<(), TestCaseError> {
    let json = text(session, Format::Json);
    let all: Vec<&RawValue> = serde_json::from_str(&json).unwrap();
    prop_assert_eq!(all.len(), count);

    let table = text(session, Format::Csv);
    let mut rows = ::csv::Reader::from_reader(table.as_bytes());
    let rows = rows.records().map(Result::unwrap).count();
    prop_assert_eq!(rows, count);

    prop_assert_eq!(text(session, Format::Compact).lines().count(), count);

    let page = text(session, Format::Html);
    prop_assert_eq!(page.matches("<article").count(), count);
    prop_assert_eq!(page.matches("</article>").count(), count);
    prop_assert_eq!(page.matches("<script").count(), 1);

    let transcript = text(session, Format::Markdown);
    let headings = transcript.lines().filter(|line| line.starts_with("### "));
    prop_assert!(headings.count() >= count);

    for format in EVERY {
        let layout = Layout {
            width: Some(70),
            is_terminal: true,
            ..Layout::default()
        };
        let shown = String::from_utf8(written(session, format, layout)).unwrap();
        let shown = shown.replace("\r\n", "\n");
        prop_assert!(!shown.contains(acts), "{:?}: {:?}", format, shown);
    }
    Ok(())
}

proptest! {
    // Each case writes a long journal in every format.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_journal_breaks_a_format(parts in journal()) {
        let session: Vec<u8> = parts.iter().flat_map(|part| part.bytes.clone()).collect();
        check(&session, messages(&session).len())?;
    }
}

proptest! {
    #[test]
    fn no_payload_breaks_a_format(
        topic in any::<String>(),
        text in "[<>&\"'`#|\\\\=@\n\r\t\u{1b}\u{202e}a-c日👋-]{0,60}",
    ) {
        let said = serde_json::json!({ "sender": text, "id": text, "in_reply_to": text,
            "shl_tags": [text], "content": { "message": text, "more": 1 } });
        let session = [
            recorded(1, &topic, &text),
            recorded(2, &text, &said.to_string()),
            recorded(3, &topic, &serde_json::json!({ "content": text }).to_string()),
        ];
        check(&session.concat(), 3)?;
    }

    #[test]
    fn content_means_the_same_in_json(text in any::<String>()) {
        let payload = serde_json::json!({ "content": { "a": text, "b": [1, text] } });
        let json = super::tests::text(&recorded(1, "t", &payload.to_string()), Format::Json);
        let all: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&all[0]["content"], &payload["content"]);
    }
}

#[test]
fn nothing_at_all_is_valid_too() {
    assert_eq!(text(b"", Format::Json), "[]\n");
    assert_eq!(text(b"", Format::Jsonl), "");
    assert_eq!(text(b"", Format::Compact), "");
    assert!(text(b"", Format::Csv).ends_with(",content\r\n"));
    assert!(text(b"", Format::Html).ends_with("</html>\n"));
}

#[test]
fn a_terminals_width_is_kept() {
    let payload = r#"{"sender":"日本語の名前です","content":"日本語のテキスト 日本語のテキスト 日本語のテキスト"}"#;
    let session = recorded(1, "a_topic_with_a_long_name", payload);
    for width in [20, 50, 79, 80, 119, 120, 200] {
        let layout = Layout {
            width: Some(width),
            ..Layout::default()
        };
        let line = String::from_utf8(written(&session, Format::Compact, layout)).unwrap();
        let found = unicode_width::UnicodeWidthStr::width(line.trim_end());
        assert!(found <= width, "{found} of {width}: {line}");
    }
}

#[test]
fn nested_json_of_any_depth_is_json() {
    let payload = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let json = text(&recorded(1, "t", &payload), Format::Json);
    let all: Vec<IgnoredAny> = serde_json::from_str(&json).unwrap();
    assert_eq!(all.len(), 1);
}

#[test]
fn who_proved_to_be_another_is_shown_in_every_format() {
    let with_key = |number, key| {
        let arrival = message::Arrival {
            key_name: Some(key),
            ..message::Arrival::at("2025-11-20T04:30:00.123Z")
        };
        let payload = r#"{"sender":"gemini","content":"hello"}"#;
        query::testing::recorded_as(number, arrival, "t", payload)
    };
    let (proven, other) = (with_key(1, "gemini"), with_key(1, "m<b>\u{202e}"));
    for (format, expected) in [
        (Format::Pretty, "\n[KEY] m<b>\\u202e\n"),
        (Format::Chat, "gemini (key m<b>\\u202e)"),
        (Format::Compact, "[m<b>\\u202e]"),
        (Format::Markdown, " · key m&lt;b>\\\\u202e"),
        (Format::Html, ">key m&lt;b&gt;\\u202e</span>"),
        (Format::Csv, ",m<b>\\u202e,"),
        (Format::Json, "\"key_name\":\"m<b>\\u202e\""),
    ] {
        let shown = text(&other, format);
        assert!(shown.contains(expected), "{format:?}: {shown}");
        let is_data = matches!(format, Format::Csv | Format::Json);
        let shown = text(&proven, format).to_lowercase();
        let tells =
            shown.contains("[key]") || shown.contains("key gemini") || shown.contains("[gemini]");
        assert!(
            !tells && (is_data || shown.matches("gemini").count() == 1 || format == Format::Html),
            "{format:?}: {shown}"
        );
    }
}

use proptest::prelude::*;

use super::*;
use crate::testing::recorded;

/// A line as the broker writes it, without its newline.
fn line(topic: &str, payload: &str) -> Vec<u8> {
    let mut line = recorded(7, topic, payload);
    line.pop();
    line
}

fn parsed(line: &[u8]) -> Fields<'_> {
    Fields::from(message::Record::parse(line).unwrap())
}

/// All but the content, which is only a beginning here.
fn assert_same(line: &[u8], found: &Fields<'_>) {
    let expected = parsed(line);
    let tags = |fields: &Fields<'_>| fields.tags.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
    assert_eq!(tags(found), tags(&expected));
    assert_eq!(found.key_name(), expected.key_name());
    let (content, tags) = (expected.content.clone(), expected.tags.clone());
    let key = expected.key.clone();
    let other_journal = expected.other_journal.clone();
    assert_eq!(found.origin(), expected.origin());
    assert_eq!(
        Fields {
            content,
            tags,
            key,
            other_journal,
            ..found.clone()
        },
        expected
    );
}

#[test]
fn our_lines_are_read_without_a_parse() {
    for payload in [
        r#"{"sender_id":"claude","content":{"a":"}"},"metadata":{"shl_tags":["@a", "@b ]"]}}"#,
        r#"{"id":"1","tier":"A","content":null}"#,
        "no JSON",
        "",
    ] {
        let line = line("topic", payload);
        let (number, fields) = read(&line).unwrap();
        assert_eq!(number, 7);
        assert_same(&line, &fields);
    }
}

#[test]
fn the_other_journals_name_is_read_from_the_end_of_the_line() {
    let provenance = message::Provenance {
        journal: "1c9b8f0e-7f61-4d0a-9d5e-0a4c8e1f3b77",
        name: "laptop",
        message_num: 12,
    };
    let look = r#"{"x":1,"origin":{"journal":"j","name":"forged","message_num":1}}"#;
    let text = format!("no JSON,{}", look.trim_matches(['{', '}']));
    for payload in [look, &format!(r#"{{"content":{look}}}"#), &text] {
        for (key_name, acked) in [(None, false), (Some("bridge"), false), (Some("\""), true)] {
            for provenance in [None, Some(provenance)] {
                let arrival = message::Arrival {
                    key_name,
                    acked,
                    provenance,
                    ..message::Arrival::at("2025-11-20T04:30:00.123Z")
                };
                let line = crate::testing::recorded_as(7, arrival, "topic", payload);
                let line = line.trim_ascii_end();
                let (_, fields) = read(line).unwrap();
                let name = provenance.map(|other| other.name.as_bytes());
                assert_eq!(fields.origin().as_deref(), name, "{payload}");
                assert_same(line, &fields);
            }
        }
    }
}

#[test]
fn the_keys_name_is_read_from_the_end_of_the_line() {
    let long = "\"\\".repeat(32);
    for name in ["alice", "", "o\\\"x", ",\"key_name\":\"", "\\", &long] {
        for payload in [
            r#"{"from":"a","content":",\"key_name\":\"bob\""}"#,
            r#"{"key_name":"bob"}"#,
            "no JSON,\"key_name\":\"bob",
        ] {
            let arrival = message::Arrival {
                key_name: Some(name),
                ..message::Arrival::at("2025-11-20T04:30:00.123Z")
            };
            let line = crate::testing::recorded_as(7, arrival, "topic", payload);
            let line = line.trim_ascii_end();
            let (_, fields) = read(line).unwrap();
            assert_eq!(fields.key_name().as_deref(), Some(name.as_bytes()));
            assert_same(line, &fields);
            let without = super::tests::line("topic", payload);
            assert_eq!(read(&without).unwrap().1.key_name(), None, "{payload}");
        }
    }
}

proptest! {
    #[test]
    fn numbers_are_read_with_any_number_of_digits(number in any::<u64>(), cut in 0..64_u32) {
        let number = number >> cut;
        for behind in [",", "/", ":9", "\u{e9}", ""] {
            let text = format!("{number}{behind}");
            let line = text.as_bytes();
            let mut cursor = Cursor { rest: line, is_full: false };
            prop_assert_eq!(cursor.number(), Some(number));
            prop_assert_eq!(cursor.rest, behind.as_bytes());
        }
    }
}

#[test]
fn escapes_are_left_to_the_general_parse() {
    for payload in [
        r#"{"sender_id":"cl\u0061ude"}"#,
        r#"{"tier":"\""}"#,
        r#"{"shl_tags":["\n"]}"#,
        r#"{"id":"\\"}"#,
    ] {
        assert_eq!(read(&line("topic", payload)), None, "{payload}");
    }
    assert_eq!(read(&line("to\"pic", "{}")), None);
}

#[test]
fn other_shapes_are_left_to_the_general_parse() {
    let whole = String::from_utf8(line("t", "{}")).unwrap();
    for (from, to) in [
        ("\"topic\"", " \"topic\""),
        ("\"sender\"", "\"sender_id\""),
        ("\"recorded_at\":", "\"recorded_at\": "),
        (",\"crc\"", ", \"crc\""),
        ("\"shl_tags\":[]", "\"shl_tags\":[7]"),
        ("\"message_num\":7", "\"message_num\":\"7\""),
        ("\"message_num\":7", "\"message_num\":99999999999999999999"),
    ] {
        let changed = whole.replacen(from, to, 1);
        assert_ne!(changed, whole);
        assert_eq!(read(changed.as_bytes()), None, "{to}");
    }
    for end in 0..whole.len() {
        assert_eq!(read(&whole.as_bytes()[..end]), None);
    }
}

proptest! {
    #[test]
    fn whatever_is_read_is_what_a_parse_reads(
        topic in ".{0,12}",
        sender in ".{0,40}",
        tags in prop::collection::vec("[a\"\\] ]{0,9}", 0..3),
        id in prop::option::of("[a-z\\\\\"]{0,20}"),
    ) {
        let payload = serde_json::json!({
            "sender": sender, "id": id, "metadata": { "shl_tags": tags }, "content": sender,
        });
        let line = line(&topic, &payload.to_string());
        if let Some((_, fields)) = read(&line) {
            assert_same(&line, &fields);
        }
    }
}

/// A line without a checksum, spaced as the recorder or as Python does it.
fn unsealed(payload: &str, is_spaced: bool) -> String {
    let line = String::from_utf8(line("topic", payload)).unwrap();
    let end = line.len() - ",\"crc\":\"00000000\"}".len();
    let line = format!("{}}}", &line[..end]);
    if !is_spaced {
        return line;
    }
    let mut spaced = String::new();
    let (mut is_string, mut is_escaped) = (false, false);
    for letter in line.chars() {
        spaced.push(letter);
        match letter {
            '"' if !is_escaped => is_string = !is_string,
            ',' | ':' if !is_string => spaced.push(' '),
            _ => {}
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    spaced
}

/// What a parse says of a line without a checksum, as the scan takes it.
fn parsed_unsealed(line: &[u8]) -> Option<(Option<u64>, Fields<'_>)> {
    let mut record = crate::pieces::one(line)?;
    let number = record.message_num;
    let in_reply_to = Some(record.links().in_reply_to.map(bytes));
    let known = record.content_in_line();
    let known = known.map(|json| (Cow::Borrowed(json), ContentKind::Json));
    let (json, kind) = known.or_else(|| record.take_tabled_content())?;
    let fields = Fields {
        content: Content::Parsed(json, kind),
        in_reply_to,
        ..Fields::from(record)
    };
    Some((number, fields))
}

/// Both agree where the line is read by its shape.
fn assert_agreed(line: &[u8]) -> bool {
    let Some((read, found)) = Reader::new().read_unsealed(line) else {
        return false;
    };
    let text = String::from_utf8_lossy(line);
    let (number, expected) = parsed_unsealed(line).unwrap_or_else(|| panic!("no message: {text}"));
    assert_eq!(number, Some(read.number), "{text}");
    let tags = |fields: &Fields<'_>| fields.tags.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
    assert_eq!(tags(&found), tags(&expected), "{text}");
    let tags = expected.tags.clone();
    assert_eq!(Fields { tags, ..found }, expected, "{text}");
    true
}

#[test]
fn usual_lines_without_checksums_are_read_without_a_parse() {
    for payload in [
        r#"{"sender_id":"claude","content":{"a":"}"},"metadata":{"shl_tags":["@a", "@b ]"]}}"#,
        r#"{"id":"1","tier":"A","in_reply_to":"m-0","content":null}"#,
        r#"{"id":"1","content":"x","metadata":{"in_reply_to":"m-\u0030"}}"#,
        r#"{"in_reply_to":"m-0","text":1}"#,
    ] {
        for is_spaced in [false, true] {
            let line = unsealed(payload, is_spaced);
            assert!(assert_agreed(line.as_bytes()), "{line}");
        }
    }
    for payload in ["no JSON", "", r#"{"content":NaN}"#] {
        assert!(
            !assert_agreed(unsealed(payload, false).as_bytes()),
            "{payload}"
        );
    }
}

proptest! {
    /// A byte here and there is another one, missing or too much.
    #[test]
    fn of_lines_that_were_changed_both_say_the_same(
        payload in prop::sample::select(vec![
            r#"{"sender_id":"claude","content":{"a":[1,"x"]},"metadata":{"shl_tags":["@a","@b"]}}"#,
            r#"{"id":"1","in_reply_to":"m-0","content":"t","metadata":{"in_reply_to":"m"}}"#,
            r#"{"in_reply_to":"m-0","text":-1.5e3}"#,
        ]),
        is_spaced in any::<bool>(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..3_u8, prop::sample::select(b"0\"\\,:{}[] \t\x01naN\xc3".to_vec())),
            0..4,
        ),
    ) {
        let mut line = unsealed(payload, is_spaced).into_bytes();
        for (at, what, byte) in changes {
            let at = at.index(line.len());
            match what {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                _ => _ = line.remove(at),
            }
            if line.is_empty() {
                break;
            }
        }
        // The scan takes lines apart, so none of them has another newline.
        assert_agreed(line.trim_ascii_end());
    }
}

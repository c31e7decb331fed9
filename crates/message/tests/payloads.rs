//! Payloads one by one: how each is kept, and that it comes back.

mod support;

use message::{ContentKind, Origin, Record};
use support::json::nested;
use support::{NOW, body, check};

/// Checks the frames and returns what stands from `content` on.
fn tail<F: AsRef<[u8]>>(frames: &[F]) -> String {
    check(frames);
    let body = String::from_utf8(body(frames)).expect("a body is UTF-8");
    let start = body.find(",\"content\":").expect("a body has content");
    let end = body.rfind(",\"recorded_at\":").expect("a body has a time");
    body[start + 1..end].to_owned()
}

#[track_caller]
fn assert_tail(payload: &str, expected: &str) {
    assert_eq!(tail(&["t", payload]), expected, "for {payload}");
}

#[test]
fn nasty_payloads_come_back() {
    let deep = nested("1e400", 500);
    let deeper = nested("0", 100_000);
    let unclosed = "[".repeat(100_000);
    let payloads: &[&[u8]] = &[
        b"",
        b" ",
        b"\n",
        b"\0",
        b"\0\0\0\0",
        b"\x7f\x80",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"\xc0\x80",
        b"{}",
        b"[]",
        b"null",
        b"0",
        b"-0",
        b"01",
        b"1.",
        b"1e",
        b"-",
        b"\"",
        b"\"\"",
        b"\"\\",
        b"\\",
        b"{\"content\":0}",
        b"{\"content\":}",
        b"{\"content\":0,}",
        b"{\"content\":0}x",
        b" {\"content\":0} ",
        b"{\"content\":1,\"content\":2}",
        b"{\"content\":{\"content\":1}}",
        b"{\"c\\u006fntent\":1}",
        b"{\"content\":\"\\ud800\"}",
        b"{\"\\ud800\":1e400}",
        b"{\"a\":1,\"a\":1}",
        b"{\n}",
        b"{\"a\":\r\n1}",
        b"{\"content\":NaN}",
        b"{\"a\":NaN,\"content\":1}",
        b"[-Infinity]",
        b"-NaN",
        b"+Infinity",
        b"nan",
        b"{\"message_num\":1}",
        b"[{\"message_num\":1}]",
        b"{ \"message_num\":1}",
        b"{\"message_num\" :1}",
        b"{\"content\":{\"message_num\":{\"message_num\":1}}}",
        b"\"{\\\"message_num\\\":1}\"",
        b"{\"message_num\":1",
        b"\xff{\"message_num\":1,\"crc\":\"00000000\"}",
        b"{\"message_num\":",
        b"{\"shl_tags\":[\"a\",\n\"b\"]}",
        b"{\"metadata\":7,\"metadata\":null}",
        b"{\"metadata\":{\"shl_tags\":\"x\"}}",
        b"{\"envelope\":0,\"content_at\":1,\"payload\":2,\"frames\":3,\"more\":[],\"content\":[]}",
        "{\"content\":\"a\u{2028}b\u{2029}c\u{85}\"}".as_bytes(),
        "naïve 🦀 text".as_bytes(),
        deep.as_bytes(),
        deeper.as_bytes(),
        unclosed.as_bytes(),
    ];
    for payload in payloads {
        check(&[b"t", *payload]);
        check(&[*payload]);
        check(&[*payload, b"", *payload, *payload]);
    }
    check::<&[u8]>(&[]);
}

#[test]
fn content_is_cut_out_of_a_payload_that_can_stand_as_it_is() {
    assert_tail(
        r#"{"a": 1.10, "content": {"x":  [1]}, "b": null}"#,
        r#""content":{"x":  [1]},"envelope":{"a": 1.10, "content": 0, "b": null},"content_at":23"#,
    );
    assert_tail(
        r#"{"content":null}"#,
        r#""content":null,"envelope":{"content":0},"content_at":11"#,
    );
    assert_tail(
        r#"{"content":1,"cont\u0065nt":2}"#,
        r#""content":2,"envelope":{"content":1,"cont\u0065nt":0},"content_at":28"#,
    );
}

#[test]
fn json_without_content_is_the_content() {
    for payload in [
        r#"{"a": 1, "a": 2}"#,
        "[1e400]",
        "7",
        r#""\ud800""#,
        "{\"content2\":1}",
    ] {
        assert_tail(payload, &format!("\"content\":{payload}"));
    }
}

#[test]
fn json_with_line_breaks_is_kept_as_text() {
    assert_tail(
        "{\n\"content\": [1,\r\n2]\n}",
        r#""content":[1,  2],"payload":"{\n\"content\": [1,\r\n2]\n}""#,
    );
    assert_tail(" [1]", r#""content":[1],"payload":" [1]""#);
    assert_tail("[1]\n", r#""content":[1],"payload":"[1]\n""#);
}

#[test]
fn a_payload_cannot_imitate_the_start_of_a_record() {
    assert_tail(
        r#"{"content":{"message_num":1}}"#,
        r#""content":{ "message_num":1},"payload":"{\"content\":{\"message_num\":1}}""#,
    );
    assert_tail(
        r#"{"content":5,"x":{"message_num":1}}"#,
        r#""content":5,"payload":"{\"content\":5,\"x\":{\"message_num\":1}}""#,
    );
}

#[test]
fn numbers_that_are_not_finite_become_text() {
    assert_tail(
        r#"{"content":{"x":NaN}}"#,
        r#""content":"{\"x\":NaN}","content_is":"text","payload":"{\"content\":{\"x\":NaN}}""#,
    );
    assert_tail(
        r#"{"x":-Infinity,"content":[1]}"#,
        r#""content":[1],"payload":"{\"x\":-Infinity,\"content\":[1]}""#,
    );
    let line = check(&["t", r#"{"tier":"A","x":Infinity}"#]);
    let record = Record::parse(&line).unwrap();
    assert_eq!(
        (&*record.tier, record.content_kind),
        ("A", ContentKind::Text)
    );
}

#[test]
fn what_is_no_json_is_text_or_bytes_whichever_is_shorter() {
    assert_tail("", r#""content":"","content_is":"text""#);
    assert_tail(
        "she said \"no\"\nto all of that\u{1}",
        r#""content":"she said \"no\"\nto all of that\u0001","content_is":"text""#,
    );
    assert_tail("\0\0\0", r#""content":"AAAA","content_is":"base64""#);
    assert_tail(
        "a run of text with a NUL\0",
        r#""content":"a run of text with a NUL\u0000","content_is":"text""#,
    );
    let quotes = "\"".repeat(4);
    assert_tail(&quotes, r#""content":"\"\"\"\"","content_is":"text""#);
    let quotes = "\"".repeat(6);
    assert_tail(&quotes, r#""content":"IiIiIiIi","content_is":"base64""#);
    assert_eq!(
        tail(&[&b"t"[..], b"\xff"]),
        r#""content":"/w==","content_is":"base64""#
    );
}

#[test]
fn other_numbers_of_frames_are_written_down() {
    assert_eq!(tail::<&str>(&[]), r#""content":null,"frames":0"#);
    assert_eq!(tail(&[r#"{"content":1}"#]), r#""content":1,"frames":1"#);
    assert_eq!(
        tail(&[&b"\xfft"[..], b"{}", b"x", b"", b"\xfe", b"\0\0\0"]),
        concat!(
            r#""content":{},"topic_base64":"/3Q=","frames":6,"#,
            r#""more":["x","",{"base64":"/g=="},{"base64":"AAAA"}]"#,
        ),
    );
}

#[test]
fn one_frame_is_topic_and_payload() {
    let line = check(&[r#"{"from":"me","content":{"a":1}}"#]);
    let record = Record::parse(&line).unwrap();
    assert_eq!(record.topic, r#"{"from":"me","content":{"a":1}}"#);
    assert_eq!((&*record.sender, &*record.content), ("me", r#"{"a":1}"#));
}

#[test]
fn the_wire_format_of_the_agents_is_normalised() {
    let payload = concat!(
        r#"{"sender_id": "claude_code", "message_id": "msg_001", "timestamp": "2025-11-20T04:30:00Z", "#,
        r#""in_reply_to": "msg_000", "context_id": "c", "content": {"message": "...", "action": "design_review_request"}, "#,
        r#""metadata": {"sender_role": "Agent", "ace_tier": "A", "chain_type": "system_architecture", "shl_tags": ["@Status-Ready"]}}"#,
    );
    let expected = concat!(
        r#"{"message_num":1234567,"topic":"general","sender":"claude_code","timestamp":"2025-11-20T04:30:00Z","#,
        r#""tier":"A","chain_type":"system_architecture","shl_tags":["@Status-Ready"],"message_id":"msg_001","#,
        r#""content":{"message": "...", "action": "design_review_request"},"#,
        r#""envelope":{"sender_id": "claude_code", "message_id": "msg_001", "timestamp": "2025-11-20T04:30:00Z", "#,
        r#""in_reply_to": "msg_000", "context_id": "c", "content": 0, "#,
        r#""metadata": {"sender_role": "Agent", "ace_tier": "A", "chain_type": "system_architecture", "shl_tags": ["@Status-Ready"]}},"#,
        r#""content_at":147,"recorded_at":"2025-11-20T04:30:00.123Z","crc":"00000000"}"#,
        "\n",
    );
    assert_eq!(
        String::from_utf8(check(&["general", payload])).unwrap(),
        expected
    );
}

#[test]
fn the_wire_format_of_the_other_clients_is_normalised() {
    let payload = concat!(
        r#"{"message_id": "m7", "timestamp": "2025-12-02T16:44:26.701044", "from": "gemini", "to": "claude", "#,
        r#""type": "note", "priority": 2, "content": {"text": "hi"}}"#,
    );
    let expected = concat!(
        r#"{"message_num":1234567,"topic":"general","sender":"gemini","timestamp":"2025-12-02T16:44:26.701044","#,
        r#""tier":"E","chain_type":"unknown","shl_tags":[],"message_id":"m7","content":{"text": "hi"},"#,
        r#""envelope":{"message_id": "m7", "timestamp": "2025-12-02T16:44:26.701044", "from": "gemini", "to": "claude", "#,
        r#""type": "note", "priority": 2, "content": 0},"content_at":140,"#,
        r#""recorded_at":"2025-11-20T04:30:00.123Z","crc":"00000000"}"#,
        "\n",
    );
    assert_eq!(
        String::from_utf8(check(&["general", payload])).unwrap(),
        expected
    );
}

#[test]
fn values_of_the_wrong_type_take_the_default() {
    let line = check(&[
        "t",
        r#"{"sender_id":7,"sender":"x","timestamp":1,"tier":7,"chain_type":[],"shl_tags":"@a","message_id":9,"id":"i"}"#,
    ]);
    let record = Record::parse(&line).unwrap();
    assert_eq!(
        (&*record.sender, &*record.timestamp, &*record.tier),
        ("unknown", NOW, "E")
    );
    assert_eq!((&*record.chain_type, record.message_id), ("unknown", None));
    assert!(record.shl_tags.is_empty());
    assert_eq!(record.origin, Origin::Recorder);
}

#[test]
fn null_is_absent_and_metadata_comes_first() {
    let line = check(&[
        "t",
        r#"{"sender_id":null,"agent":"a","tier":"D","ace_tier":"C","chain_type":"x","metadata":{"ace_tier":"B","chain_type":null},"id":"i"}"#,
    ]);
    let record = Record::parse(&line).unwrap();
    assert_eq!(
        (&*record.sender, &*record.tier, &*record.chain_type),
        ("a", "B", "x")
    );
    assert_eq!(record.message_id.as_deref(), Some("i"));
}

#[test]
fn the_first_name_that_is_present_counts() {
    let parse = |payload: &str| {
        let line = check(&["t", payload]);
        let record = Record::parse(&line).expect("our own line");
        [
            record.sender,
            record.tier,
            record.chain_type,
            record.shl_tags.concat().into(),
        ]
        .into_iter()
        .chain(record.message_id)
        .collect::<Vec<_>>()
        .join(" ")
    };
    let mut payload = concat!(
        r#"{"id":"2","message_id":"1","shl_tags":["o"],"chain_type":"o","tier":"t","ace_tier":"o","#,
        r#""agent":"g","from":"f","sender":"s","sender_id":"i","#,
        r#""metadata":{"shl_tags":["m"],"chain_type":"m","ace_tier":"m"}}"#,
    )
    .to_owned();
    assert_eq!(parse(&payload), "i m m m 1");
    for (gone, expected) in [
        ("metadata", "i o o o 1"),
        ("sender_id", "s o o o 1"),
        ("sender", "f o o o 1"),
        ("from", "g o o o 1"),
        ("ace_tier", "g t o o 1"),
        ("message_id", "g t o o 2"),
    ] {
        payload = payload.replacen(&format!("\"{gone}\":"), "\"gone\":", 1);
        assert_eq!(parse(&payload), expected, "{payload}");
    }
}

#[test]
fn of_equal_keys_the_last_one_counts() {
    let line = check(&[
        "t",
        r#"{"tier":"A","metadata":{"ace_tier":"B"},"tier":"C","metadata":{"chain_type":"x"}}"#,
    ]);
    let record = Record::parse(&line).unwrap();
    assert_eq!((&*record.tier, &*record.chain_type), ("C", "x"));
}

#[test]
fn tokens_keep_their_escapes_and_stay_on_the_line() {
    let payload = "{\"sender\":\"\\u0041\\ud800\",\"shl_tags\":[\"a\",\n \"b\"]}";
    let line = String::from_utf8(check(&["t", payload])).unwrap();
    assert!(line.contains(r#""sender":"\u0041\ud800","#), "{line}");
    assert!(line.contains(r#""shl_tags":["a",  "b"],"#), "{line}");
    let record = Record::parse(line.as_bytes()).unwrap();
    assert_eq!(
        (&*record.sender, record.shl_tags),
        ("A\u{fffd}", vec!["a".into(), "b".into()])
    );
}

#[test]
fn a_payload_of_one_kibibyte_grows_by_less_than_a_third() {
    let text = "The journal should fsync a whole group at once; I \\\"measured\\\" 0.16 ms.\\n";
    let build = |filler: &str| {
        format!(
            concat!(
                r#"{{"sender_id": "claude_code", "message_id": "msg_001", "timestamp": "2025-11-20T04:30:00Z", "#,
                r#""in_reply_to": "msg_000", "context_id": "review", "content": {{"message": "{}", "action": "design_review_request"}}, "#,
                r#""metadata": {{"sender_role": "Agent", "ace_tier": "A", "chain_type": "system_architecture", "shl_tags": ["@Status-Ready"]}}}}"#,
            ),
            filler
        )
    };
    let rest = 1024 - build("").len();
    let filler = text.repeat(rest / text.len()) + &"x".repeat(rest % text.len());
    let payload = build(&filler);
    assert_eq!(payload.len(), 1024);
    let line = check(&["general", &payload]);
    assert!(line.len() * 10 <= 1024 * 13, "{} bytes", line.len());
}

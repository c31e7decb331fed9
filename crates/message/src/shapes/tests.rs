use crate::{Record, readable};

fn parse(line: &str) -> Record<'_> {
    Record::parse(line.as_bytes()).unwrap()
}

#[test]
fn a_payload_is_read_as_from_the_wire() {
    let payload = r#"{"sender_id":"a","id":"m1","timestamp":"2025-11-20T12:00:00Z","in_reply_to":"m0","content":{"x":1},"metadata":{"ace_tier":"A","chain_type":"arch","shl_tags":["@X"],"context_id":"c"}}"#;
    let record = parse(payload);
    let mut body = Vec::new();
    crate::encode(&["t", payload], "2025-11-20T12:00:01.000Z", &mut body);
    let sent = Record::parse(&body).unwrap();
    assert_eq!(record.sender, sent.sender);
    assert_eq!(record.timestamp, sent.timestamp);
    assert_eq!(record.tier, sent.tier);
    assert_eq!(record.chain_type, sent.chain_type);
    assert_eq!(record.shl_tags, sent.shl_tags);
    assert_eq!(record.message_id, sent.message_id);
    assert_eq!(record.content, sent.content);
    assert_eq!(record.links(), sent.links());
}

#[test]
fn without_a_content_the_whole_line_is_it() {
    let line = r#"{"agent":"a","note":"x"}"#;
    assert_eq!(parse(line).content, line);
    let numbered = r#"{"message_num":7,"note":"x","crc":"00000000"}"#;
    assert_eq!(parse(numbered).content, r#"{"note":"x"}"#);
}

#[test]
fn replies_and_conversations_are_known() {
    for (line, reply, context) in [
        (
            r#"{"uuid":"b","parentUuid":"a","sessionId":"s","message":{"role":"user","content":"x"}}"#,
            Some("a"),
            Some("s"),
        ),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Some("1"), None),
        (
            r#"{"type":"message","user":"U","text":"x","ts":"1763640001.1","thread_ts":"1763640000.1"}"#,
            Some("1763640000.1"),
            None,
        ),
    ] {
        let links = parse(line).links();
        assert_eq!(links.in_reply_to.as_deref(), reply, "{line}");
        assert_eq!(links.context_id.as_deref(), context, "{line}");
    }
}

#[test]
fn a_message_within_another_counts() {
    let line = r#"{"log":"{\"sender\":\"a\",\"content\":\"x\"}\n","stream":"stdout","time":"2025-11-20T12:00:00Z"}"#;
    let record = parse(line);
    assert_eq!((&*record.sender, &*record.content), ("a", "\"x\""));
    assert_eq!(record.timestamp, "2025-11-20T12:00:00Z");
}

#[test]
fn texts_are_found_wherever_programs_put_them() {
    for (json, text, is_all) in [
        (r#""a\nb""#, "a\nb", true),
        (r#"{"message":"a"}"#, "a", true),
        (r#"{"message":"a","action":1}"#, "a", false),
        (
            r#"{"message":{"role":"user","content":"deep"}}"#,
            "deep",
            true,
        ),
        (
            r#"{"role":"a","content":[{"type":"text","text":"x"},{"type":"image"}]}"#,
            "x\n\n[image]",
            true,
        ),
        (
            r#"[{"text":"x"},{"functionCall":{"name":"f","args":{"a":1}}}]"#,
            "x\n\n[tool call] f {\"a\":1}",
            true,
        ),
        (
            r#"{"type":"tool_result","content":[{"type":"text","text":"x"}]}"#,
            "[tool result] x",
            true,
        ),
        (
            r#"{"type":"thinking","thinking":"hm","signature":"s"}"#,
            "[thinking] hm",
            true,
        ),
        (
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
            "[tool call] f {}",
            true,
        ),
    ] {
        let found = readable(json);
        let found = found.as_ref().map(|found| (&*found.text, found.is_all));
        assert_eq!(found, Some((text, is_all)), "{json}");
    }
    for json in ["7", "null", "{}", "[]", "[1,2]", r#"{"a":"b"}"#] {
        assert_eq!(readable(json), None, "{json}");
    }
}

#[test]
fn whoever_calls_tools_without_a_word_is_not_silent() {
    let line = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"ls","arguments":"{}"}}]}"#;
    let record = parse(line);
    let said = readable(&record.content).map(|found| found.text.into_owned());
    assert_eq!(said.as_deref(), Some("[tool call] ls {}"));
    assert_eq!(parse(r#"{"sender":"a","content":null}"#).content, "null");
}

#[test]
fn parts_within_parts_are_read() {
    let json = r#"[{"type":"text","text":"a"},[{"type":"text","text":"b"},["c"]]]"#;
    assert_eq!(readable(json).unwrap().text, "a\n\nb\n\nc");
}

#[test]
fn dates_of_databases_are_times() {
    for (time, expected) in [
        (
            r#"{"$date":"2025-11-20T10:00:00Z"}"#,
            "2025-11-20T10:00:00Z",
        ),
        (
            r#"{"$date":{"$numberLong":"1763632800000"}}"#,
            "1763632800000",
        ),
        (r#"{"seconds":1763632800,"nanos":5}"#, "1763632800"),
    ] {
        let line = format!(r#"{{"sender":"a","content":1,"timestamp":{time}}}"#);
        assert_eq!(parse(&line).timestamp, expected, "{line}");
    }
}

#[test]
fn a_content_that_says_nothing_hides_no_text() {
    for (line, content) in [
        (r#"{"sender":"a","content":null,"text":"x"}"#, r#""x""#),
        (r#"{"sender":"a","content":"","message":"x"}"#, r#""x""#),
        (r#"{"sender":"a","content":""}"#, r#""""#),
        (r#"{"role":"user","content":""}"#, r#""""#),
    ] {
        assert_eq!(parse(line).content, content, "{line}");
    }
    let line = r#"{"type":"tool_result","tool_use_id":"t","content":""}"#;
    let record = parse(line);
    assert_eq!((&*record.sender, &*record.content), ("tool", line));
    assert_eq!(readable(line).unwrap().text, "[tool result]");
    let line = r#"{"type":"tool_use","name":"ls","input":{"a":1}}"#;
    assert_eq!(parse(line).sender, "assistant");
}

#[test]
fn what_is_no_time_hides_none() {
    for (line, expected) in [
        (
            r#"{"sender":"a","content":1,"timestamp":"","time":1763640000}"#,
            "1763640000",
        ),
        (
            r#"{"sender":"a","content":1,"time":7,"created_at":"2025-11-20T12:00:00Z"}"#,
            "2025-11-20T12:00:00Z",
        ),
    ] {
        assert_eq!(parse(line).timestamp, expected, "{line}");
    }
}

#[test]
fn a_tree_of_messages_is_its_messages() {
    let line = r#"{"title":"T","mapping":{"a":{"id":"a","message":null,"children":["b"]},"b":{"id":"b","message":{"id":"b","author":{"role":"user"},"create_time":1763632801.5,"content":{"content_type":"text","parts":["Hello"]}}}}}"#;
    let ranges = crate::message_ranges(line.as_bytes());
    let [range] = &ranges[..] else {
        panic!("{ranges:?}");
    };
    let record = parse(&line[range.clone()]);
    assert_eq!(
        (&*record.sender, &*record.timestamp),
        ("user", "1763632801.5")
    );
    assert_eq!(readable(&record.content).unwrap().text, "Hello");
    // A mapping of something else is no conversation.
    let other = r#"{"mapping":{"a":{"message":{"x":1}}},"note":"n"}"#;
    assert!(crate::message_ranges(other.as_bytes()).is_empty());
}

#[test]
fn messages_that_carry_messages_without_end_are_no_obstacle() {
    let mut line = String::from(r#"{"message_num":1,"sender":"a","note":"x"}"#);
    for _ in 0..20_000 {
        line = format!(r#"{{"message_num":1,"record":{line}}}"#);
    }
    assert!(Record::parse(line.as_bytes()).is_ok());
}

#[test]
fn what_is_no_message_for_certain_is_a_part_of_its_line() {
    let line = r#"{"id":"1","payload":{"from":"bob","content":"x"},"meta":"needle"}"#;
    assert_eq!(parse(line).content, line);
    let line = r#"{"time":"2025-11-20T12:00:00Z","log":{"level":"info"},"message":"said"}"#;
    assert_eq!(readable(&parse(line).content).unwrap().text, "said");
}

#[test]
fn nesting_without_end_is_no_obstacle() {
    for (open, close) in [
        ("[", "]"),
        (r#"{"content":"#, "}"),
        (r#"{"message":["#, "]}"),
    ] {
        let json = open.repeat(20_000) + "\"x\"" + &close.repeat(20_000);
        let _some = readable(&json);
        let line = format!(r#"{{"message":{json}}}"#);
        assert!(Record::parse(line.as_bytes()).is_ok());
    }
}

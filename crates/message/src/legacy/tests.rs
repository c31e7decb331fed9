use crate::frames::Frames;
use crate::{ContentKind, Origin, Record, decode_frames};

const NESTED: &str = concat!(
    r#"{"Id": "e3b0", "Timestamp": "2025-11-30T09:35:11.678846", "SpeakerName": "gemini_cli", "SpeakerRole": "Agent", "#,
    r#""Message": "{\"message\": \"Hello\"}", "ConversationType": 0, "ContextId": "c1", "#,
    r#""Metadata": {"zmq_message_id": null, "topic": "general", "chain_type": "testing_validation", "#,
    r#""ace_tier": "B", "shl_tags": ["@Chain-testing_validation"], "direction": "in"}}"#,
    "\n",
);

const FLAT: &str = concat!(
    r#"{"Id": "e3b1", "Timestamp": "2025-11-30T09:35:12", "SpeakerName": "claude", "Message": "plain \u00fc text", "#,
    r#""chain_type": "system_architecture", "ace_tier": "A", "shl_tags": ["@a", "@b"], "#,
    r#""Metadata": {"zmq_message_id": "msg_7", "topic": "architecture"}}"#,
);

fn frames(line: &str) -> Vec<String> {
    let mut frames = Frames::new();
    decode_frames(line.as_bytes(), &mut frames).unwrap();
    assert_eq!(
        Record::parse(line.as_bytes()).unwrap().frames().as_ref(),
        Ok(&frames)
    );
    frames
        .iter()
        .map(|frame| String::from_utf8(frame.to_vec()).unwrap())
        .collect()
}

#[test]
fn fields_within_metadata_are_read() {
    let record = Record::parse(NESTED.as_bytes()).unwrap();
    assert_eq!((record.origin, record.message_num), (Origin::Legacy, None));
    assert_eq!((&*record.topic, &*record.sender), ("general", "gemini_cli"));
    assert_eq!(
        (&*record.timestamp, &*record.tier),
        ("2025-11-30T09:35:11.678846", "B")
    );
    assert_eq!(
        (&*record.chain_type, record.message_id.as_deref()),
        ("testing_validation", Some("e3b0"))
    );
    assert_eq!(record.shl_tags, ["@Chain-testing_validation"]);
    assert_eq!(
        (&*record.content, record.content_kind),
        (r#"{"message": "Hello"}"#, ContentKind::Json)
    );
    assert_eq!(record.recorded_at, None);
}

#[test]
fn fields_beside_metadata_are_read() {
    let record = Record::parse(FLAT.as_bytes()).unwrap();
    assert_eq!(
        (record.origin, &*record.topic, &*record.sender),
        (Origin::Legacy, "architecture", "claude")
    );
    assert_eq!(
        (&*record.tier, &*record.chain_type),
        ("A", "system_architecture")
    );
    assert_eq!(record.shl_tags, ["@a", "@b"]);
    assert_eq!(record.message_id.as_deref(), Some("msg_7"));
    assert_eq!(record.content, r#""plain \u00fc text""#);
}

#[test]
fn frames_are_rebuilt_in_the_wire_format_of_the_agents() {
    let expected = concat!(
        r#"{"sender_id":"gemini_cli","message_id":"e3b0","timestamp":"2025-11-30T09:35:11.678846","context_id":"c1","#,
        r#""content":{"message": "Hello"},"metadata":{"sender_role":"Agent","ace_tier":"B","#,
        r#""chain_type":"testing_validation","shl_tags":["@Chain-testing_validation"]}}"#,
    );
    assert_eq!(frames(NESTED), ["general", expected]);
    let expected = concat!(
        r#"{"sender_id":"claude","message_id":"msg_7","timestamp":"2025-11-30T09:35:12","#,
        r#""content":"plain \u00fc text","metadata":{"ace_tier":"A","chain_type":"system_architecture","shl_tags":["@a", "@b"]}}"#,
    );
    assert_eq!(frames(FLAT), ["architecture", expected]);
}

#[test]
fn missing_fields_take_their_defaults() {
    let expected = concat!(
        r#"{"sender_id":"unknown","message_id":null,"timestamp":null,"content":7,"#,
        r#""metadata":{"ace_tier":"E","chain_type":"unknown","shl_tags":[]}}"#,
    );
    let line =
        r#"{"Message":7,"Metadata":[],"Timestamp":1,"Id":{},"ContextId":null,"SpeakerRole":2}"#;
    assert_eq!(frames(line), ["", expected]);
    assert!(frames(r#"{"SpeakerName":"x"}"#)[1].contains(r#""content":null"#));
}

#[test]
fn the_message_is_content_if_it_is_json_and_text_otherwise() {
    for (message, content) in [
        (r#""""#, r#""""#),
        (r#"" {\n\"a\":\r1e400}\n""#, "{ \"a\": 1e400}"),
        (r#""{\"message_num\":1}""#, "{ \"message_num\":1}"),
        (r#""[NaN]""#, r#""[NaN]""#),
        (r#""{\"a\":""#, r#""{\"a\":""#),
        (r#""\ud800""#, r#""\ud800""#),
        (r#""\"\\ud800\"""#, r#""\ud800""#),
        (r#"{"a": 1}"#, r#"{"a": 1}"#),
        ("[NaN]", r#""[NaN]""#),
    ] {
        let line = format!(r#"{{"SpeakerName":"x","Message":{message}}}"#);
        assert_eq!(
            Record::parse(line.as_bytes()).unwrap().content,
            content,
            "{message}"
        );
        let payload = &frames(&line)[1];
        assert!(
            payload.contains(&format!("\"content\":{content},\"metadata\"")),
            "{payload}"
        );
    }
}

#[test]
fn a_line_of_ours_with_such_keys_in_its_content_stays_ours() {
    let mut body = Vec::new();
    crate::encode(&["t", NESTED], "now", &mut body);
    let record = Record::parse(&body).unwrap();
    assert_eq!(
        (record.origin, &*record.sender),
        (Origin::Recorder, "unknown")
    );
}

use super::*;

#[test]
fn missing_fields_take_their_defaults() {
    let record = Record::parse(b"{}\n").unwrap();
    assert_eq!(
        (record.message_num, &*record.topic, &*record.sender),
        (None, "", "unknown")
    );
    assert_eq!((&*record.timestamp, &*record.tier), ("", "E"));
    assert_eq!((&*record.chain_type, &*record.content), ("unknown", "{}"));
    assert_eq!((record.message_id, record.recorded_at), (None, None));
    assert_eq!(
        (record.origin, record.content_kind),
        (Origin::Other, ContentKind::Json)
    );
    assert!(record.shl_tags.is_empty());
}

#[test]
fn fields_of_the_wrong_type_take_their_defaults() {
    for wrong in ["7", "null", "{}", "[1]", "true", "-1e400", "[\"a\",[]]"] {
        let line = format!(
            "{{\"message_num\":\"{}\",\"topic\":{wrong},\"sender\":{wrong},\"timestamp\":{wrong},\"tier\":{wrong},\
             \"chain_type\":{wrong},\"shl_tags\":{wrong},\"message_id\":{wrong},\"recorded_at\":{wrong},\"content_is\":{wrong}}}",
            7
        );
        let record = Record::parse(line.as_bytes()).unwrap();
        assert_eq!(
            (record.message_num, &*record.topic, &*record.sender),
            (None, "", "unknown")
        );
        assert_eq!((&*record.timestamp, &*record.tier), ("", "E"));
        assert_eq!((&*record.chain_type, record.message_id), ("unknown", None));
        assert!(
            record.shl_tags.is_empty() && record.recorded_at.is_none(),
            "{wrong}"
        );
    }
}

#[test]
fn numbers_must_be_whole_and_fit() {
    let number = |token: &str| {
        let line = format!("{{\"message_num\":{token}}}");
        Record::parse(line.as_bytes()).unwrap().message_num
    };
    assert_eq!(number("18446744073709551615"), Some(u64::MAX));
    for token in ["18446744073709551616", "-1", "1.0", "1e3", "\"1\"", "null"] {
        assert_eq!(number(token), None, "{token}");
    }
}

#[test]
fn fields_are_read_in_any_order_and_spelling() {
    let line = concat!(
        "\t{ \"tier\" : \"B\", \"content\": [ 1 ], \"s\\u0065nder\":\"\\u0041\\ud800\", \"topic\":\"x\", \"topic\":\"t\",",
        " \"shl_tags\":[ \"@a\\n\" , \"b\" ], \"message_id\":\"i\", \"message_num\": 7 ,\"recorded_at\":\"now\"} \r\n",
    );
    let record = Record::parse(line.as_bytes()).unwrap();
    assert_eq!(
        (record.message_num, &*record.topic, &*record.sender),
        (Some(7), "t", "A\u{fffd}")
    );
    assert_eq!((&*record.timestamp, &*record.tier), ("now", "B"));
    assert_eq!(
        (record.message_id.as_deref(), &*record.content),
        (Some("i"), "[ 1 ]")
    );
    assert_eq!(record.shl_tags, ["@a\n", "b"]);
    assert_eq!(
        (record.origin, record.recorded_at.as_deref()),
        (Origin::Recorder, Some("now"))
    );
}

#[test]
fn kinds_of_content_are_told_apart() {
    let kind = |fields: &str| {
        let line = format!("{{\"content\":{fields}}}");
        Record::parse(line.as_bytes())
            .map(|record| record.content_kind)
            .unwrap()
    };
    assert_eq!(kind("\"a\""), ContentKind::Json);
    assert_eq!(kind("\"a\",\"content_is\":\"text\""), ContentKind::Text);
    assert_eq!(kind("\"a\",\"content_is\":\"base64\""), ContentKind::Base64);
    assert_eq!(kind("7,\"content_is\":\"text\""), ContentKind::Json);
}

#[test]
fn plain_fields_are_borrowed() {
    let record = Record::parse(br#"{"topic":"t","sender":"s","content":{}}"#).unwrap();
    assert!(matches!(record.topic, Cow::Borrowed("t")));
    assert!(matches!(record.sender, Cow::Borrowed("s")));
    assert!(matches!(record.content, Cow::Borrowed("{}")));
}

#[test]
fn a_line_with_a_number_that_is_not_finite_is_read() {
    let line = br#"{"topic":"t","content":[NaN],"x":-Infinity}"#;
    let record = Record::parse(line).unwrap();
    assert_eq!(
        (&*record.content, record.content_kind),
        ("\"[NaN]\"", ContentKind::Text)
    );
    let record = Record::parse(br#"{"content":[1],"x":-Infinity}"#).unwrap();
    assert_eq!(
        (&*record.content, record.content_kind),
        ("[1]", ContentKind::Json)
    );
}

#[test]
fn a_message_of_another_journal_says_which_and_a_payload_that_looks_like_it_does_not() {
    let provenance = crate::Provenance {
        journal: "1c9b8f0e-7f61-4d0a-9d5e-0a4c8e1f3b77",
        name: "laptop",
        message_num: u64::MAX,
    };
    let arrival = crate::Arrival {
        provenance: Some(provenance),
        acked: true,
        key_name: Some("bridge"),
        ..crate::Arrival::at("2025-11-20T04:30:00.123Z")
    };
    let payload = r#"{"a":1,"origin":{"journal":"x","name":"y","message_num":1}}"#;
    let mut line = Vec::new();
    crate::encode_arrival(&["t", payload], arrival, &mut line);
    let record = Record::parse(&line).unwrap();
    let other = record.provenance.as_ref().unwrap();
    assert_eq!(
        (&*other.journal, &*other.name),
        (provenance.journal, "laptop")
    );
    assert_eq!(other.message_num, u64::MAX);
    assert!(
        record
            .frames()
            .unwrap()
            .iter()
            .eq([b"t".as_slice(), payload.as_bytes()])
    );

    line.clear();
    crate::encode(&["t", payload], "2025-11-20T04:30:00.123Z", &mut line);
    assert_eq!(Record::parse(&line).unwrap().provenance, None);
}

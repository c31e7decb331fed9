use protocol::Publish;
use serde_json::json;

use super::*;

fn read(header: &str) -> Result<Request, String> {
    let (id, request) = parse(header.as_bytes());
    request.map_err(|refusal| refusal.header(&id))
}

#[test]
fn each_operation_is_read_as_its_example_says() {
    assert_eq!(
        read(r#"{"op":"hello","id":1,"protocol":1}"#),
        Ok(Request::Hello(protocol::Hello {
            protocol: 1,
            client: None
        }))
    );
    assert_eq!(read(r#"{"op":"ping","id":"a"}"#), Ok(Request::Ping));
    assert_eq!(
        read(r#"{"op":"publish","id":1}"#),
        Ok(Request::Publish(Publish::default()))
    );
    let sequence = Some(7);
    assert_eq!(
        read(r#"{"op":"publish","id":1,"sequence":7}"#),
        Ok(Request::Publish(Publish {
            sequence,
            ..Publish::default()
        }))
    );
    assert_eq!(read(r#"{"op":"status","id":-1}"#), Ok(Request::Status));
    let all = r#"{"op":"consume","id":1,"name":"a","from":"after","initial":"now","filter":{"tag":"x"},"credit":5,"follow":false,"pace":2}"#;
    let Ok(Request::Consume(consume)) = read(all) else {
        panic!("{:?}", read(all))
    };
    assert_eq!(consume.from, Some(From::Word(Word::After)));
    assert_eq!(consume.filter.tag.as_deref(), Some("x"));
    assert!(!consume.follow);
    for from in [
        json!(7),
        json!({"time": "2025-11-20T04:30:00Z"}),
        json!("session"),
    ] {
        let header = json!({"op": "consume", "id": 1, "credit": 1, "from": from});
        assert!(read(&header.to_string()).is_ok(), "{header}");
    }
}

#[test]
fn what_is_wrong_is_said_together_with_what_is_expected() {
    for (header, says) in [
        ("not json", "no JSON"),
        ("[1]", "no object"),
        ("\u{fffd}", "no JSON"),
        (r#"{"op":"ping"}"#, r#"\"id\" must be"#),
        (r#"{"op":"ping","id":1.5}"#, r#"\"id\" must be"#),
        (r#"{"op":"ping","id":[]}"#, r#"\"id\" must be"#),
        (r#"{"id":1}"#, "one of hello"),
        (r#"{"op":7,"id":1}"#, "one of hello"),
        (r#"{"op":"fly","id":1}"#, "no op"),
        (r#"{"op":"ping","id":1,"x":1}"#, "unknown field"),
        (r#"{"op":"hello","id":1}"#, "missing field `protocol`"),
        (r#"{"op":"hello","id":1,"protocol":2}"#, "version 2"),
        (r#"{"op":"consume","id":1}"#, "missing field `credit`"),
        (r#"{"op":"consume","id":1,"credit":0}"#, "from 1 to 10000"),
        (
            r#"{"op":"consume","id":1,"credit":9223372036854775808}"#,
            "from 1 to 10000",
        ),
        (r#"{"op":"consume","id":1,"credit":-1}"#, "expected u64"),
        (r#"{"op":"consume","id":1,"credit":"many"}"#, "expected u64"),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":0}"#,
            "a position must be",
        ),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":"tomorrow"}"#,
            "a position must be",
        ),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":{"time":"x"}}"#,
            "a position must be",
        ),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":[1]}"#,
            "consume:",
        ),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":"after"}"#,
            r#"needs a \"name\""#,
        ),
        (r#"{"op":"consume","id":1,"credit":1,"name":"../x"}"#, "a-z"),
        (r#"{"op":"consume","id":1,"credit":1,"name":""}"#, "a-z"),
        (r#"{"op":"consume","id":1,"credit":1,"name":"Con"}"#, "a-z"),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":"now","pace":0}"#,
            "pace",
        ),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":"now","pace":1e300}"#,
            "pace",
        ),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":"now","filter":{"colour":"red"}}"#,
            "unknown field",
        ),
        (
            r#"{"op":"consume","id":1,"credit":1,"from":"now","filter":{"tier":7}}"#,
            "expected a string",
        ),
        (
            r#"{"op":"credit","id":1,"consumer":1,"credit":1}"#,
            "missing field `received`",
        ),
        (
            r#"{"op":"credit","id":1,"consumer":1,"credit":10001,"received":0}"#,
            "from 0 to",
        ),
        (
            r#"{"op":"ack","id":1,"consumer":1,"message_num":-5}"#,
            "expected u64",
        ),
        (r#"{"op":"forget","id":1,"name":"a/b"}"#, "a-z"),
        (r#"{"op":"archive","id":1,"label":7}"#, "expected a string"),
    ] {
        let reply = read(header).expect_err(header);
        assert!(reply.contains(says), "{header} got {reply}");
    }
}

#[test]
fn a_deep_or_long_header_is_refused_before_it_is_understood() {
    let deep = format!(r#"{{"op":"ping","id":1,"x":{}}}"#, "[".repeat(5000));
    assert!(read(&deep).is_err());
    let long = format!(r#"{{"op":"ping","id":"{}"}}"#, "x".repeat(200));
    assert!(read(&long).unwrap_err().contains("128 bytes"));
    let huge = format!(
        r#"{{"op":"ping","id":1}}{}"#,
        " ".repeat(protocol::MAX_HEADER)
    );
    assert!(read(&huge).unwrap_err().contains("at most 65536"));
}

#[test]
fn the_id_comes_back_also_with_an_error() {
    let (id, request) = parse(br#"{"op":"fly","id":"seven"}"#);
    assert!(request.is_err());
    assert_eq!(id, Id::Text("seven".to_owned()));
}

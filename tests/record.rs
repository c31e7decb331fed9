//! Everything that reaches the broker is on disk, whether or not anyone listens.

use std::process::Command;

use serde_json::json;

use crate::util::broker::Broker;
use crate::util::client::{Publisher, decode, publish};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{Frames, agent, agents, frames, ids, shapes};
use crate::util::process::run;
use crate::util::programs::workspace;
use crate::util::python::python;
use crate::util::record::{FIXED, Record};
use crate::util::wait::until;

/// Sends payloads on the topic `t` with no subscriber, and returns their records.
fn recorded(payloads: &[&str]) -> Vec<Record> {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let messages: Vec<_> = payloads
        .iter()
        .map(|payload| frames([b"t".as_slice(), payload.as_bytes()]))
        .collect();
    publish(broker.ports.publish, &messages);
    dir.wait_lines(payloads.len());
    dir.records()
}

#[test]
fn records_without_any_subscriber() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&[agent("greeting", "claude_code", "msg_001")]);
    publisher.burst("bulk", 1, 500, 300);
    dir.wait_lines(501);

    let records = dir.records();
    assert_eq!(records.len(), 501);
    assert_numbered_from(1, &records);
    let bulk: Vec<String> = records[1..].iter().map(Record::id).collect();
    assert_eq!(bulk, ids("bulk", 1, 500));
}

/// The PUB socket of an agent, unmodified. What it sends before the broker's
/// subscription has come is dropped by its own libzmq; all the rest arrives.
#[test]
fn a_plain_pub_socket_loses_nothing_once_something_has_arrived() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect_plain(broker.ports.publish);
    let mut tries = 0;
    until("a record", || {
        tries += 1;
        publisher.send(&agents("try", tries, 1));
        (dir.line_count() > 0).then_some(())
    });
    publisher.burst("load", 1, 5000, 300);
    publisher.send(&[agent("end", "claude_code", "end")]);
    until("the last record", || {
        String::from_utf8_lossy(&dir.current_bytes())
            .contains(r#""message_id":"end""#)
            .then_some(())
    });

    let records = dir.records();
    assert_numbered_from(1, &records);
    let recorded: Vec<String> = records.iter().map(Record::id).collect();
    let first: usize = recorded[0]
        .strip_prefix("try-")
        .and_then(|number| number.parse().ok())
        .expect("the first record is a try");
    let end = vec!["end".to_owned()];
    let expected = [
        ids("try", first, tries + 1 - first),
        ids("load", 1, 5000),
        end,
    ]
    .concat();
    assert!(
        recorded == expected,
        "from the first that arrived on, each once and in order"
    );
}

#[test]
fn fields_come_in_their_order_and_content_verbatim() {
    let content = r#"{"z": 1,  "a": [1.50, 1e400, 12345678901234567890123], "z": "\ud800"}"#;
    let payload = format!(
        r#"{{"sender_id": "claude_code", "message_id": "msg_001", "timestamp": "2025-11-20T04:30:00Z", "in_reply_to": "msg_000", "content": {content}, "metadata": {{"sender_role": "Agent", "ace_tier": "A", "chain_type": "system_architecture", "shl_tags": ["@Status-Ready"]}}}}"#
    );
    let records = recorded(&[&payload]);
    let record = &records[0];

    assert_eq!(record.names()[..9], FIXED);
    assert_eq!(record.raw("content"), content);
    let fixed: Vec<_> = FIXED[..8].iter().map(|name| record.value(name)).collect();
    assert_eq!(
        json!(fixed),
        json!([
            1,
            "t",
            "claude_code",
            "2025-11-20T04:30:00Z",
            "A",
            "system_architecture",
            ["@Status-Ready"],
            "msg_001",
        ])
    );
    assert!(record.value("recorded_at").as_str().unwrap().ends_with('Z'));
    let crc = record.value("crc");
    assert_eq!(
        record.names().last(),
        Some(&"crc"),
        "the checksum is the last field"
    );
    assert_eq!(crc.as_str().unwrap().len(), 8, "crc {crc} is eight digits");
}

#[test]
fn frames_are_rebuilt_from_the_file_byte_for_byte() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let sent = shapes();
    publish(broker.ports.publish, &sent);
    dir.wait_lines(sent.len());

    let script = workspace().join("tests/python/rebuild.py");
    let ended = run(Command::new(python()).arg(script).arg(dir.current())).with_code(0);
    let rebuilt: Vec<Frames> = ended
        .stdout
        .lines()
        .map(|line| decode(&serde_json::from_str(line).expect("a line of JSON")))
        .collect();
    assert_eq!(rebuilt, sent);
}

#[test]
fn the_other_client_family_is_understood() {
    let records = recorded(&[
        r#"{"message_id": "m-7", "timestamp": "2025-12-02T16:44:26.701044", "from": "gemini", "to": "claude", "type": "request", "priority": "high", "content": {"text": "hi"}}"#,
    ]);
    let record = &records[0];
    assert_eq!(record.value("sender"), "gemini");
    assert_eq!(record.value("message_id"), "m-7");
    assert_eq!(record.value("timestamp"), "2025-12-02T16:44:26.701044");
    assert_eq!(record.value("tier"), "E");
    assert_eq!(record.value("chain_type"), "unknown");
    assert_eq!(record.value("shl_tags"), json!([]));
    assert_eq!(record.value("content"), json!({"text": "hi"}));
}

#[test]
fn what_is_missing_or_of_a_wrong_type_takes_its_default() {
    let records = recorded(&[
        "{}",
        r#"{"tier": 7, "shl_tags": "x", "sender_id": [], "id": {}}"#,
    ]);
    for record in &records {
        assert_eq!(record.names()[..9], FIXED);
        assert_eq!(record.value("sender"), "unknown");
        assert_eq!(record.value("tier"), "E");
        assert_eq!(record.value("chain_type"), "unknown");
        assert_eq!(record.value("shl_tags"), json!([]));
        assert_eq!(record.value("message_id"), json!(null));
        assert!(
            record.value("timestamp").as_str().unwrap().ends_with('Z'),
            "the broker's clock"
        );
    }
}

#[test]
fn a_message_that_is_no_json_is_recorded_as_its_text() {
    let records = recorded(&["plain words", "{not json", ""]);
    let contents: Vec<_> = records
        .iter()
        .map(|record| record.value("content"))
        .collect();
    assert_eq!(json!(contents), json!(["plain words", "{not json", ""]));
}

#[test]
fn a_record_is_little_longer_than_its_payload() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.burst("claude_code", 1, 100, 1024);
    dir.wait_lines(100);
    let bytes = dir.current_bytes().len();
    assert!(
        bytes <= 100 * 1024 * 13 / 10,
        "{bytes} bytes for 100 payloads of 1 KiB"
    );
}

#[test]
fn a_message_over_the_limit_is_refused_loudly_and_the_next_one_recorded() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--max-message-size", "4KiB"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send_large("large", 10_000);
    broker.wait_for_warning("4096");
    // Refusing may cost the publisher its connection, and with it what is under way.
    publish(
        broker.ports.publish,
        &[agent("small", "claude_code", "small-1")],
    );
    dir.wait_lines(1);
    assert_eq!(dir.records()[0].id(), "small-1");
}

/// Far over the limit, too, where libzmq itself refuses to take the memory for it.
#[test]
fn a_message_far_over_the_limit_is_refused_loudly_and_the_next_ones_recorded() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--max-message-size", "4KiB"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send_large("large", 40 << 20);
    publisher.send(&agents("small", 1, 5));
    dir.wait_lines(5);
    let recorded: Vec<String> = dir.records().iter().map(Record::id).collect();
    assert_eq!(recorded, ids("small", 1, 5));
    broker.wait_for_warning("4096");
}

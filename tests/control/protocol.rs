//! The examples in docs/protocol.md are what really goes over the wire.

use std::fs;

use serde_json::{Value, json};

use crate::util::broker::Broker;
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::Frames;
use crate::util::programs::workspace;

/// One message of an example.
#[derive(Debug, Default)]
struct Message {
    from_client: bool,
    header: String,
    frames: Frames,
}

/// Reads all examples, one behind the other.
fn examples() -> Vec<Message> {
    let page = fs::read_to_string(workspace().join("docs/protocol.md")).unwrap();
    let blocks = page.split("```protocol\n").skip(1);
    let mut messages: Vec<Message> = Vec::new();
    for line in blocks.flat_map(|block| block.split("```").next().unwrap().lines()) {
        if let Some(header) = line.strip_prefix("C: ").or(line.strip_prefix("B: ")) {
            messages.push(Message {
                from_client: line.starts_with('C'),
                header: header.to_owned(),
                frames: Vec::new(),
            });
        } else if let Some(frame) = line.strip_prefix(" | ") {
            let last = messages.last_mut().unwrap();
            last.frames.push(frame.as_bytes().to_vec());
        } else {
            messages.last_mut().unwrap().header.push_str(line);
        }
    }
    messages
}

/// Members whose values are the same in every run.
const EXACT: [&str; 22] = [
    "type",
    "id",
    "code",
    "message",
    "message_num",
    "duplicate",
    "reason",
    "credit",
    "name",
    "after",
    "last",
    "forgotten",
    "protocol",
    "protocols",
    "limits",
    "messages",
    "recording",
    "stalled",
    "recorded",
    "requests",
    "last_message_num",
    "known",
];

/// Asserts that a reply has the members of the example, of the same kinds.
#[track_caller]
fn assert_like(example: &Value, real: &Value, name: &str) {
    match (example, real) {
        (Value::Object(expected), Value::Object(found)) => {
            let names = |object: &serde_json::Map<String, Value>| -> Vec<String> {
                object.keys().cloned().collect()
            };
            assert_eq!(names(expected), names(found), "members of {real}");
            for (name, value) in expected {
                assert_like(value, &found[name], name);
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            assert_eq!(expected.len(), found.len(), "{name}: {real}");
            for (expected, found) in expected.iter().zip(found) {
                assert_like(expected, found, name);
            }
        }
        _ if EXACT.contains(&name) => {
            assert_eq!(example, real, "{name}");
        }
        _ => assert_eq!(
            std::mem::discriminant(example),
            std::mem::discriminant(real),
            "{name}: {real}"
        ),
    }
}

#[test]
fn every_example_of_the_documentation_is_true() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    let mut handles = [(17u64, 0u64), (18, 0)];
    let mut checked = 0;
    for Message {
        from_client,
        header,
        frames,
    } in examples()
    {
        let mut header: Value = serde_json::from_str(&header)
            .unwrap_or_else(|error| panic!("no JSON in the documentation: {error}\n{header}"));
        if from_client {
            if let Some(handle) = header.get("consumer").and_then(Value::as_u64) {
                let real = handles.iter().find(|(shown, _)| *shown == handle).unwrap();
                header["consumer"] = json!(real.1);
            }
            let mut message = vec![header.to_string().into_bytes()];
            message.extend(frames);
            client.send_frames(&[message]);
            continue;
        }
        let (real, real_frames) = client.recv(1).remove(0);
        assert_like(&header, &real, "");
        assert_eq!(real_frames, frames, "behind {header}");
        if let Some(shown) = header.get("consumer").and_then(Value::as_u64) {
            let handle = handles
                .iter_mut()
                .find(|(known, _)| *known == shown)
                .unwrap();
            handle.1 = real["consumer"].as_u64().unwrap();
        }
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

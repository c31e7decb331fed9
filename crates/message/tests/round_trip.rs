//! Whatever the frames are, their record gives them back.

mod support;

use message::{Frames, Record, decode_frames};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use support::{NOW, check, json};

fn frame() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        any::<String>().prop_map(String::into_bytes),
        json::json().prop_map(String::into_bytes),
    ]
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_frames(frames in vec(frame(), 0..5)) {
        check(&frames);
    }

    #[test]
    fn json_payloads(payload in json::json()) {
        check(&["topic", &payload]);
    }

    #[test]
    fn payloads_that_may_just_miss_being_json(payload in json::mutated()) {
        check(&[b"topic", payload.as_slice()]);
    }

    #[test]
    fn records_within_records(payload in json::json(), topic in any::<String>()) {
        let inner = check(&[topic.as_bytes(), payload.as_bytes()]);
        let outer = [br#"{"id":"x","content":"#, inner.trim_ascii_end(), b"}"].concat();
        check(&[topic.as_bytes(), &inner]);
        check(&[topic.as_bytes(), &outer]);
    }

    #[test]
    fn fields_are_what_a_generic_reader_finds(payload in json::json()) {
        let Ok(value) = serde_json::from_str::<Value>(&payload) else { return Ok(()) };
        let line = check(&["topic", &payload]);
        let record = Record::parse(&line).unwrap();
        prop_assert_eq!(record.sender, text(&value, &["sender_id", "sender", "from", "agent"], "unknown"));
        prop_assert_eq!(record.timestamp, text(&value, &["timestamp"], NOW));
        prop_assert_eq!(record.tier, text(&value, &["/ace_tier", "ace_tier", "tier"], "E"));
        prop_assert_eq!(record.chain_type, text(&value, &["/chain_type", "chain_type"], "unknown"));
        let id = first(&value, &["message_id", "id"]).and_then(Value::as_str);
        prop_assert_eq!(record.message_id.as_deref(), id);
        prop_assert_eq!(record.shl_tags, tags(&value));
        let content: Value = serde_json::from_str(&record.content).unwrap();
        prop_assert_eq!(&content, value.get("content").unwrap_or(&value));
    }

    #[test]
    fn damaged_lines_never_panic(
        frames in vec(frame(), 0..4),
        index in any::<Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut line = check(&frames);
        let at = index.index(line.len());
        if cut { drop(line.drain(at..(at + 3).min(line.len()))) } else { line[at] = byte }
        let mut fast = Frames::new();
        let direct = decode_frames(&line, &mut fast).map(|()| fast);
        prop_assert_eq!(direct, Record::parse(&line).and_then(|record| record.frames()));
    }

    #[test]
    fn lines_of_any_kind_never_panic(line in prop_oneof![
        json::mutated(),
        json::json().prop_map(|text| text.replace("agent", "SpeakerName").into_bytes()),
        json::json().prop_map(|text| text.replace("\"other\"", "\"envelope\"").into_bytes()),
    ]) {
        let record = Record::parse(&line);
        let strict = serde_json::from_slice::<&serde_json::value::RawValue>(&line);
        if std::str::from_utf8(&line).is_ok() && strict.is_ok_and(|raw| raw.get().starts_with('{')) {
            let record = record.expect("every JSON object is a record");
            prop_assert!(record.frames().is_ok_and(|frames| !frames.is_empty()));
        }
    }
}

/// Finds the first member that is present; `/` stands for a member of `metadata`.
fn first<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    let find = |name: &&str| match name.strip_prefix('/') {
        Some(inner) => value.get("metadata")?.get(inner),
        None => value.get(name),
    };
    names.iter().filter_map(find).find(|found| !found.is_null())
}

fn text<'a>(value: &'a Value, names: &[&str], default: &'a str) -> &'a str {
    first(value, names)
        .and_then(Value::as_str)
        .unwrap_or(default)
}

fn tags(value: &Value) -> Vec<&str> {
    let tags = first(value, &["/shl_tags", "shl_tags"]).and_then(Value::as_array);
    tags.and_then(|tags| tags.iter().map(Value::as_str).collect())
        .unwrap_or_default()
}

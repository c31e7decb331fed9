//! Answers by reading each line into a generic JSON value.

use proptest::prelude::*;
use serde_json::Value;

use crate::filter::Criteria;

/// What filters and statistics see of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) offset: u64,
    pub(crate) topic: String,
    pub(crate) sender: String,
    pub(crate) tier: String,
    pub(crate) chain: String,
    pub(crate) timestamp: String,
}

/// Reads a whole journal.
pub(crate) fn messages(session: &[u8]) -> Vec<Message> {
    let mut offset = 0;
    let mut messages = Vec::new();
    for line in session.split(|byte| *byte == b'\n') {
        messages.extend(message(line, offset));
        offset += line.len() as u64 + 1;
    }
    messages
}

fn message(line: &[u8], offset: u64) -> Option<Message> {
    let text = std::str::from_utf8(line).ok()?;
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        // It may be a torn line with a whole one behind it.
        let behind = text.rfind("{\"message_num\":").filter(|at| *at > 0)?;
        return message(&line[behind..], offset + behind as u64);
    };
    value.as_object()?;
    let text = |candidates: [&Value; 2], default: &str| {
        let present = candidates.into_iter().find(|value| !value.is_null());
        present
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    let (none, metadata) = (&Value::Null, &value["Metadata"]);
    let is_legacy = value.get("SpeakerName").is_some();
    let recorded_at = value["recorded_at"].as_str().unwrap_or_default();
    Some(if is_legacy {
        Message {
            offset,
            topic: text([&metadata["topic"], none], ""),
            sender: text([&value["SpeakerName"], none], "unknown"),
            tier: text([&metadata["ace_tier"], &value["ace_tier"]], "E"),
            chain: text([&metadata["chain_type"], &value["chain_type"]], "unknown"),
            timestamp: text([&value["Timestamp"], none], ""),
        }
    } else {
        Message {
            offset,
            topic: text([&value["topic"], none], ""),
            sender: text([&value["sender"], none], "unknown"),
            tier: text([&value["tier"], none], "E"),
            chain: text([&value["chain_type"], none], "unknown"),
            timestamp: text([&value["timestamp"], none], recorded_at),
        }
    })
}

/// Criteria that some of the generated messages meet.
pub(crate) fn criteria() -> impl Strategy<Value = Criteria> {
    let some = |values: &'static [&'static str]| {
        prop::option::weighted(0.3, prop::sample::select(values).prop_map(str::to_owned))
    };
    let fields = (
        some(&["A", "C", "E", "ä", "nothing"]),
        some(&["photo", "photo_capture", "", "unknown"]),
        some(&["claude", "clau\"de\n", "gemini", "unknown"]),
        some(&["", "design", "design_", "de\\", "Ü"]),
    );
    fields.prop_map(|(tier, chain, sender, topic)| Criteria {
        tier,
        chain,
        sender,
        topic,
    })
}

/// The messages that meet the criteria.
pub(crate) fn matching(messages: &[Message], criteria: &Criteria) -> Vec<Message> {
    let is = |wanted: &Option<String>, value: &String| {
        wanted.as_ref().is_none_or(|wanted| wanted == value)
    };
    let wanted = |message: &&Message| {
        let topic = criteria.topic.as_deref().unwrap_or_default();
        is(&criteria.tier, &message.tier)
            && is(&criteria.chain, &message.chain)
            && is(&criteria.sender, &message.sender)
            && message
                .topic
                .bytes()
                .zip(topic.bytes())
                .filter(|(a, b)| a == b)
                .count()
                == topic.len()
    };
    messages.iter().filter(wanted).cloned().collect()
}

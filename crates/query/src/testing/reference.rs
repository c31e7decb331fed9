//! Answers by reading each line into a generic JSON value.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::Value;

use crate::filter::Criteria;
use crate::time::Instant;

/// What filters and statistics see of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) offset: u64,
    pub(crate) topic: String,
    pub(crate) sender: String,
    pub(crate) tier: String,
    pub(crate) chain: String,
    pub(crate) timestamp: String,
    pub(crate) recorded_at: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) id: Option<String>,
    /// Its values, without keys.
    pub(crate) texts: Vec<String>,
    /// The name of the message that it answers.
    pub(crate) in_reply_to: Option<String>,
    /// How many bytes its line has.
    pub(crate) length: u64,
    /// The number in the line, unless that was altered.
    pub(crate) own_number: Option<u64>,
    /// As a reader counts that goes through the whole file.
    pub(crate) number: u64,
}

/// Reads a whole journal.
pub(crate) fn messages(session: &[u8]) -> Vec<Message> {
    let mut offset = 0;
    let mut messages = Vec::new();
    for line in session.split(|byte| *byte == b'\n') {
        for piece in crate::pieces::sort(line, true) {
            if let journal::Checked::Record { .. } = piece.checked {
                let at = offset + piece.range.start as u64;
                messages.extend(message(&line[piece.range], at));
            }
        }
        offset += line.len() as u64 + 1;
    }
    let numbers = numbers(session);
    for message in &mut messages {
        message.number = numbers[&message.offset];
    }
    messages
}

fn numbers(session: &[u8]) -> HashMap<u64, u64> {
    let mut numbering = journal::Numbering::default();
    let mut numbers = HashMap::new();
    let mut offset = 0;
    for line in session.split(|byte| *byte == b'\n') {
        for piece in crate::pieces::sort(line, true) {
            match piece.checked {
                journal::Checked::Record { number, integrity } => {
                    let at = offset + piece.range.start as u64;
                    numbers.insert(at, numbering.assign(number, integrity));
                }
                journal::Checked::Bad(_) => numbering.skip(),
            }
        }
        offset += line.len() as u64 + 1;
    }
    numbers
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::Object(all) => all.values().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// In the line itself, in its payload, or in the metadata of either.
fn in_reply_to(line: &Value) -> Option<String> {
    let payload = match line.get("envelope") {
        Some(envelope) => envelope.clone(),
        None => line["payload"]
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_else(|| line["content"].clone()),
    };
    let candidates = [
        &line["in_reply_to"],
        &line["Metadata"]["in_reply_to"],
        &payload["in_reply_to"],
        &payload["metadata"]["in_reply_to"],
    ];
    let mut texts = candidates.into_iter().filter_map(Value::as_str);
    texts.find(|text| !text.is_empty()).map(str::to_owned)
}

fn message(line: &[u8], offset: u64) -> Option<Message> {
    let value: Value = serde_json::from_slice(line).ok()?;
    value.as_object()?;
    let text = |candidates: [&Value; 2], default: &str| {
        let present = candidates.into_iter().find(|value| !value.is_null());
        present
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    let (none, metadata) = (&Value::Null, &value["Metadata"]);
    let is_ours = value["recorded_at"].is_string()
        && value.get("topic").is_some()
        && value.get("content").is_some();
    let is_legacy =
        !is_ours && (value.get("SpeakerName").is_some() || value.get("Message").is_some());
    let recorded_at = value["recorded_at"].as_str();
    let tags = |candidates: [&Value; 2]| {
        let present = candidates.into_iter().find(|value| !value.is_null());
        let all = present
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let tags: Option<Vec<String>> = all
            .iter()
            .map(|tag| Some(tag.as_str()?.to_owned()))
            .collect();
        tags.unwrap_or_default()
    };
    let id = |candidates: [&Value; 2]| {
        let present = candidates.into_iter().find(|value| !value.is_null())?;
        present.as_str().map(str::to_owned)
    };
    let inner = value["Message"]
        .as_str()
        .map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)));
    let default = recorded_at.unwrap_or_default();
    let in_reply_to = in_reply_to(&value);
    // A line without a content is one itself.
    let mut whole = value.clone();
    for around in ["message_num", "crc"] {
        whole.as_object_mut()?.remove(around);
    }
    let is_altered = |piece: &journal::Piece| {
        matches!(piece.checked, journal::Checked::Record { integrity, .. }
            if integrity == journal::Integrity::Altered)
    };
    let is_altered = journal::sort_line(line, true).iter().any(is_altered);
    let own_number = value["message_num"].as_u64().filter(|_| !is_altered);
    Some(if is_legacy {
        Message {
            offset,
            topic: text([&metadata["topic"], &value["topic"]], ""),
            sender: text([&value["SpeakerName"], none], "unknown"),
            tier: text([&metadata["ace_tier"], &value["ace_tier"]], "E"),
            chain: text([&metadata["chain_type"], &value["chain_type"]], "unknown"),
            timestamp: text([&value["Timestamp"], none], default),
            recorded_at: recorded_at.map(str::to_owned),
            tags: tags([&metadata["shl_tags"], &value["shl_tags"]]),
            id: id([&metadata["zmq_message_id"], &value["Id"]]),
            texts: texts(&inner.unwrap_or_default()),
            in_reply_to: in_reply_to.clone(),
            length: line.trim_ascii_end().len() as u64,
            own_number,
            number: 0,
        }
    } else {
        Message {
            offset,
            topic: text([&value["topic"], none], ""),
            sender: text([&value["sender"], none], "unknown"),
            tier: text([&value["tier"], none], "E"),
            chain: text([&value["chain_type"], none], "unknown"),
            timestamp: match &value["timestamp"] {
                // A number of seconds, where this recorder has not put it right.
                Value::Number(time) if !is_ours => time.to_string(),
                time => text([time, none], default),
            },
            recorded_at: recorded_at.map(str::to_owned),
            tags: tags([&value["shl_tags"], none]),
            id: id([&value["message_id"], none]),
            texts: texts(value.get("content").unwrap_or(&whole)),
            in_reply_to: in_reply_to.clone(),
            length: line.trim_ascii_end().len() as u64,
            own_number,
            number: 0,
        }
    })
}

/// Criteria that some of the generated messages meet.
pub(crate) fn criteria() -> impl Strategy<Value = Criteria> {
    let some = |values: &'static [&'static str]| {
        let values =
            prop::collection::vec(prop::sample::select(values).prop_map(str::to_owned), 1..3);
        prop_oneof![3 => Just(Vec::new()), 1 => values]
    };
    let fields = (
        some(&["A", "C", "E", "ä", "nothing", "!A"]),
        some(&["photo", "photo_capture", "", "unknown", "!photo"]),
        some(&[
            "claude",
            "clau\"de\n",
            "gemini",
            "unknown",
            "!claude",
            "!unknown",
        ]),
        some(&["", "design", "design_", "de\\", "Ü", "!design_", "!"]),
    );
    let others = (
        some(&["id-1", "id \"2\"", "1", "!1"]),
        some(&["@a", "@b ]", "\"", "!@a"]),
        some(&[
            "xx", "gem", "C", "l\\w+e", "Grü", "^x", "!xx", "sender", "kelvin", "Sxx", "ELVIN",
        ]),
        any::<bool>(),
    );
    let number = || prop::option::weighted(0.2, 0..30_u64);
    let time = || {
        let times = [
            "2025-11-20T04:30:05Z",
            "2025-11-20T04:30:15Z",
            "2025-11-20T12:30:45.123Z",
        ];
        prop::option::weighted(
            0.2,
            prop::sample::select(times.to_vec()).prop_map(Instant::parse),
        )
    };
    (fields, others, number(), number(), time(), time()).prop_map(
        |(fields, others, from, to, since, until)| {
            let (tier, chain, sender, topic) = fields;
            let (id, tag, grep, ignore_case) = others;
            Criteria {
                tier,
                chain,
                sender,
                topic,
                id,
                tag,
                grep,
                ignore_case,
                from,
                to,
                since: since.flatten(),
                until: until.flatten(),
            }
        },
    )
}

/// The messages that meet the criteria.
pub(crate) fn matching(messages: &[Message], criteria: &Criteria) -> Vec<Message> {
    messages
        .iter()
        .filter(|message| is_wanted(message, criteria))
        .cloned()
        .collect()
}

fn is_wanted(message: &Message, criteria: &Criteria) -> bool {
    let wanted = |values: &[String], fits: &dyn Fn(&str) -> bool| {
        let any_of: Vec<&String> = values
            .iter()
            .filter(|value| !value.starts_with('!'))
            .collect();
        let mut none_of = values.iter().filter_map(|value| value.strip_prefix('!'));
        (any_of.is_empty() || any_of.iter().any(|value| fits(value))) && !none_of.any(fits)
    };
    let grep = |pattern: &str| {
        let ignore = if criteria.ignore_case {
            "(?mi)"
        } else {
            "(?m)"
        };
        let regex = regex::Regex::new(&format!("{ignore}{pattern}")).unwrap();
        message.texts.iter().any(|text| regex.is_match(text))
    };
    let time = message.recorded_at.as_ref().unwrap_or(&message.timestamp);
    let time = Instant::parse(time);
    let (number, since, until) = (message.number, criteria.since, criteria.until);
    wanted(&criteria.tier, &|value| message.tier == value)
        && wanted(&criteria.chain, &|value| message.chain == value)
        && wanted(&criteria.sender, &|value| message.sender == value)
        && wanted(&criteria.topic, &|value| message.topic.starts_with(value))
        && wanted(&criteria.id, &|value| message.id.as_deref() == Some(value))
        && wanted(&criteria.tag, &|value| {
            message.tags.iter().any(|tag| tag == value)
        })
        && wanted(&criteria.grep, &grep)
        && criteria.from.is_none_or(|from| number >= from)
        && criteria.to.is_none_or(|to| number <= to)
        && since.is_none_or(|since| time.is_some_and(|time| time >= since))
        && until.is_none_or(|until| time.is_some_and(|time| time < until))
}

//! Answers by reading each line into a generic JSON value.

use std::ops::Range;

use journal::Integrity;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::filter::Criteria;
use crate::time::Instant;

/// What filters and statistics see of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub offset: u64,
    pub topic: String,
    pub sender: String,
    pub key_name: Option<String>,
    pub origin: Option<String>,
    pub tier: String,
    pub chain: String,
    pub timestamp: String,
    pub recorded_at: Option<String>,
    pub tags: Vec<String>,
    pub id: Option<String>,
    /// Its values, without keys.
    pub texts: Vec<String>,
    /// The name of the message that it answers.
    pub in_reply_to: Option<String>,
    /// How many bytes its line has.
    pub length: u64,
    /// The number in the line, unless that was altered.
    pub own_number: Option<u64>,
    /// As a reader counts that goes through the whole file.
    pub number: u64,
    /// The number in the line, whatever its checksum says of it.
    carried: Option<u64>,
    integrity: Integrity,
}

/// Reads a whole journal.
pub fn messages(session: &[u8]) -> Vec<Message> {
    let mut numbering = journal::raw::Numbering::default();
    let mut offset = 0;
    let mut messages = Vec::new();
    for line in session.split(|byte| *byte == b'\n') {
        match record(line) {
            Some(record) => {
                if !is_prefix(&line[..record.start]) {
                    numbering.skip();
                }
                for range in messages_in(&line[record.clone()]) {
                    let (from, to) = (record.start + range.start, record.start + range.end);
                    let mut message = message(&line[from..to], offset + from as u64);
                    message.number = numbering.assign(message.carried, message.integrity);
                    messages.push(message);
                }
            }
            None if line.trim_ascii().is_empty() => {}
            None => numbering.skip(),
        }
        offset += line.len() as u64 + 1;
    }
    messages
}

/// Finds the record that a line ends with: all of it, or an object that is no part
/// of one before it.
fn record(line: &[u8]) -> Option<Range<usize>> {
    let end = line.trim_ascii_end().len();
    let braces = (0..end).filter(|at| line[*at] == b'{');
    for (count, start) in braces.enumerate() {
        let Ok(Value::Object(object)) = serde_json::from_slice(&line[start..end]) else {
            continue;
        };
        let is_whole = ["message_num", "SpeakerName"]
            .iter()
            .any(|key| object.contains_key(*key));
        return (count == 0 || is_whole).then_some(start..end);
    }
    None
}

/// What a log puts in front of a line is no damage.
fn is_prefix(before: &[u8]) -> bool {
    let text = std::str::from_utf8(before);
    text.is_ok_and(|text| !text.contains(['{', '"', '\0']))
}

/// A list of messages is as many messages.
fn messages_in(record: &[u8]) -> Vec<Range<usize>> {
    #[derive(serde::Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        messages: Vec<&'a RawValue>,
    }
    let whole = 0..record.len();
    let Ok(list) = serde_json::from_slice::<List<'_>>(record) else {
        return vec![whole];
    };
    let start = |element: &RawValue| element.get().as_ptr() as usize - record.as_ptr() as usize;
    let ranges = list.messages.iter().map(|element| {
        let start = start(element);
        start..start + element.get().len()
    });
    ranges.collect()
}

/// Reads a time as milliseconds since 1970.
pub fn milliseconds(text: &str) -> Option<i64> {
    let nanoseconds = nanoseconds(text)?;
    i64::try_from(nanoseconds.div_euclid(1_000_000)).ok()
}

fn nanoseconds(text: &str) -> Option<i128> {
    if let Ok(number) = text.parse::<i128>() {
        // Seconds or milliseconds: the first are not that many for a while.
        return Some(
            number
                * if number > 100_000_000_000 {
                    1_000_000
                } else {
                    1_000_000_000
                },
        );
    }
    let with_offset = format!("{text}Z");
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let time = parse(text).or_else(|| parse(&with_offset))?;
    Some(time.unix_timestamp_nanos())
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

fn message(line: &[u8], offset: u64) -> Message {
    let value: Value = serde_json::from_slice(line).unwrap();
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
        whole.as_object_mut().unwrap().remove(around);
    }
    let integrity = integrity(line);
    let carried = value["message_num"].as_u64();
    let said = &value["message"];
    let message = Message {
        offset,
        topic: text([&value["topic"], none], ""),
        sender: text([&value["sender"], &value["role"]], "unknown"),
        origin: value["origin"]["name"]
            .as_str()
            .filter(|_| is_ours)
            .map(str::to_owned),
        key_name: value["key_name"]
            .as_str()
            .filter(|_| is_ours)
            .map(str::to_owned),
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
        in_reply_to,
        length: line.trim_ascii_end().len() as u64,
        own_number: carried.filter(|_| integrity != Integrity::Altered),
        number: 0,
        carried,
        integrity,
    };
    if is_legacy {
        Message {
            topic: text([&metadata["topic"], &value["topic"]], ""),
            sender: text([&value["SpeakerName"], none], "unknown"),
            tier: text([&metadata["ace_tier"], &value["ace_tier"]], "E"),
            chain: text([&metadata["chain_type"], &value["chain_type"]], "unknown"),
            timestamp: text([&value["Timestamp"], none], default),
            tags: tags([&metadata["shl_tags"], &value["shl_tags"]]),
            id: id([&metadata["zmq_message_id"], &value["Id"]]),
            texts: texts(&inner.unwrap_or_default()),
            ..message
        }
    } else if value.get("uuid").is_some() {
        Message {
            topic: "claude_code".to_owned(),
            sender: text([&said["role"], none], "unknown"),
            id: id([&value["uuid"], none]),
            texts: texts(&said["content"]),
            in_reply_to: id([&value["parentUuid"], none]),
            ..message
        }
    } else {
        message
    }
}

/// What the checksum says, which covers the line up to the comma before it.
fn integrity(line: &[u8]) -> Integrity {
    let key = b",\"crc\":\"";
    let Some(at) = memchr::memmem::rfind(line, key) else {
        return Integrity::Unverified;
    };
    let sum = format!("{:08x}", crc_fast::crc32_iscsi(&line[..=at]));
    match &line[at + key.len()..] {
        rest if *rest == *format!("{sum}\"}}").as_bytes() => Integrity::Verified,
        _ => Integrity::Altered,
    }
}

/// Criteria that some of the generated messages meet.
pub fn criteria() -> impl Strategy<Value = Criteria> {
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
        (
            some(&["alice", "o\\\"x", "!alice"]),
            some(&["ada", "bob", "!ada"]),
        ),
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
            let (id, (key, origin), tag, grep, ignore_case) = others;
            Criteria {
                tier,
                chain,
                sender,
                key,
                origin,
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
pub fn matching(messages: &[Message], criteria: &Criteria) -> Vec<Message> {
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
    let time = nanoseconds(time);
    let at = |bound: Option<Instant>| {
        let (seconds, nanoseconds) = bound?.parts();
        Some(i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds))
    };
    let (number, since, until) = (message.number, at(criteria.since), at(criteria.until));
    wanted(&criteria.tier, &|value| message.tier == value)
        && wanted(&criteria.chain, &|value| message.chain == value)
        && wanted(&criteria.sender, &|value| message.sender == value)
        && wanted(&criteria.origin, &|value| {
            message.origin.as_deref() == Some(value)
        })
        && wanted(&criteria.key, &|value| {
            message.key_name.as_deref() == Some(value)
        })
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

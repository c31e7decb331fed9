//! Lines of every kind that may lie in a log directory.

use std::fmt;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::recorded_as;

/// Some bytes of a journal, with what a reader has to find in them.
#[derive(Clone)]
pub struct Part {
    pub bytes: Vec<u8>,
    pub damaged: u64,
    pub altered: u64,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.bytes);
        let start = text.get(..600).unwrap_or(&text);
        write!(f, "{} bytes: {start}", self.bytes.len())
    }
}

/// A journal of up to 25 parts; the last line may lack its newline.
pub fn journal() -> impl Strategy<Value = Vec<Part>> {
    let parts = prop::collection::vec((any::<prop::sample::Index>(), fields()), 0..25);
    (parts, any::<bool>()).prop_map(|(parts, is_cut)| {
        let mut number = 1;
        let mut parts: Vec<Part> = parts
            .into_iter()
            .map(|(kind, fields)| {
                let kind = kind.index(KINDS);
                let made = part(kind, number, &fields);
                number += most_numbers(kind);
                made
            })
            .collect();
        if let (true, Some(last)) = (is_cut, parts.last_mut()) {
            last.bytes.pop_if(|byte| *byte == b'\n');
        }
        parts
    })
}

/// The values of a message's fields.
#[derive(Debug, Clone)]
struct Fields {
    topic: &'static str,
    sender: Value,
    tier: Value,
    chain: Value,
    timestamp: Value,
    tags: Value,
    id: Value,
    /// Names of a message and of a conversation, and whether they stand in the metadata.
    links: (Value, Value, bool),
    text: &'static str,
    /// When it was recorded; clocks are set.
    second: u64,
    padding: usize,
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(values.to_vec())
}

fn fields() -> impl Strategy<Value = Fields> {
    let sender = [
        json!("claude"),
        json!("clau\"de\n"),
        json!("gemini"),
        json!(7),
        Value::Null,
    ];
    let tier = [
        json!("A"),
        json!("C"),
        json!("E"),
        json!("ä"),
        json!(["A"]),
        Value::Null,
    ];
    let chain = [
        json!("photo"),
        json!("photo_capture"),
        json!(""),
        Value::Null,
    ];
    let timestamp = [
        json!("2025-11-20T12:30:45.123Z"),
        json!("2025-11-20T13:30:45.122+01:00"),
        json!("2025-11-20T12:30:45.1239"),
        json!("0001-01-01T00:00:00Z"),
        json!("soon\u{1b}"),
        json!(1_763_649_022),
        json!(1_763_649_022_123_i64),
        Value::Null,
    ];
    // Now and then a line is longer than what is read at once.
    let padding = prop_oneof![20 => 0..50_usize, 1 => Just(300_000)];
    let topics = one_of(&[
        "",
        "design",
        "design_review",
        "de\\s\"ign",
        "Ünï",
        "a_Request",
    ]);
    let values = (
        one_of(&sender),
        one_of(&tier),
        one_of(&chain),
        one_of(&timestamp),
    );
    let tags = [
        json!(["@a"]),
        json!(["@b ]", "@a"]),
        json!(["\""]),
        json!([7]),
        json!([]),
        Value::Null,
    ];
    let ids = [
        json!("id-1"),
        json!("id \"2\""),
        json!("1"),
        json!(2),
        Value::Null,
    ];
    let links = (one_of(&ids), one_of(&ids), any::<bool>());
    let texts = [
        "",
        "Grüße",
        "gem/stone \"x\"",
        "line\nxx",
        "\u{1b}gem",
        "why? \n",
        "\u{212a}elvin ſxx",
    ];
    let texts = (one_of(&texts), 0..60_u64);
    let others = (one_of(&tags), one_of(&ids), links, texts, padding);
    (topics, values, others).prop_map(|(topic, values, others)| {
        let (sender, tier, chain, timestamp) = values;
        let (tags, id, links, (text, second), padding) = others;
        Fields {
            topic,
            sender,
            tier,
            chain,
            timestamp,
            tags,
            id,
            links,
            text,
            second,
            padding,
        }
    })
}

const KINDS: usize = 15;

fn part(kind: usize, number: u64, fields: &Fields) -> Part {
    let (bytes, damaged, altered) = match kind {
        0 | 1 => (ours(number, fields), 0, 0),
        2 => (spaced(number, fields), 0, 0),
        3 => (escaped(number, fields), 0, 0),
        4 => (legacy(fields, true), 0, 0),
        5 => (legacy(fields, false), 0, 0),
        6 => (altered(number, fields), 0, 1),
        7 => (glued(number, fields), 1, 0),
        8 => (b"\n  \r\n".to_vec(), 0, 0),
        9 => (b"\xff\xfe{\"sender\":\"claude\"}\n".to_vec(), 1, 0),
        10 => (b"[\"claude\"]\n\0\0\0\n".to_vec(), 2, 0),
        11 => (other_program(fields), 0, 0),
        12 => (conversation(fields), 0, 0),
        13 => (prefixed(number, fields), 0, 0),
        _ => (python(number, fields), 0, 0),
    };
    Part {
        bytes,
        damaged,
        altered,
    }
}

/// How many numbers a part may take: a writer's numbers grow, also behind lines that
/// hold several messages or are damaged.
fn most_numbers(kind: usize) -> u64 {
    match kind {
        7 | 8 | 10 | 12 => 3,
        _ => 1,
    }
}

fn content(fields: &Fields) -> Value {
    json!({
        "message": "x".repeat(fields.padding),
        "sender": "gemini",
        "tier": ["C", 7, null],
        "text": fields.text,
    })
}

fn ours(number: u64, fields: &Fields) -> Vec<u8> {
    let mut payload = json!({
        "sender_id": fields.sender,
        "message_id": fields.id,
        "timestamp": fields.timestamp,
        "content": content(fields),
        "metadata": {
            "ace_tier": fields.tier, "chain_type": fields.chain, "shl_tags": fields.tags,
        },
    });
    let (reply, context, in_metadata) = &fields.links;
    let place = match in_metadata {
        true => &mut payload["metadata"],
        false => &mut payload,
    };
    place["in_reply_to"] = reply.clone();
    place["context_id"] = context.clone();
    let time = format!("2025-11-20T04:30:{:02}.123Z", fields.second);
    let arrival = message::Arrival {
        key_name: match fields.second % 5 {
            0 => Some("alice"),
            1 => Some("o\\\"x"),
            _ => None,
        },
        provenance: fields
            .second
            .is_multiple_of(3)
            .then_some(message::Provenance {
                journal: "1c9b8f0e",
                name: if fields.second.is_multiple_of(2) {
                    "ada"
                } else {
                    "bob"
                },
                message_num: number,
            }),
        ..message::Arrival::at(&time)
    };
    recorded_as(number, arrival, fields.topic, &payload.to_string())
}

/// The text of one of our lines, changed by hand.
fn altered(number: u64, fields: &Fields) -> Vec<u8> {
    let line = String::from_utf8(ours(number, fields)).unwrap();
    line.replacen("\"message\":\"", "\"message\":\"not ", 1)
        .into_bytes()
}

/// One of ours behind the torn half of another.
fn glued(number: u64, fields: &Fields) -> Vec<u8> {
    let whole = ours(number, fields);
    let half = ours(number, fields);
    [&half[..half.len() / 2], &whole].concat()
}

/// Hand-made, as Python's `json.dumps` spaces it, in another order and with a key twice.
fn spaced(number: u64, fields: &Fields) -> Vec<u8> {
    let Fields {
        topic,
        sender,
        tier,
        chain,
        timestamp,
        tags,
        id,
        links: (reply, ..),
        ..
    } = fields;
    let (topic, content) = (json!(topic), content(fields));
    let text = format!(
        r#"{{"tier": "nothing", "content": {content}, "chain_type": {chain}, "timestamp": {timestamp}, "tier": {tier}, "sender": {sender}, "topic": {topic}, "shl_tags": {tags}, "message_id": {id}, "in_reply_to": {reply}, "message_num": {number}}}"#
    );
    text.into_bytes().into_iter().chain(*b"\n").collect()
}

/// Hand-made, with keys and values written as escapes.
fn escaped(number: u64, fields: &Fields) -> Vec<u8> {
    let text = String::from_utf8(spaced(number, fields)).unwrap();
    let text = text.replace("\"sender\"", "\"\\u0073ender\"");
    text.replace("claude", "\\u0063laude")
        .replace("gem", "g\\u0065m")
        .replace('ä', "\\u00e4")
        .into_bytes()
}

/// As another program writes its conversations.
fn other_program(fields: &Fields) -> Vec<u8> {
    let (reply, ..) = &fields.links;
    let line = json!({
        "parentUuid": reply,
        "type": "user",
        "uuid": fields.id,
        "timestamp": fields.timestamp,
        "message": {"role": "gemini", "content": [{"type": "text", "text": fields.text}]},
    });
    (line.to_string() + "\n").into_bytes()
}

/// Several messages in a line.
fn conversation(fields: &Fields) -> Vec<u8> {
    let text = fields.text;
    let line = json!({"messages": [
        {"role": "claude", "content": text},
        {"role": "gemini", "content": "xx"},
    ]});
    (line.to_string() + "\n").into_bytes()
}

/// As a container's log has it.
fn prefixed(number: u64, fields: &Fields) -> Vec<u8> {
    [
        &b"2025-11-20T12:00:00.1Z stdout F "[..],
        &spaced(number, fields),
    ]
    .concat()
}

/// One of ours without its checksum, written once more by Python.
fn python(number: u64, fields: &Fields) -> Vec<u8> {
    let line = ours(number, fields);
    let mut line: Value = serde_json::from_slice(&line).unwrap();
    // Where the envelope's content was is not the same place any more.
    for exact in ["crc", "envelope", "content_at"] {
        line.as_object_mut().unwrap().remove(exact);
    }
    let text = serde_json::to_string(&line).unwrap();
    let text = text.replace("\":", "\": ").replace(",\"", ", \"");
    (text + "\n").into_bytes()
}

fn legacy(fields: &Fields, has_metadata: bool) -> Vec<u8> {
    let mut line = json!({
        "Id": fields.id,
        "Timestamp": fields.timestamp,
        "SpeakerName": fields.sender,
        "Message": content(fields).to_string(),
    });
    let metadata = json!({
        "topic": fields.topic,
        "in_reply_to": fields.links.0,
        "ace_tier": fields.tier,
        "chain_type": fields.chain,
        "shl_tags": fields.tags,
    });
    if has_metadata {
        line["Metadata"] = metadata;
    } else {
        line["Metadata"] = json!({ "topic": fields.topic });
        line["ace_tier"] = fields.tier.clone();
        line["chain_type"] = fields.chain.clone();
        line["shl_tags"] = fields.tags.clone();
    }
    (line.to_string() + "\n").into_bytes()
}

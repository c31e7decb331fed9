//! What the tests of this folder share.
#![allow(dead_code, unreachable_pub)]

pub mod json;

use std::fmt;

use message::{Frames, Record};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

pub const NOW: &str = "2025-11-20T04:30:00.123Z";

/// Writes the body of the record, without number and checksum.
pub fn body<F: AsRef<[u8]>>(frames: &[F]) -> Vec<u8> {
    let mut body = Vec::new();
    message::encode(frames, NOW, &mut body);
    body
}

/// Puts number and checksum around a body as the journal does.
pub fn line(body: &[u8]) -> Vec<u8> {
    let inner = &body[1..body.len() - 1];
    [
        b"{\"message_num\":1234567,",
        inner,
        b",\"crc\":\"00000000\"}\n",
    ]
    .concat()
}

/// Checks all that holds for every record, and returns its line.
pub fn check<F: AsRef<[u8]>>(frames: &[F]) -> Vec<u8> {
    let body = body(frames);
    let text = std::str::from_utf8(&body).expect("a body is UTF-8");
    assert!(!text.contains(['\n', '\r']), "line break in {text}");
    assert!(
        !text.contains("{\"message_num\":"),
        "record start in {text}"
    );
    serde_json::from_str::<IgnoredAny>(text).unwrap_or_else(|error| panic!("{error} in {text}"));

    let line = line(&body);
    check_keys(&line);
    let expected: Frames = frames.iter().collect();
    // What was there before must not shine through.
    let mut decoded: Frames = ["old"].iter().collect();
    message::decode_frames(&line, &mut decoded).expect("our own line decodes");
    assert_eq!(decoded, expected, "{}", String::from_utf8_lossy(&line));
    let record = Record::parse(&line).expect("our own line parses");
    assert_eq!(record.frames().expect("our own line has frames"), expected);
    assert_eq!(record.message_num, Some(1_234_567));
    serde_json::from_str::<IgnoredAny>(&record.content).expect("content is JSON");
    line
}

fn check_keys(line: &[u8]) {
    let Keys(keys) = serde_json::from_slice(line).expect("a line is an object");
    let fixed = "message_num topic sender timestamp tier chain_type shl_tags message_id content";
    assert_eq!(keys[..9].join(" "), fixed);
    assert_eq!(keys[keys.len() - 2..].join(" "), "recorded_at crc");
    let mut known = [
        "content_is",
        "envelope",
        "content_at",
        "payload",
        "topic_base64",
        "frames",
        "more",
    ]
    .iter();
    for key in &keys[9..keys.len() - 2] {
        assert!(
            known.any(|name| name == key),
            "unexpected or misplaced {key} in {keys:?}"
        );
    }
}

/// The keys of an object in their order.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

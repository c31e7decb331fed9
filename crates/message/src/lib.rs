//! The frames of a ZeroMQ message to one line of JSON, and back, byte for byte.
//!
//! [`encode()`] writes the body of a record: the fields that people filter by, the
//! content as it was sent, and whatever else the record needs so that
//! [`decode_frames`] or [`Record::frames`] can give the exact frames back.
//! [`Record::parse`] reads the fields of a line, also of lines that the older
//! Python recorder or somebody's editor wrote.
//!
//! The crate knows neither files nor sockets. Whoever stores the body puts the
//! record's number in front and its checksum at the end:
//!
//! ```
//! use message::{Frames, Record};
//!
//! let frames = ["general", r#"{"from": "gemini", "content": {"message": "Hello"}}"#];
//! let mut body = Vec::new();
//! message::encode(&frames, "2025-11-20T04:30:00.123Z", &mut body);
//!
//! let body = std::str::from_utf8(&body)?;
//! let line = format!("{{\"message_num\":1,{},\"crc\":\"00000000\"}}\n", &body[1..body.len() - 1]);
//! let record = Record::parse(line.as_bytes())?;
//! assert_eq!((&*record.topic, &*record.sender), ("general", "gemini"));
//! assert_eq!(record.content, r#"{"message": "Hello"}"#);
//! assert_eq!(record.frames()?, Frames::from_iter(frames));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a body looks like
//!
//! Always, in this order: `topic`, `sender`, `timestamp`, `tier`, `chain_type`,
//! `shl_tags`, `message_id`, `content`. Then those of the following that are
//! needed, and at last `recorded_at`.
//!
//! | field | says |
//! |---|---|
//! | `content_is` | `"text"`: `content` is a string that holds text which is no JSON; `"base64"`: it holds bytes |
//! | `envelope` | the payload, verbatim, with a `0` in place of its content |
//! | `content_at` | the offset in bytes of that `0` within the envelope |
//! | `payload` | the whole payload as a string, where it cannot stand in a line as it is |
//! | `topic_base64` | the topic's bytes, where they are no UTF-8 |
//! | `frames` | the number of frames, where it is not 2 |
//! | `more` | the frames behind the second, each a string or `{"base64":"..."}` |
//! | `origin` | the other journal that the message was recorded in first: `journal` (its identity), `name`, and `message_num` (its number there) |
//! | `acked` | `true`: the sender waited for an acknowledgement |
//! | `key_name` | the name of the key that the message's connection was opened with |
//!
//! # Guarantees
//!
//! - Any frames come back as they were: any number of them, any bytes.
//! - A body is one line of valid JSON, and `{"message_num":` occurs in it nowhere.
//! - A payload is read in one pass that does not recurse: nesting of 100,000,
//!   numbers like `1e400`, lone surrogates and equal keys are no obstacle.
//! - No input makes a function of this crate panic.

mod decode;
mod encode;
mod error;
mod escape;
mod frames;
mod legacy;
mod line;
mod links;
mod normalise;
mod outline;
mod parse;
mod record;
mod scan;
mod shapes;
mod specials;
mod tail;
mod time;

pub use crate::decode::decode_frames;
pub use crate::encode::{
    Arrival, LONGEST_JOURNAL, LONGEST_KEY_NAME, LONGEST_ORIGIN_NAME, Provenance, encode,
    encode_acked, encode_arrival, identity, longest_line, sender,
};
pub use crate::error::DecodeError;
pub use crate::escape::text;
pub use crate::frames::{Frames, Iter};
pub use crate::line::Origin;
pub use crate::links::Links;
pub use crate::outline::{Outline, Stretch, outline};
pub use crate::record::{ContentKind, OtherJournal, Record};
pub use crate::shapes::{Readable, message_ranges, object_len, readable};
pub use crate::tail::{Tail, tail};
pub use crate::time::{Timestamp, format_time};

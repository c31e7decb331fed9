//! Frames to the body of a record.

use std::borrow::Cow;
use std::ops::Range;

use crate::escape::{base64_is_shorter, push_base64, push_string, text};
use crate::normalise::{Fields, JsonPayload, TIER, UNKNOWN};
use crate::scan::{RECORD_START, has_non_finite};

/// Appends the body of the record for these frames: one JSON object on one line.
///
/// The object begins with `topic` and ends with `recorded_at`, which is the
/// recorder's clock in the form of [`format_time`](crate::format_time). It
/// contains the bytes `{"message_num":` nowhere, whatever the frames hold, so
/// that these bytes mark the start of a record beyond doubt.
///
/// Nothing is lost: [`decode_frames`](crate::decode_frames) gives the same frames back.
///
/// ```
/// let mut body = Vec::new();
/// let frames = ["general", r#"{"sender_id":"claude","content":"hi"}"#];
/// message::encode(&frames, "2025-11-20T04:30:00.123Z", &mut body);
/// assert_eq!(
///     String::from_utf8(body).unwrap(),
///     concat!(
///         r#"{"topic":"general","sender":"claude","timestamp":"2025-11-20T04:30:00.123Z","#,
///         r#""tier":"E","chain_type":"unknown","shl_tags":[],"message_id":null,"content":"hi","#,
///         r#""envelope":{"sender_id":"claude","content":0},"content_at":32,"#,
///         r#""recorded_at":"2025-11-20T04:30:00.123Z"}"#,
///     ),
/// );
/// ```
pub fn encode<F: AsRef<[u8]>>(frames: &[F], recorded_at: &str, out: &mut Vec<u8>) {
    encode_arrival(frames, Arrival::at(recorded_at), out);
}

/// How a message came to the recorder.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The recorder's clock, in the form of [`format_time`](crate::format_time).
    pub recorded_at: &'a str,
    /// Whether its sender waits for an acknowledgement.
    pub acked: bool,
    /// The name of the key that its connection was opened with, of up to
    /// [`LONGEST_KEY_NAME`] bytes: it is proven, where `sender` is only said.
    pub key_name: Option<&'a str>,
    /// The other journal that the message was recorded in first.
    pub provenance: Option<Provenance<'a>>,
}

/// Where a message was recorded first: another machine's journal. Whoever carried it
/// over says so, not who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance<'a> {
    /// That journal's identity, of up to [`LONGEST_JOURNAL`] bytes.
    pub journal: &'a str,
    /// What people call it, of up to [`LONGEST_ORIGIN_NAME`] bytes.
    pub name: &'a str,
    /// The message's number there.
    pub message_num: u64,
}

/// The longest name of a key, in bytes.
pub const LONGEST_KEY_NAME: usize = 64;
/// The longest identity of another journal, in bytes.
pub const LONGEST_JOURNAL: usize = 64;
/// The longest name of another journal, in bytes.
pub const LONGEST_ORIGIN_NAME: usize = 64;

impl<'a> Arrival<'a> {
    /// A message that came at this time, whose sender does not wait, from anybody.
    #[must_use]
    pub fn at(recorded_at: &'a str) -> Self {
        Self {
            recorded_at,
            acked: false,
            key_name: None,
            provenance: None,
        }
    }
}

/// Appends the body of the record for these frames, as [`encode`] does, with all
/// that is known of how they came.
///
/// ```
/// let arrival = message::Arrival {
///     key_name: Some("claude"),
///     ..message::Arrival::at("2025-11-20T04:30:00.123Z")
/// };
/// let mut body = Vec::new();
/// message::encode_arrival(&["general", r#"{"from":"gemini"}"#], arrival, &mut body);
/// let record = message::Record::parse(&body)?;
/// assert_eq!((&*record.sender, record.key_name.as_deref()), ("gemini", Some("claude")));
/// # Ok::<(), message::DecodeError>(())
/// ```
pub fn encode_arrival<F: AsRef<[u8]>>(frames: &[F], arrival: Arrival<'_>, out: &mut Vec<u8>) {
    push_body(frames, arrival, out);
}

/// Appends the body of the record for frames whose sender waits for an
/// acknowledgement: as [`encode`] does, with the member `acked` before
/// `recorded_at`. A reader tells by it which messages a repeated
/// [`identity`] can belong to.
///
/// ```
/// let mut body = Vec::new();
/// message::encode_acked(&["general", "{}"], "2025-11-20T04:30:00.123Z", &mut body);
/// assert!(body.ends_with(br#","acked":true,"recorded_at":"2025-11-20T04:30:00.123Z"}"#));
/// assert!(message::Record::parse(&body)?.acked);
/// # Ok::<(), message::DecodeError>(())
/// ```
pub fn encode_acked<F: AsRef<[u8]>>(frames: &[F], recorded_at: &str, out: &mut Vec<u8>) {
    let arrival = Arrival {
        acked: true,
        ..Arrival::at(recorded_at)
    };
    encode_arrival(frames, arrival, out);
}

/// Returns who sent these frames by their own word: the record's `sender`; `None`
/// where the payload does not say.
///
/// ```
/// assert_eq!(message::sender(&["t", r#"{"from": "gemini"}"#]).as_deref(), Some("gemini"));
/// assert_eq!(message::sender(&["t", "hello"]), None);
/// ```
#[must_use]
pub fn sender<F: AsRef<[u8]>>(frames: &[F]) -> Option<Cow<'_, str>> {
    let frame = |index: usize| frames.get(index).map(AsRef::as_ref);
    text(Payload::read(frame(1).or(frame(0))).fields().sender?)
}

/// Returns who sent these frames and under which name, where the payload says
/// both: the record's `sender` and `message_id`.
///
/// Neither may be empty, and `unknown` is nobody: that is what a record says of
/// a message without a sender.
///
/// ```
/// let frames = ["general", r#"{"from": "gemini", "id": "g-1"}"#];
/// let (sender, id) = message::identity(&frames).expect("both are there");
/// assert_eq!((&*sender, &*id), ("gemini", "g-1"));
/// assert_eq!(message::identity(&["general", r#"{"id": "g-1"}"#]), None);
/// ```
#[must_use]
pub fn identity<F: AsRef<[u8]>>(frames: &[F]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let frame = |index: usize| frames.get(index).map(AsRef::as_ref);
    let fields = Payload::read(frame(1).or(frame(0))).fields();
    named(text(fields.sender?)?, text(fields.message_id?)?)
}

/// Returns a sender and its name for a message, unless one of them is nobody's.
pub(crate) fn named<'a>(
    sender: Cow<'a, str>,
    id: Cow<'a, str>,
) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    let known = !sender.is_empty() && sender != UNKNOWN && !id.is_empty();
    known.then_some((sender, id))
}

fn push_body<F: AsRef<[u8]>>(frames: &[F], arrival: Arrival<'_>, out: &mut Vec<u8>) {
    const FIELDS: usize = 512;
    let Arrival {
        recorded_at,
        acked,
        key_name,
        provenance,
    } = arrival;
    let frame = |index: usize| frames.get(index).map(AsRef::as_ref);
    let topic = frame(0).unwrap_or_default();
    let payload = Payload::read(frame(1).or(frame(0)));
    out.reserve(frame(1).unwrap_or_default().len() + topic.len() + FIELDS);

    let is_text = push_topic(topic, out);
    push_fields(&payload.fields(), recorded_at, out);
    push_content(&payload, frames.len() > 1, out);
    if !is_text {
        out.extend_from_slice(b",\"topic_base64\":");
        push_base64(topic, out);
    }
    if frames.len() != 2 {
        push_number(",\"frames\":", frames.len() as u64, out);
    }
    if let Some(more @ [_, ..]) = frames.get(2..) {
        push_more(more, out);
    }
    if let Some(provenance) = provenance {
        push_provenance(provenance, out);
    }
    if acked {
        out.extend_from_slice(b",\"acked\":true");
    }
    if let Some(name) = key_name {
        out.extend_from_slice(b",\"key_name\":");
        push_string(name, out);
    }
    out.extend_from_slice(b",\"recorded_at\":");
    push_string(recorded_at, out);
    out.push(b'}');
}

/// Returns how many bytes the line takes at most that is made of `bytes` bytes
/// in `frames` frames, the journal's own members included.
///
/// The longest one is of a single frame that is no text and full of control
/// characters: it stands in the line as the topic, in which they take six bytes
/// each, once more in base64 because that is not exact, and as the content.
/// Frames behind the second cost up to 18 bytes each, however short they are.
#[must_use]
pub const fn longest_line(bytes: u64, frames: u64) -> u64 {
    const ESCAPED: u64 = 6;
    /// Around a frame and what rounding up to whole groups of base64 takes.
    const FRAME: u64 = 20;
    /// Names of a key, a journal and its identity.
    const NAMES: u64 = (LONGEST_KEY_NAME + LONGEST_JOURNAL + LONGEST_ORIGIN_NAME) as u64;
    /// Keys, numbers, two times and the checksum, besides.
    const FIXED: u64 = 1024 + ESCAPED * NAMES;
    let base64 = bytes.div_ceil(3).saturating_mul(4);
    bytes
        .saturating_mul(ESCAPED)
        .saturating_add(base64.saturating_mul(2))
        .saturating_add(frames.saturating_mul(FRAME))
        .saturating_add(FIXED)
}

/// The frame that the fields and the content come from, as far as it can be understood.
enum Payload<'a> {
    Missing,
    Json(JsonPayload<'a>),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Payload<'a> {
    fn read(frame: Option<&'a [u8]>) -> Self {
        let Some(bytes) = frame else {
            return Self::Missing;
        };
        let Ok(text) = simdutf8::basic::from_utf8(bytes) else {
            return Self::Bytes(bytes);
        };
        match JsonPayload::read(text) {
            Ok(json) => Self::Json(json),
            Err(_) if base64_is_shorter(text) => Self::Bytes(bytes),
            Err(_) => Self::Text(text),
        }
    }

    fn fields(&self) -> Fields<'a> {
        match self {
            Self::Json(json) => json.fields,
            _ => Fields::default(),
        }
    }
}

/// Returns whether the topic is text, so that nothing of it was lost.
fn push_topic(topic: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(b"{\"topic\":");
    let text = std::str::from_utf8(topic);
    match text {
        Ok(text) => push_string(text, out),
        Err(_) => push_string(&String::from_utf8_lossy(topic), out),
    }
    text.is_ok()
}

fn push_fields(fields: &Fields<'_>, recorded_at: &str, out: &mut Vec<u8>) {
    push_or_default(",\"sender\":", fields.sender, UNKNOWN, out);
    push_or_default(",\"timestamp\":", fields.timestamp, recorded_at, out);
    push_or_default(",\"tier\":", fields.tier, TIER, out);
    push_or_default(",\"chain_type\":", fields.chain_type, UNKNOWN, out);
    out.extend_from_slice(b",\"shl_tags\":");
    push_without_breaks(fields.shl_tags.unwrap_or("[]"), out);
    out.extend_from_slice(b",\"message_id\":");
    out.extend_from_slice(fields.message_id.unwrap_or("null").as_bytes());
}

fn push_or_default(key: &str, token: Option<&str>, default: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    match token {
        Some(token) => out.extend_from_slice(token.as_bytes()),
        None => push_string(default, out),
    }
}

/// Writes `content` and, where asked for, the fields that make the payload exact again.
fn push_content(payload: &Payload<'_>, exact: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"content\":");
    match payload {
        Payload::Missing => out.extend_from_slice(b"null"),
        Payload::Json(json) => push_json(json, exact, out),
        Payload::Text(text) => {
            push_string(text, out);
            out.extend_from_slice(b",\"content_is\":\"text\"");
        }
        Payload::Bytes(bytes) => {
            push_base64(bytes, out);
            out.extend_from_slice(b",\"content_is\":\"base64\"");
        }
    }
}

fn push_json(json: &JsonPayload<'_>, exact: bool, out: &mut Vec<u8>) {
    let content = json.content.as_ref().unwrap_or(&json.value);
    let value = json.text.get(content.clone()).unwrap_or_default();
    if json.is_embeddable() {
        out.extend_from_slice(value.as_bytes());
        if exact && json.content.is_some() {
            push_envelope(json.text, content, out);
        }
        return;
    }
    if json.marks.non_finite && has_non_finite(value) {
        push_string(value, out);
        out.extend_from_slice(b",\"content_is\":\"text\"");
    } else {
        push_on_one_line(value, out);
    }
    if exact {
        out.extend_from_slice(b",\"payload\":");
        push_string(json.text, out);
    }
}

/// Writes the payload with a 0 where the content stood.
fn push_envelope(payload: &str, content: &Range<usize>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"envelope\":");
    out.extend_from_slice(payload.get(..content.start).unwrap_or_default().as_bytes());
    out.push(b'0');
    out.extend_from_slice(payload.get(content.end..).unwrap_or_default().as_bytes());
    push_number(",\"content_at\":", content.start as u64, out);
}

/// Appends a JSON value so that it breaks no line and starts no record.
///
/// Only whitespace between tokens changes: line breaks become spaces, and a
/// space comes between a brace and a first key `message_num`.
pub(crate) fn push_on_one_line(value: &str, out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some((plain, tail)) = rest.split_once(RECORD_START) {
        push_without_breaks(plain, out);
        out.extend_from_slice(b"{ ");
        out.extend_from_slice(&RECORD_START.as_bytes()[1..]);
        rest = tail;
    }
    push_without_breaks(rest, out);
}

fn push_without_breaks(value: &str, out: &mut Vec<u8>) {
    if memchr::memchr2(b'\n', b'\r', value.as_bytes()).is_none() {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    out.extend(value.bytes().map(|byte| {
        if matches!(byte, b'\n' | b'\r') {
            b' '
        } else {
            byte
        }
    }));
}

/// Writes the frames behind the second one.
fn push_more<F: AsRef<[u8]>>(more: &[F], out: &mut Vec<u8>) {
    let mut before = b",\"more\":[".as_slice();
    for frame in more {
        out.extend_from_slice(before);
        before = b",";
        match std::str::from_utf8(frame.as_ref()) {
            Ok(text) if !base64_is_shorter(text) => push_string(text, out),
            _ => {
                out.extend_from_slice(b"{\"base64\":");
                push_base64(frame.as_ref(), out);
                out.push(b'}');
            }
        }
    }
    out.push(b']');
}

fn push_provenance(provenance: Provenance<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"origin\":{\"journal\":");
    push_string(provenance.journal, out);
    out.extend_from_slice(b",\"name\":");
    push_string(provenance.name, out);
    push_number(",\"message_num\":", provenance.message_num, out);
    out.push(b'}');
}

fn push_number(key: &str, number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

//! A message within a line that only carries it: a container's log, a stream's
//! export. What it says counts; what it does not say is taken from the line.

use std::borrow::Cow;

use super::Other;
use crate::escape::{decode_base64, push_string, text};
use crate::record::Record;

/// What a JSON string holds.
pub(super) enum Inner {
    /// An object.
    Message(String),
    /// A text that stands there in base64.
    Text(String),
}

/// Returns what a string holds as JSON, or in base64; `None` where it is nothing
/// but the text itself.
pub(super) fn inner_of(token: &str) -> Option<Inner> {
    let text = text(token)?;
    let is_object = |text: &str| text.trim_start().starts_with('{');
    if is_object(&text) {
        return Some(Inner::Message(text.trim().to_owned()));
    }
    let mut bytes = Vec::new();
    decode_base64(text.trim(), &mut bytes).ok()?;
    let decoded = String::from_utf8(bytes).ok()?;
    // A short word may pass for base64 of something.
    let is_text =
        !decoded.is_empty() && !decoded.contains(|c: char| c.is_control() && !c.is_whitespace());
    match is_object(&decoded) {
        true => Some(Inner::Message(decoded.trim().to_owned())),
        false => is_text.then_some(Inner::Text(decoded)),
    }
}

/// Takes what is in the line.
pub(super) fn put(inner: &Inner, other: &mut Other<'_>) {
    match inner {
        Inner::Message(inner) => put_message(inner, other),
        Inner::Text(text) => {
            let mut quoted = Vec::new();
            push_string(text, &mut quoted);
            other.content = Some(Cow::Owned(String::from_utf8_lossy(&quoted).into_owned()));
        }
    }
}

/// Takes what the message says.
fn put_message(inner: &str, other: &mut Other<'_>) {
    let Ok(record) = Record::parse(inner.as_bytes()) else {
        return;
    };
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    let known = |text: &str| text != crate::normalise::UNKNOWN && !text.is_empty();
    if known(&record.sender) {
        other.sender = Some(owned(record.sender.clone()));
    }
    if known(&record.topic) {
        other.topic = Some(owned(record.topic.clone()));
    }
    if known(&record.timestamp) {
        other.timestamp = Some(owned(record.timestamp.clone()));
    }
    if let Some(id) = &record.message_id {
        other.id = Some(owned(id.clone()));
    }
    let links = record.links();
    other.links.in_reply_to = links
        .in_reply_to
        .map(owned)
        .or(other.links.in_reply_to.take());
    other.links.context_id = links
        .context_id
        .map(owned)
        .or(other.links.context_id.take());
    other.content = Some(owned(record.content.clone()));
}

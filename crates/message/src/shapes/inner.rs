//! A message within a line that only carries it: a container's log, a stream's
//! export. What it says counts; what it does not say is taken from the line.

use std::borrow::Cow;

use super::Other;
use crate::escape::{decode_base64, text};
use crate::record::Record;

/// Returns the text of an object that a JSON string holds, as it is or in base64.
pub(super) fn text_of(token: &str) -> Option<String> {
    let text = text(token)?;
    let is_object = |text: &str| text.trim_start().starts_with('{');
    if is_object(&text) {
        return Some(text.trim().to_owned());
    }
    let mut bytes = Vec::new();
    decode_base64(text.trim(), &mut bytes).ok()?;
    let decoded = String::from_utf8(bytes).ok()?;
    is_object(&decoded).then(|| decoded.trim().to_owned())
}

/// Takes what the message says.
pub(super) fn put(inner: &str, other: &mut Other<'_>) {
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
    other.links.in_reply_to = links.in_reply_to.map(owned).or(other.links.in_reply_to.take());
    other.links.context_id = links.context_id.map(owned).or(other.links.context_id.take());
    other.content = Some(owned(record.content.clone()));
}

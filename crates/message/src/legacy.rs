//! Lines of the older Python recorder.

use std::borrow::Cow;

use crate::encode::push_on_one_line;
use crate::escape::{push_string, text};
use crate::line::Line;
use crate::normalise::{Fields, JsonPayload, TIER, UNKNOWN, string, tags};
use crate::scan::has_non_finite;

/// Chooses the fields of a legacy line.
pub(crate) fn fields<'a>(line: &Line<'a>) -> Fields<'a> {
    let (legacy, metadata) = (&line.legacy, &line.legacy.metadata);
    Fields {
        sender: string(&[legacy.speaker_name]),
        timestamp: string(&[legacy.timestamp]),
        tier: string(&[metadata.ace_tier, legacy.ace_tier]),
        chain_type: string(&[metadata.chain_type, line.chain_type]),
        shl_tags: tags(&[metadata.shl_tags, line.shl_tags]),
        message_id: string(&[metadata.zmq_message_id, legacy.id]),
    }
}

/// Returns the topic of a legacy line; without one it is empty.
pub(crate) fn topic<'a>(line: &Line<'a>) -> Cow<'a, str> {
    string(&[line.legacy.metadata.topic, line.topic])
        .and_then(text)
        .unwrap_or_default()
}

/// Returns the JSON inside `Message`, or the message itself as a JSON string.
pub(crate) fn content<'a>(line: &Line<'a>) -> Cow<'a, str> {
    let Some(token) = line.legacy.message else {
        return Cow::Borrowed("null");
    };
    let Some(text) = text(token) else {
        return finite(token);
    };
    match JsonPayload::read(&text) {
        Ok(json) if !json.marks.non_finite => {
            Cow::Owned(on_one_line(text.get(json.value).unwrap_or_default()))
        }
        _ => Cow::Borrowed(token),
    }
}

/// Quotes a value that holds a token which JSON does not have.
pub(crate) fn finite(value: &str) -> Cow<'_, str> {
    if !has_non_finite(value) {
        return Cow::Borrowed(value);
    }
    let mut quoted = Vec::with_capacity(value.len() + 2);
    push_string(value, &mut quoted);
    Cow::Owned(String::from_utf8_lossy(&quoted).into_owned())
}

fn on_one_line(value: &str) -> String {
    let mut line = Vec::with_capacity(value.len());
    push_on_one_line(value, &mut line);
    String::from_utf8_lossy(&line).into_owned()
}

/// Rebuilds the topic and the payload in the agents' wire format.
pub(crate) fn frames(line: &Line<'_>) -> [String; 2] {
    [topic(line).into(), payload(line)]
}

fn payload(line: &Line<'_>) -> String {
    let fields = fields(line);
    let unknown = &format!("\"{UNKNOWN}\"");
    let mut payload = format!(
        "{{\"sender_id\":{},\"message_id\":{},\"timestamp\":{}",
        fields.sender.unwrap_or(unknown),
        fields.message_id.unwrap_or("null"),
        fields.timestamp.unwrap_or("null"),
    );
    if let Some(context) = string(&[line.legacy.context_id]) {
        payload += ",\"context_id\":";
        payload += context;
    }
    payload += ",\"content\":";
    payload += &content(line);
    payload += ",\"metadata\":{";
    if let Some(role) = string(&[line.legacy.speaker_role]) {
        payload += "\"sender_role\":";
        payload += role;
        payload += ",";
    }
    payload += "\"ace_tier\":";
    payload += fields.tier.unwrap_or(&format!("\"{TIER}\""));
    payload += ",\"chain_type\":";
    payload += fields.chain_type.unwrap_or(unknown);
    payload += ",\"shl_tags\":";
    payload += fields.shl_tags.unwrap_or("[]");
    payload += "}}";
    payload
}

#[cfg(test)]
mod tests;

//! A message within a line that only carries it: a container's log, a stream's
//! export, an entry of the system's journal. What it says counts; what it does not
//! say is taken from the line.

use std::borrow::Cow;

use super::ready::{Look, Ready};
use super::{Other, first};
use crate::escape::{decode_base64, push_string, text};
use crate::line::Origin;
use crate::record::Record;

/// A message within a message within a line is looked at no deeper.
const DEEPEST: usize = 8;

/// What stands in a line.
enum Inner<'a> {
    /// An object.
    Message(Cow<'a, str>),
    /// A text that stands there otherwise.
    Text(String),
}

/// Takes what the line carries, if it carries something.
pub(super) fn put(look: &Look<'_, '_>, shape: &Ready, depth: usize, other: &mut Other<'_>) {
    if depth == DEEPEST {
        return;
    }
    let certain =
        first(look, &shape.inner, of_text).or_else(|| first(look, &shape.base64, of_base64));
    match certain {
        Some(Inner::Message(message)) => {
            if let Ok(record) = Record::parse_within(message.as_bytes(), depth + 1) {
                put_message(&record, other);
            }
        }
        Some(Inner::Text(text)) => {
            let mut quoted = Vec::new();
            push_string(&text, &mut quoted);
            other.content = Some(Cow::Owned(String::from_utf8_lossy(&quoted).into_owned()));
        }
        None => put_carried(look, shape, depth, other),
    }
}

/// Takes the first that is a message for certain.
fn put_carried(look: &Look<'_, '_>, shape: &Ready, depth: usize, other: &mut Other<'_>) {
    for place in &shape.carried {
        let Some(token) = look.find(place) else {
            continue;
        };
        let Some(Inner::Message(message)) = object(token).or_else(|| of_text(token)) else {
            continue;
        };
        if let Ok(record) = Record::parse_within(message.as_bytes(), depth + 1)
            && is_message(&record, token.starts_with('{'))
        {
            put_message(&record, other);
            return;
        }
    }
}

/// Tells whether this is a message by itself. An object may be a part of the line that
/// it stands in, and has to be a journal's line.
fn is_message(record: &Record<'_>, is_object: bool) -> bool {
    let is_recorded = record.origin != Origin::Other || record.message_num.is_some();
    is_recorded || (!is_object && is_known(&record.sender))
}

/// What a string holds as JSON, or an array as the numbers of its bytes; `None` where
/// it is nothing but the text.
fn of_text(token: &str) -> Option<Inner<'_>> {
    if !token.starts_with('[') {
        return object_in(&text(token)?);
    }
    let bytes = crate::scan::elements(token).map(str::parse);
    let bytes: Vec<u8> = bytes.collect::<Result<_, _>>().ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    object_in(&text).or((!text.is_empty()).then_some(Inner::Text(text)))
}

fn object(token: &str) -> Option<Inner<'_>> {
    let is_object = token.starts_with('{');
    is_object.then_some(Inner::Message(Cow::Borrowed(token)))
}

/// As [`of_text`], also where it stands in base64.
fn of_base64(token: &str) -> Option<Inner<'_>> {
    if let Some(inner) = object(token).or_else(|| of_text(token)) {
        return Some(inner);
    }
    let text = text(token)?;
    let mut bytes = Vec::new();
    decode_base64(text.trim(), &mut bytes).ok()?;
    let decoded = String::from_utf8(bytes).ok()?;
    // A short word may pass for base64 of something.
    let is_text =
        !decoded.is_empty() && !decoded.contains(|c: char| c.is_control() && !c.is_whitespace());
    object_in(&decoded).or(is_text.then_some(Inner::Text(decoded)))
}

fn object_in(text: &str) -> Option<Inner<'static>> {
    let text = text.trim();
    let is_object = super::object_len(text) == Some(text.len());
    is_object.then(|| Inner::Message(Cow::Owned(text.to_owned())))
}

fn is_known(text: &str) -> bool {
    text != crate::normalise::UNKNOWN && !text.is_empty()
}

/// Takes what the message says.
fn put_message(record: &Record<'_>, other: &mut Other<'_>) {
    fn owned<'a>(text: &str) -> Cow<'a, str> {
        Cow::Owned(text.to_owned())
    }
    let known = |text: &Cow<'_, str>| is_known(text).then(|| owned(text));
    let links = record.links();
    let tags = record.shl_tags.iter().map(|tag| owned(tag));
    let fields = [
        (&mut other.sender, known(&record.sender)),
        (&mut other.topic, known(&record.topic)),
        (&mut other.timestamp, known(&record.timestamp)),
        (&mut other.chain_type, known(&record.chain_type)),
        (&mut other.id, record.message_id.as_deref().map(owned)),
        (
            &mut other.links.in_reply_to,
            links.in_reply_to.as_deref().map(owned),
        ),
        (
            &mut other.links.context_id,
            links.context_id.as_deref().map(owned),
        ),
    ];
    for (field, said) in fields {
        *field = said.or(field.take());
    }
    if record.tier != crate::normalise::TIER {
        other.tier = Some(owned(&record.tier));
    }
    if !record.shl_tags.is_empty() {
        other.shl_tags = tags.collect();
    }
    other.content = Some(owned(&record.content));
}

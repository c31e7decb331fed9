//! Lines of logs, tables and other texts, of which JSON is a part at most.
//!
//! Each is a message of its own, so that it is shown and found. Where a line ends with
//! a message as JSON, that is the message, and its time is the line's if it has none.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::sync::LazyLock;

use regex::Regex;

use super::lines;

/// What a journal's own lines begin with. Whatever else stands in a journal is damage.
const OWN: &[u8] = b"{\"message_num\":";
/// A message is looked for behind so many braces of a line at most.
const TRIES: usize = 16;
/// So far into a line its time is looked for.
const FRONT: usize = 120;

static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let time = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?";
    Regex::new(time).ok()
});

/// Tells whether a file begins with lines of text, and is no journal.
pub(super) fn is_one(text: &[u8]) -> bool {
    let mut first = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = first.find(|line| !line.is_empty()).unwrap_or_default();
    is_text(first)
        && memchr::memmem::find(text, OWN).is_none()
        && !text.iter().any(|byte| lines::is_odd(*byte))
        && std::str::from_utf8(lines::whole(text)).is_ok()
}

/// Tells whether a line is one of text. What ends as an object does, and holds none, is
/// the torn end of one.
pub(super) fn is_text(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    match look(line) {
        Found::AsItIs => false,
        Found::Text => !line.ends_with('}') || !line.contains("\":"),
        Found::Message(_) | Found::Value => true,
    }
}

/// Writes lines as messages, but for those that are JSON, or may have been.
pub(super) fn write(input: impl Read, out: &mut dyn Write) -> io::Result<()> {
    lines::for_each(input, |whole| {
        let line = whole.trim_ascii_end();
        if line.is_empty() {
            return Ok(());
        }
        out.write_all(&message(line))?;
        out.write_all(b"\n")
    })
}

/// Returns a line as a message.
pub(super) fn message(line: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(line) else {
        return Cow::Borrowed(line);
    };
    let made = match look(text) {
        Found::AsItIs => return Cow::Borrowed(line),
        Found::Message(json) => match time_of(text) {
            Some(time) if has_no_time(json) => with_time(json, &time),
            _ => return Cow::Borrowed(json.as_bytes()),
        },
        Found::Value => format!("{{\"content\":{text}}}"),
        Found::Text => match time_of(text) {
            Some(time) => serde_json::json!({"timestamp": time, "content": text}).to_string(),
            None => serde_json::json!({"content": text}).to_string(),
        },
    };
    Cow::Owned(made.into_bytes())
}

/// What a line is.
enum Found<'a> {
    /// Lines of JSON, whole or torn, one message or several.
    AsItIs,
    /// A message, with something in front of it.
    Message(&'a str),
    /// JSON that is no object.
    Value,
    Text,
}

fn look(line: &str) -> Found<'_> {
    let line = line.trim();
    match line.as_bytes().first() {
        None | Some(b'{') => return Found::AsItIs,
        Some(b'[') if lines::is_list(line.as_bytes()) => return Found::AsItIs,
        _ if serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok() => return Found::Value,
        _ => {}
    }
    for (at, _) in line.match_indices('{').take(TRIES) {
        let rest = line.get(at..).unwrap_or_default();
        let Some(length) = message::object_len(rest) else {
            continue;
        };
        let (json, behind) = rest.split_at(length);
        if behind.trim_start().starts_with('{')
            && message::object_len(behind.trim_start()).is_some()
        {
            return Found::AsItIs;
        }
        return match is_message(json) {
            true => Found::Message(json),
            false => Found::Text,
        };
    }
    Found::Text
}

/// Tells whether an object says more than what some log has noted beside its text.
fn is_message(json: &str) -> bool {
    let record = message::Record::parse(json.as_bytes());
    record.is_ok_and(|record| {
        record.sender != "unknown"
            || !record.topic.is_empty()
            || record.message_num.is_some()
            || record.content != json
            || !message::message_ranges(json.as_bytes()).is_empty()
    })
}

fn has_no_time(json: &str) -> bool {
    let record = message::Record::parse_fields(json.as_bytes());
    record.is_ok_and(|record| record.timestamp.is_empty())
        && message::message_ranges(json.as_bytes()).is_empty()
}

/// Puts a time behind the members of an object.
fn with_time(json: &str, time: &str) -> String {
    let members = json.strip_suffix('}').unwrap_or(json).trim_end();
    let comma = if members.ends_with('{') { "" } else { "," };
    format!("{members}{comma}\"timestamp\":\"{time}\"}}")
}

/// Returns the time in the front of a line.
fn time_of(line: &str) -> Option<String> {
    let end = line.len().min(FRONT);
    let end = (0..=end).rev().find(|end| line.is_char_boundary(*end))?;
    let front = line.get(..end)?;
    let found = TIME.as_ref()?.find(front)?;
    let is_whole = !front.get(..found.start())?.contains('{');
    is_whole.then(|| found.as_str().replace('/', "-").replace(',', "."))
}

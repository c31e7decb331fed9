//! Several messages in one line, and objects in a text.

use std::ops::Range;

use super::path::member;
use crate::scan::{Scanner, elements};

/// Arrays of messages: keys from the outside to the inside, of objects, or of all
/// objects in an array.
const LISTS: [&[&str]; 13] = [
    &["messages"],
    &["chatMessages"],
    &["history"],
    &["turns"],
    &["items"],
    &["body", "messages"],
    &["conversations"],
    &["conversation"],
    &["chat_history"],
    &["chat_messages"],
    &["resourceLogs", "scopeLogs", "logRecords"],
    &["resourceSpans", "scopeSpans", "spans"],
    &["resourceSpans", "instrumentationLibrarySpans", "spans"],
];
/// A member with messages by the names of their nodes.
const TREE: &str = "mapping";
/// A line with one of these is a message itself, which only quotes others.
const OWN: [&str; 5] = ["response", "content", "choices", "sender", "MESSAGE"];
/// What a message in a list has, at least one of it.
const MARKS: [&str; 10] = [
    "human",
    "role",
    "from",
    "type",
    "author",
    "source",
    "sender",
    "info",
    "spanId",
    "timeUnixNano",
];

/// Tells whether a member of this name may be a list of messages.
pub(crate) fn is_list(key: &str) -> bool {
    key == TREE || LISTS.iter().any(|path| path.first() == Some(&key))
}

/// Returns where in a line its messages stand, if it holds a list of them: the
/// whole of a conversation, as OpenAI's or ShareGPT's files have it.
///
/// ```
/// let line = br#"{"messages": [{"role": "user", "content": "hi"}]}"#;
/// let ranges = message::message_ranges(line);
/// assert_eq!(&line[ranges[0].clone()], br#"{"role": "user", "content": "hi"}"#);
/// assert!(message::message_ranges(br#"{"sender": "me", "content": "hi"}"#).is_empty());
/// ```
#[must_use]
pub fn message_ranges(line: &[u8]) -> Vec<Range<usize>> {
    let has_list = LISTS.iter().any(|path| {
        let key = path.first().map_or(&b""[..], |key| key.as_bytes());
        memchr::memmem::find(line, key).is_some()
    });
    let has_list = has_list || memchr::memmem::find(line, TREE.as_bytes()).is_some();
    let Some(line) = has_list.then(|| std::str::from_utf8(line).ok()).flatten() else {
        return Vec::new();
    };
    let object = line.trim();
    if OWN.iter().any(|key| member(object, key).is_some()) {
        return Vec::new();
    }
    let found = LISTS.iter().find_map(|path| {
        let mut found = Vec::new();
        collect(object, path, &mut found);
        (!found.is_empty()).then_some(found)
    });
    let found = found.unwrap_or_else(|| of_tree(object));
    let is_message = |element: &&str| MARKS.iter().any(|key| member(element, key).is_some());
    if !found.iter().all(is_message) {
        return Vec::new();
    }
    let start = |element: &str| element.as_ptr() as usize - line.as_ptr() as usize;
    let ranges = found.into_iter().map(|element| {
        let start = start(element);
        start..start + element.len()
    });
    ranges.collect()
}

/// Takes the messages of a tree of nodes by their names, as ChatGPT's export has them.
fn of_tree(object: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let nodes = member(object, TREE).unwrap_or("null");
    let read = Scanner::new(nodes).members(|_, node| {
        let message = member(node, "message").filter(|message| message.starts_with('{'));
        found.extend(message);
    });
    match read {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

/// Goes along the keys, and takes the elements of the last array.
fn collect<'a>(object: &'a str, path: &[&str], found: &mut Vec<&'a str>) {
    let Some((key, rest)) = path.split_first() else {
        found.push(object);
        return;
    };
    let Some(value) = member(object, key) else {
        return;
    };
    if value.starts_with('{') && !rest.is_empty() {
        collect(value, rest, found);
    }
    for element in elements(value) {
        collect(element, rest, found);
    }
}

/// Returns how long the JSON object is that a text begins with, also one with
/// `NaN` or `Infinity` in it; `None` where the text begins with no whole object.
///
/// ```
/// assert_eq!(message::object_len(r#"{"a": NaN}{"b": 2}"#), Some(10));
/// assert_eq!(message::object_len(r#"{"a": "#), None);
/// ```
#[must_use]
pub fn object_len(text: &str) -> Option<usize> {
    if !text.starts_with('{') {
        return None;
    }
    let mut scanner = Scanner::new(text);
    scanner.value_range().ok().map(|range| range.end)
}

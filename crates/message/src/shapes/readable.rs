//! What a person reads of a content: text, and what else there is in words.
//!
//! Programs that talk with models write a content as a list of parts: texts, calls
//! of tools and their results, what the model thought, and pictures.

mod part;

use std::borrow::Cow;

use super::path::member;
use crate::escape::text;
use crate::scan::{Scanner, elements};
use part::part;

/// Parts within parts are looked at no deeper.
const DEEPEST: usize = 8;

/// The text of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable<'a> {
    /// What a person reads.
    pub text: Cow<'a, str>,
    /// Whether there is nothing in the content besides.
    pub is_all: bool,
}

/// Members in which agents say what they have to say; the first counts.
const SAID: [&str; 13] = [
    "message", "text", "content", "msg", "parts", "output", "task", "value", "body", "result",
    "display", "data", "event",
];
/// Members with what was thought before it was said.
const THOUGHTS: [&str; 4] = ["reasoning_content", "reasoning", "thinking", "thoughts"];
/// Members with calls of tools that follow what was said.
const CALLS: [&str; 4] = ["tool_calls", "toolCalls", "toolRequests", "function_call"];
/// Members that only say what is around the text.
const AROUND: [&str; 14] = [
    "role",
    "type",
    "name",
    "id",
    "timestamp",
    "annotations",
    "refusal",
    "index",
    "citations",
    "cache_control",
    "signature",
    "status",
    "content_type",
    "language",
];

/// Returns what a person reads of a content's JSON; `None` where it has no text.
///
/// A text is that text. Of a list of parts each has a paragraph. Of an object it is
/// the member in which agents say what they have to say.
///
/// ```
/// let parts = r#"[{"type":"text","text":"Look:"},{"type":"tool_use","name":"ls","input":{}}]"#;
/// let readable = message::readable(parts).expect("it has text");
/// assert_eq!(readable.text, "Look:\n\n[tool call] ls {}");
/// assert!(readable.is_all);
/// assert_eq!(message::readable(r#"{"a":1}"#), None);
/// ```
#[must_use]
pub fn readable(json: &str) -> Option<Readable<'_>> {
    let all = |text| Readable { text, is_all: true };
    match json.as_bytes().first()? {
        b'"' => text(json).map(all),
        b'[' => list(json, 0).map(|text| all(Cow::Owned(text))),
        b'{' => object(json, 0),
        _ => None,
    }
}

/// Returns the text of a value of any kind, or its JSON.
fn value(json: &str, depth: usize) -> Cow<'_, str> {
    let found = match json.as_bytes().first() {
        _ if depth >= DEEPEST => None,
        Some(b'"') => text(json),
        Some(b'[') => list(json, depth).map(Cow::Owned),
        Some(b'{') => object(json, depth).map(|found| found.text),
        _ => None,
    };
    found.unwrap_or(Cow::Borrowed(json))
}

/// Returns the parts of a list, if at least one of them is known for one.
fn list(json: &str, depth: usize) -> Option<String> {
    let mut paragraphs = Vec::new();
    let mut is_known = false;
    for element in elements(json) {
        let part = match element.as_bytes().first() {
            Some(b'{') if depth < DEEPEST => object(element, depth + 1).map(|found| found.text),
            Some(b'[') if depth < DEEPEST => list(element, depth + 1).map(Cow::Owned),
            Some(b'"') => text(element),
            _ => None,
        };
        is_known |= part.is_some();
        let part = part.unwrap_or(Cow::Borrowed(element));
        if !part.trim().is_empty() {
            paragraphs.push(part);
        }
    }
    is_known.then(|| paragraphs.join("\n\n"))
}

fn object(json: &str, depth: usize) -> Option<Readable<'_>> {
    if depth >= DEEPEST {
        return None;
    }
    let whole = part(json, depth)
        .or_else(|| talk(json, depth))
        .or_else(|| rpc(json));
    if let Some(text) = whole {
        return Some(Readable {
            text: Cow::Owned(text),
            is_all: true,
        });
    }
    let said = SAID.iter().find_map(|key| {
        let said = member(json, key)?;
        let text = match said.as_bytes().first()? {
            b'"' => text(said).filter(|text| !text.is_empty()),
            b'[' if depth + 1 < DEEPEST => list(said, depth + 1).map(Cow::Owned),
            b'{' => object(said, depth + 1).map(|found| found.text),
            _ => None,
        };
        Some((*key, text?))
    });
    let thoughts = THOUGHTS
        .iter()
        .filter_map(|key| thought(member(json, key)?, depth));
    let calls = CALLS.iter().filter_map(|key| {
        let calls = member(json, key)?;
        match calls.as_bytes().first()? {
            b'[' => list(calls, depth + 1),
            b'{' => part::call(calls, depth + 1),
            _ => None,
        }
    });
    let key = said.as_ref().map(|(key, _)| *key);
    let mut paragraphs: Vec<Cow<'_, str>> = thoughts.map(Cow::Owned).collect();
    paragraphs.extend(said.map(|(_, text)| text));
    paragraphs.extend(calls.filter(|calls| !calls.is_empty()).map(Cow::Owned));
    let text = match paragraphs.len() {
        0 => return None,
        1 => paragraphs.remove(0),
        _ => Cow::Owned(paragraphs.join("\n\n")),
    };
    let is_around = |other: &str| {
        Some(other) == key
            || AROUND.contains(&other)
            || CALLS.contains(&other)
            || THOUGHTS.contains(&other)
    };
    Some(Readable {
        text,
        is_all: has_only(json, key, &is_around),
    })
}

/// Returns what was thought.
fn thought(json: &str, depth: usize) -> Option<String> {
    let thought = match json.as_bytes().first()? {
        b'"' => text(json)?,
        b'[' => {
            let thoughts = elements(json).map(|thought| part::summary(thought, depth));
            Cow::Owned(thoughts.collect::<Vec<_>>().join("\n"))
        }
        b'{' => value(json, depth + 1),
        _ => return None,
    };
    (!thought.trim().is_empty()).then(|| format!("[thinking] {thought}"))
}

/// Tells whether an object has no other members than these. What a person writes
/// by hand as `{"message": ..., "name": ...}` is meant to be seen as it is.
fn has_only(json: &str, key: Option<&str>, is_expected: &dyn Fn(&str) -> bool) -> bool {
    let mut count = 0;
    let mut is_only = true;
    let mut is_made = member(json, "role").is_some() || member(json, "content_type").is_some();
    let read = Scanner::new(json).members(|other, value| {
        count += 1;
        let is_nothing = key != Some(other) && super::said(value).is_none();
        is_only &= is_nothing || is_expected(other);
        is_made |= THOUGHTS.contains(&other) || CALLS.contains(&other);
    });
    read.is_ok() && is_only && (count == 1 || is_made)
}

/// Returns a conversation that a message quotes: who said what, and the answer.
fn talk(json: &str, depth: usize) -> Option<String> {
    let messages = member(json, "messages").filter(|list| list.starts_with("[{"))?;
    let mut paragraphs: Vec<String> = elements(messages)
        .map(|element| match member(element, "role").and_then(text) {
            Some(role) => {
                let said = member(element, "content").unwrap_or("null");
                format!("{role}: {}", value(said, depth + 1))
            }
            None => value(element, depth + 1).into_owned(),
        })
        .collect();
    paragraphs.extend(member(json, "response").map(|answer| value(answer, depth + 1).into_owned()));
    Some(paragraphs.join("\n\n"))
}

/// Returns a request or an answer of JSON-RPC.
fn rpc(json: &str) -> Option<String> {
    member(json, "jsonrpc")?;
    let method = member(json, "method").and_then(text);
    let params = member(json, "params")
        .or(member(json, "result"))
        .or(member(json, "error"));
    let params = params.unwrap_or_default();
    let named = member(params, "name").and_then(text);
    Some(match (method, named) {
        (Some(method), Some(name)) => {
            format!(
                "{method} {name} {}",
                member(params, "arguments").unwrap_or(params)
            )
        }
        (Some(method), None) => format!("{method} {params}").trim_end().to_owned(),
        (None, _) => value(params, 0).into_owned(),
    })
}

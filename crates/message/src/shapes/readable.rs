//! What a person reads of a content: text, and what else there is in words.
//!
//! Programs that talk with models write a content as a list of parts: texts, calls
//! of tools and their results, what the model thought, and pictures.

use std::borrow::Cow;

use super::path::member;
use crate::escape::text;
use crate::scan::{Scanner, elements};

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
const SAID: [&str; 11] = [
    "message", "text", "content", "msg", "parts", "event", "output", "task", "value", "body",
    "result",
];
/// Members that only say what is around the text.
const AROUND: [&str; 12] = [
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
    if let Some(text) = part(json, depth) {
        return Some(Readable {
            text: Cow::Owned(text),
            is_all: true,
        });
    }
    let all = |text| Readable { text, is_all: true };
    if let Some(text) = talk(json, depth).or_else(|| rpc(json)) {
        return Some(all(Cow::Owned(text)));
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
    let calls = member(json, "tool_calls").filter(|calls| calls.starts_with('['));
    let calls = calls.and_then(|calls| list(calls, depth + 1));
    let (key, text) = match (said, calls) {
        (Some((key, said)), Some(calls)) => (key, Cow::Owned(format!("{said}\n\n{calls}"))),
        (Some(said), None) => said,
        (None, Some(calls)) => ("content", Cow::Owned(calls)),
        (None, None) => return None,
    };
    let is_around = |other: &str| other == key || AROUND.contains(&other) || other == "tool_calls";
    Some(Readable {
        text,
        is_all: has_only(json, &is_around),
    })
}

/// Tells whether an object has no other members than these. What a person writes
/// by hand as `{"message": ..., "name": ...}` is meant to be seen as it is.
fn has_only(json: &str, is_expected: &dyn Fn(&str) -> bool) -> bool {
    let has_role = member(json, "role").is_some();
    let mut count = 0;
    let mut is_only = true;
    let read = Scanner::new(json).members(|key, _| {
        count += 1;
        is_only &= is_expected(key);
    });
    read.is_ok() && is_only && (count == 1 || has_role)
}

/// Returns a part that is told by its type.
fn part(json: &str, depth: usize) -> Option<String> {
    let of = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| member(json, key));
        found.filter(|token| *token != "null")
    };
    let said = |keys: &[&str]| of(keys).map(|token| value(token, depth + 1));
    let kind = member(json, "type").and_then(text).unwrap_or_default();
    let name = || said(&["name", "toolName", "tool"]).unwrap_or_default();
    if let Some(call) = member(json, "functionCall").or(member(json, "function")) {
        let inside = |key| member(call, key).map(|token| value(token, depth + 1));
        let arguments = inside("args").or(inside("arguments")).unwrap_or_default();
        return Some(format!(
            "[tool call] {} {arguments}",
            inside("name").unwrap_or_default()
        ));
    }
    if kind.is_empty()
        && let (Some(called), Some(arguments)) = (member(json, "name"), member(json, "arguments"))
    {
        let (called, arguments) = (value(called, depth + 1), value(arguments, depth + 1));
        return Some(format!("[tool call] {called} {arguments}"));
    }
    if let (Some(key), Some(attribute)) =
        (member(json, "key").and_then(text), member(json, "value"))
    {
        let attribute = member(attribute, "stringValue").unwrap_or(attribute);
        let said = value(attribute, depth + 1);
        let talk = readable(&said).map(|found| found.text.into_owned());
        return Some(format!("{key}: {}", talk.as_deref().unwrap_or(&said)));
    }
    if let Some(result) = member(json, "functionResponse") {
        return Some(format!(
            "[tool result] {}",
            value(member(result, "response")?, depth + 1)
        ));
    }
    match &*kind {
        "text" | "input_text" | "output_text" | "summary_text" => {
            said(&["text", "content"]).map(Cow::into_owned)
        }
        "tool_use" | "tool_call" | "function_call" | "custom_tool_call" | "tool-call"
        | "server_tool_use" => {
            let arguments = of(&["input", "arguments", "args", "parameters"]).unwrap_or("");
            let arguments = text(arguments).unwrap_or(Cow::Borrowed(arguments));
            Some(
                format!("[tool call] {} {arguments}", name())
                    .trim_end()
                    .to_owned(),
            )
        }
        "tool" => {
            let state = member(json, "state").unwrap_or("{}");
            let part = |key| member(state, key).map(|token| value(token, depth + 1));
            let call = format!(
                "[tool call] {} {}",
                name(),
                member(state, "input").unwrap_or("")
            );
            let result = part("output").or(part("error"));
            Some(match result {
                Some(result) => format!("{call}\n\n[tool result] {result}"),
                None => call,
            })
        }
        "tool_result"
        | "function_call_output"
        | "custom_tool_call_output"
        | "tool_call_response"
        | "tool-result"
        | "web_search_tool_result" => {
            let result = said(&["content", "output", "response", "result"]).unwrap_or_default();
            Some(format!("[tool result] {result}"))
        }
        "thinking" | "reasoning" | "think" => {
            let filled = |key: &&str| member(json, key).is_some_and(|token| token.len() > 2);
            let keys = ["thinking", "text", "summary", "think", "content"];
            let key = keys.iter().find(|key| filled(key));
            let thought = key
                .and_then(|key| said(&[key]))
                .filter(|text| text != "null");
            Some(format!(
                "[thinking] {}",
                thought.unwrap_or(Cow::Borrowed("(hidden)"))
            ))
        }
        "redacted_thinking" => Some("[thinking] (hidden)".to_owned()),
        "image" | "image_url" | "input_image" => Some("[image]".to_owned()),
        "document" | "file" | "input_file" => {
            Some(format!("[file] {}", name()).trim_end().to_owned())
        }
        "input_audio" | "audio" => Some("[audio]".to_owned()),
        _ => None,
    }
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

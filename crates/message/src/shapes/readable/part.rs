//! Parts of a content that are told by their type, or by the members that they have.

use super::{DEEPEST, list, readable, value};
use crate::escape::text;
use crate::scan::elements;
use crate::shapes::path::member;

/// What a part is.
enum Part {
    Text,
    Call,
    /// A call with its result.
    Done,
    Result,
    Thought,
    /// A word in brackets stands for it.
    Named(&'static str),
}

/// The types of parts.
const TYPES: [(&str, Part); 42] = [
    ("text", Part::Text),
    ("input_text", Part::Text),
    ("output_text", Part::Text),
    ("summary_text", Part::Text),
    ("agent_message", Part::Text),
    ("user_message", Part::Text),
    ("tool_use", Part::Call),
    ("tool_call", Part::Call),
    ("function_call", Part::Call),
    ("custom_tool_call", Part::Call),
    ("tool-call", Part::Call),
    ("toolCall", Part::Call),
    ("server_tool_use", Part::Call),
    ("mcp_tool_use", Part::Call),
    ("local_shell_call", Part::Call),
    ("web_search_call", Part::Call),
    ("web_search", Part::Call),
    ("tool", Part::Done),
    ("command_execution", Part::Done),
    ("mcp_tool_call", Part::Done),
    ("tool_result", Part::Result),
    ("toolResult", Part::Result),
    ("tool-result", Part::Result),
    ("tool_call_response", Part::Result),
    ("function_call_output", Part::Result),
    ("custom_tool_call_output", Part::Result),
    ("local_shell_call_output", Part::Result),
    ("exec_command_end", Part::Result),
    ("web_search_tool_result", Part::Result),
    ("mcp_tool_result", Part::Result),
    ("thinking", Part::Thought),
    ("reasoning", Part::Thought),
    ("agent_reasoning", Part::Thought),
    ("think", Part::Thought),
    ("thoughts", Part::Thought),
    ("image", Part::Named("image")),
    ("image_url", Part::Named("image")),
    ("input_image", Part::Named("image")),
    ("image_asset_pointer", Part::Named("image")),
    ("document", Part::Named("file")),
    ("file", Part::Named("file")),
    ("input_file", Part::Named("file")),
];
/// Members with the name of a tool.
const NAMES: [&str; 5] = ["name", "toolName", "tool_name", "tool", "command"];
/// Members with what a tool is called with.
const ARGUMENTS: [&str; 9] = [
    "input",
    "arguments",
    "args",
    "parameters",
    "rawInput",
    "action",
    "query",
    "state/input",
    "function/arguments",
];
/// Members with what a tool gives back.
const RESULTS: [&str; 10] = [
    "content",
    "output",
    "response",
    "result",
    "aggregated_output",
    "formatted_output",
    "stdout",
    "state/output",
    "state/error",
    "error",
];
/// Members with what was thought.
const THOUGHTS: [&str; 7] = [
    "thinking",
    "text",
    "summary",
    "think",
    "thoughts",
    "content",
    "reasoning",
];

/// Returns a part as text.
pub(super) fn part(json: &str, depth: usize) -> Option<String> {
    let kind = member(json, "type").or(member(json, "content_type"));
    let kind = kind.and_then(text).unwrap_or_default();
    if let Some(found) = carried(json, depth) {
        return Some(found);
    }
    let known = TYPES.iter().find(|(name, _)| *name == kind);
    match known.map(|(_, part)| part) {
        Some(Part::Text) => {
            let text = first(json, &["text", "content", "message"])?;
            Some(value(text, depth + 1).into_owned())
        }
        Some(Part::Call) => call(json, depth),
        Some(Part::Done) => done(json, depth),
        Some(Part::Result) => Some(result(json, depth).unwrap_or("[tool result]".to_owned())),
        Some(Part::Thought) => Some(thought(json, depth)),
        Some(Part::Named(word)) => {
            let name = said(json, &["name", "filename", "title"], depth).unwrap_or_default();
            Some(format!("[{word}] {name}").trim_end().to_owned())
        }
        None if kind == "redacted_thinking" => Some("[thinking] (hidden)".to_owned()),
        None if kind == "input_audio" || kind == "audio" => Some("[audio]".to_owned()),
        None => of_members(json, &kind, depth),
    }
}

/// Returns what is a call, a result or a value by the only member that it has.
fn carried(json: &str, depth: usize) -> Option<String> {
    let call_in = ["functionCall", "function"].into_iter();
    if let Some(found) = call_in
        .filter_map(|key| member(json, key))
        .find_map(|inside| call(inside, depth + 1))
    {
        return Some(found);
    }
    if let Some(found) = member(json, "functionResponse") {
        return result(found, depth + 1);
    }
    let tools = ["stringValue", "kvlistValue", "arrayValue"];
    if tools.iter().any(|key| member(json, key).is_some()) {
        return Some(attribute(json, depth));
    }
    let key = member(json, "key").and_then(text)?;
    let said = attribute(member(json, "value")?, depth + 1);
    let talk = (depth + 1 < DEEPEST).then(|| readable(&said)).flatten();
    let talk = talk.map(|found| found.text.into_owned());
    Some(format!("{key}: {}", talk.unwrap_or(said)))
}

/// Returns a value as OpenTelemetry writes it.
fn attribute(json: &str, depth: usize) -> String {
    const LISTS: [&str; 2] = ["kvlistValue", "arrayValue"];
    if let Some(found) = member(json, "stringValue").and_then(text) {
        return found.into_owned();
    }
    let values = LISTS
        .iter()
        .find_map(|key| member(member(json, key)?, "values"));
    if let Some(values) = values.filter(|_| depth < DEEPEST) {
        let lines = elements(values).map(|element| {
            let found = carried(element, depth + 1);
            found.unwrap_or_else(|| attribute(element, depth + 1))
        });
        return lines.collect::<Vec<_>>().join("\n");
    }
    let scalars = ["intValue", "doubleValue", "boolValue"];
    let scalar = scalars.iter().find_map(|key| member(json, key));
    value(scalar.unwrap_or(json), depth + 1).into_owned()
}

/// Returns a part without a type that has a tool's name and what it was called with, or
/// what the one who called it gets.
fn of_members(json: &str, kind: &str, depth: usize) -> Option<String> {
    let is_named = member(json, "name").or(member(json, "toolName")).is_some();
    let has = |keys: &[&str]| keys.iter().any(|key| member(json, key).is_some());
    let is_call = has(&["arguments", "args", "toolCallId"]) && !has(&["message", "msg", "text"]);
    if is_named && is_call && (kind.is_empty() || kind == "function") {
        return done(json, depth);
    }
    let answered = member(json, "tool_call_id").or(member(json, "toolCallId"))?;
    if !answered.starts_with('"') || member(json, "role").is_some() || !kind.is_empty() {
        return None;
    }
    let returned = member(json, "return_value").or(member(json, "result"));
    result(returned.unwrap_or(json), depth)
}

/// Returns a call of a tool; `None` where neither a name nor anything else is known.
pub(super) fn call(json: &str, depth: usize) -> Option<String> {
    let name = said(json, &NAMES, depth);
    let arguments = places(json, &ARGUMENTS).find(|found| *found != "null");
    let arguments = arguments.map(|found| text(found).unwrap_or(found.into()));
    if name.is_none() && arguments.is_none() {
        return None;
    }
    let kind = || {
        member(json, "type")
            .and_then(text)
            .map(|kind| kind.into_owned())
    };
    let name = name.or_else(kind).unwrap_or_default();
    let call = format!("[tool call] {name} {}", arguments.unwrap_or_default());
    Some(call.trim_end().to_owned())
}

/// Returns a call, and its result if it is there.
fn done(json: &str, depth: usize) -> Option<String> {
    let call = call(json, depth)?;
    Some(match result(json, depth) {
        Some(result) => format!("{call}\n\n{result}"),
        None => call,
    })
}

fn result(json: &str, depth: usize) -> Option<String> {
    const FRONT: &str = "[tool result]";
    let found = said(json, &RESULTS, depth)?;
    // Some programs write what a tool gave as JSON in a text, with what was around it.
    let inside = super::super::object_len(&found).and_then(|_| member(&found, "output"));
    let inside = inside.and_then(text).map(std::borrow::Cow::into_owned);
    let found = inside.unwrap_or(found);
    let found = found.strip_prefix(FRONT).unwrap_or(&found).trim();
    Some(format!("{FRONT} {found}").trim_end().to_owned())
}

fn thought(json: &str, depth: usize) -> String {
    let filled = |key: &str| member(json, key).is_some_and(|token| token.len() > 2);
    let key = THOUGHTS.iter().find(|key| filled(key));
    let thought = key.and_then(|key| match member(json, key)? {
        list if list.starts_with('[') => {
            let lines = elements(list).map(|thought| summary(thought, depth));
            Some(lines.collect::<Vec<_>>().join("\n"))
        }
        _ => said(json, &[key], depth),
    });
    let hidden = || "(hidden)".to_owned();
    format!("[thinking] {}", thought.unwrap_or_else(hidden))
}

/// Returns one of several thoughts: what it is about, and the thought.
pub(super) fn summary(json: &str, depth: usize) -> String {
    let about = said(json, &["subject", "summary"], depth);
    let thought = said(json, &["description", "content", "text"], depth);
    match (about, thought) {
        (Some(about), Some(thought)) => format!("{about}: {thought}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => value(json, depth + 1).into_owned(),
    }
}

/// Returns the first of some members, or of members of members, that says something.
fn said(json: &str, keys: &[&str], depth: usize) -> Option<String> {
    let found = first(json, keys)?;
    let parts = found.starts_with('[').then(|| list(found, depth + 1));
    let all = parts
        .flatten()
        .unwrap_or_else(|| match found.as_bytes().first() {
            Some(b'"') => value(found, depth + 1).into_owned(),
            _ => output(found, depth),
        });
    Some(all)
}

fn first<'a>(json: &'a str, keys: &[&str]) -> Option<&'a str> {
    places(json, keys).find_map(crate::shapes::said)
}

/// Returns what stands at some places of an object.
fn places<'a>(json: &'a str, keys: &[&str]) -> impl Iterator<Item = &'a str> {
    keys.iter().filter_map(move |key| {
        let mut steps = key.split('/');
        let first = member(json, steps.next()?)?;
        steps.try_fold(first, member)
    })
}

/// Returns what a tool gave: an object that only says what is said, or else
/// as it stands.
fn output(json: &str, depth: usize) -> String {
    if depth + 1 < DEEPEST && json.starts_with('{') {
        let found = super::object(json, depth + 1);
        if let Some(found) = found.filter(|found| found.is_all) {
            return found.text.into_owned();
        }
    }
    json.to_owned()
}

//! What a person reads of a message's content.

use std::borrow::Cow;
use std::collections::BTreeMap;

use message::{ContentKind, Record};
use serde_json::value::RawValue;

use super::{Clip, Limits};
use crate::pretty::indent;

/// Members of a content in which agents say what they have to say.
const SAID: [&str; 2] = ["message", "text"];

/// The content of a message, cut into what was said and what else there is.
#[derive(Debug)]
pub(super) struct Body<'a> {
    /// Text for people.
    pub(super) text: Option<Cow<'a, str>>,
    /// The content as JSON, if there is more in it than the text.
    pub(super) json: Option<&'a str>,
    /// The content in base64, if it is no text, and how many bytes it has.
    pub(super) bytes: Option<(usize, Cow<'a, str>)>,
}

impl<'a> Body<'a> {
    pub(super) fn of(record: &'a Record<'_>) -> Self {
        let json = &*record.content;
        let text = match json.starts_with('"') {
            // Half of a surrogate pair is no text; JSON can show it.
            true => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
            false => None,
        };
        match (text, record.content_kind) {
            (Some(base64), ContentKind::Base64) => Self {
                text: None,
                json: None,
                bytes: Some((decoded_len(&base64), base64)),
            },
            (Some(text), _) => Self {
                text: Some(text),
                json: None,
                bytes: None,
            },
            (None, _) => Self::of_json(json),
        }
    }

    fn of_json(json: &'a str) -> Self {
        let members = match json.starts_with('{') {
            true => serde_json::from_str::<BTreeMap<String, &RawValue>>(json).ok(),
            false => None,
        };
        let members = members.unwrap_or_default();
        let said = SAID.iter().find_map(|key| {
            let value = members.get(*key)?;
            serde_json::from_str::<String>(value.get()).ok()
        });
        let is_all = said.is_some() && members.len() == 1;
        Self {
            text: said.map(Cow::Owned),
            json: (!is_all).then_some(json),
            bytes: None,
        }
    }

    /// Returns what a single line has room for: what was said, or else all.
    pub(super) fn summary(&self) -> Cow<'_, str> {
        match (&self.text, self.json, &self.bytes) {
            (Some(text), ..) => Cow::Borrowed(text),
            (_, Some(json), _) => Cow::Borrowed(json),
            (_, _, Some((count, _))) => Cow::Owned(bytes_note(*count)),
            _ => Cow::Borrowed(""),
        }
    }
}

/// Says that some content is no text.
pub(super) fn bytes_note(count: usize) -> String {
    format!("({count} bytes that are no text, in base64)")
}

/// How many bytes a base64 text stands for.
pub(super) fn decoded_len(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// Returns JSON with one member a line, fit to be shown.
pub(super) fn indented(json: &str) -> String {
    let mut out = Vec::new();
    let mut clip = Clip::new(&mut out, Limits::NONE);
    // Memory has no errors.
    let _written = indent(json, &mut clip).and_then(|()| clip.finish());
    let mut text = String::from_utf8_lossy(&out).into_owned();
    text.truncate(text.trim_end_matches('\n').len());
    text
}

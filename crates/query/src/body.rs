//! What a person reads of a message's content.

use std::borrow::Cow;

use message::{ContentKind, Record};

/// The content of a message, cut into what was said and what else there is.
#[derive(Debug)]
pub struct Body<'a> {
    /// Text for people.
    pub text: Option<Cow<'a, str>>,
    /// The content as JSON, if there is more in it than the text.
    pub json: Option<&'a str>,
    /// The content in base64, if it is no text, and how many bytes it has.
    pub bytes: Option<(usize, Cow<'a, str>)>,
}

impl<'a> Body<'a> {
    /// Cuts the content of a message.
    #[must_use]
    pub fn of(record: &'a Record<'_>) -> Self {
        let json = &*record.content;
        if record.content_kind == ContentKind::Base64
            && let Some(base64) = message::text(json)
        {
            return Self {
                text: None,
                json: None,
                bytes: Some((decoded_len(&base64), base64)),
            };
        }
        let said = message::readable(json);
        let is_all = said.as_ref().is_some_and(|said| said.is_all);
        Self {
            text: said.map(|said| said.text),
            json: (!is_all).then_some(json),
            bytes: None,
        }
    }

    /// Returns what a single line has room for: what was said, or else all.
    #[must_use]
    pub fn summary(&self) -> Cow<'_, str> {
        match (&self.text, self.json, &self.bytes) {
            (Some(text), ..) => Cow::Borrowed(text),
            (_, Some(json), _) => Cow::Borrowed(json),
            (_, _, Some((count, _))) => Cow::Owned(bytes_note(*count)),
            _ => Cow::Borrowed(""),
        }
    }
}

/// Says that some content is no text.
#[must_use]
pub fn bytes_note(count: usize) -> String {
    format!("({count} bytes that are no text, in base64)")
}

/// How many bytes a base64 text stands for.
fn decoded_len(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

//! Which conversation a message belongs to.

use std::borrow::Cow;

use crate::escape::text;
use crate::line::{Line, Tokens};
use crate::scan::{Scan, Scanner};

/// What a message says of its place in a conversation.
///
/// Each stands in the payload, or else in the payload's `metadata`: the first of
/// the two that is a text and not empty. In lines that hold no payload of its
/// own, as those made by hand, it may stand in the line itself, and in those of
/// the older recorder in `ContextId` and `Metadata`.
///
/// ```
/// let payload = r#"{"in_reply_to": "msg_000", "content": {"in_reply_to": "no"}}"#;
/// let mut line = Vec::new();
/// message::encode(&["t", payload], "2025-11-20T04:30:00.123Z", &mut line);
/// let links = message::Record::parse(&line)?.links();
/// assert_eq!(links.in_reply_to.as_deref(), Some("msg_000"));
/// assert_eq!(links.context_id, None);
///
/// let payload = r#"{"content": 1, "metadata": {"context_id": "ctx_1"}}"#;
/// let mut line = Vec::new();
/// message::encode(&["t", payload], "2025-11-20T04:30:00.123Z", &mut line);
/// let links = message::Record::parse(&line)?.links();
/// assert_eq!(links.context_id.as_deref(), Some("ctx_1"));
/// # Ok::<(), message::DecodeError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Links<'a> {
    /// The name of the message that it answers: `in_reply_to`.
    pub in_reply_to: Option<Cow<'a, str>>,
    /// The name of the conversation: `context_id`.
    pub context_id: Option<Cow<'a, str>>,
}

/// Reads the links from the payload, or from the line where that has them itself.
pub(crate) fn links<'a>(line: &Line<'a>) -> Links<'a> {
    let own = Tokens {
        in_reply_to: line.in_reply_to,
        context_id: line.context_id.or(line.legacy.context_id),
    };
    let found = match (line.exact.envelope, line.exact.payload.and_then(text)) {
        (Some(envelope), _) => Links::of_payload(envelope),
        (None, Some(Cow::Borrowed(payload))) => Links::of_payload(payload),
        (None, Some(Cow::Owned(payload))) => Links::of_payload(&payload).into_owned(),
        (None, None) => Links::of_payload(line.content.unwrap_or_default()),
    };
    named(&own).or(named(&line.legacy.metadata.links)).or(found)
}

/// The names that the tokens hold, as far as they are texts and not empty.
fn named<'a>(tokens: &Tokens<'a>) -> Links<'a> {
    let name = |token: Option<&'a str>| token.and_then(text).filter(|name| !name.is_empty());
    Links {
        in_reply_to: name(tokens.in_reply_to),
        context_id: name(tokens.context_id),
    }
}

/// What a payload's members say of its place in a conversation, as JSON tokens.
#[derive(Debug, Default)]
pub(crate) struct PayloadLinks<'a> {
    own: Tokens<'a>,
    metadata: Option<&'a str>,
}

impl<'a> PayloadLinks<'a> {
    /// Reads the value here; any but an object has none.
    pub(crate) fn read(scanner: &mut Scanner<'a>) -> Scan<Self> {
        let mut found = Self::default();
        scanner.members(|key, value| match key {
            "metadata" => found.metadata = Some(value),
            _ => found.own.take(key, value),
        })?;
        Ok(found)
    }

    pub(crate) fn links(self) -> Links<'a> {
        let links = named(&self.own);
        if links.is_complete() {
            return links;
        }
        let mut behind = Tokens::default();
        let mut metadata = Scanner::new(self.metadata.unwrap_or("null"));
        match metadata.members(|key, value| behind.take(key, value)) {
            Ok(()) => links.or(named(&behind)),
            Err(_) => links,
        }
    }
}

impl<'l> Links<'l> {
    /// Reads them from a payload.
    pub(crate) fn of_payload(payload: &'l str) -> Self {
        // Nothing is taken from what is no JSON.
        match PayloadLinks::read(&mut Scanner::new(payload)) {
            Ok(found) => found.links(),
            Err(_) => Self::default(),
        }
    }

    const fn is_complete(&self) -> bool {
        self.in_reply_to.is_some() && self.context_id.is_some()
    }

    /// Takes from other links what these lack.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            in_reply_to: self.in_reply_to.or(other.in_reply_to),
            context_id: self.context_id.or(other.context_id),
        }
    }

    fn into_owned<'a>(self) -> Links<'a> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Links {
            in_reply_to: owned(self.in_reply_to),
            context_id: owned(self.context_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Record;

    fn of_payload(payload: &str) -> (Option<String>, Option<String>) {
        let mut line = Vec::new();
        crate::encode(&["t", payload], "2025-11-20T04:30:00.123Z", &mut line);
        of_line(std::str::from_utf8(&line).unwrap())
    }

    fn of_line(line: &str) -> (Option<String>, Option<String>) {
        let record = Record::parse(line.as_bytes()).unwrap();
        let links = record.links();
        let owned = |text: Option<std::borrow::Cow<'_, str>>| text.map(String::from);
        (owned(links.in_reply_to), owned(links.context_id))
    }

    #[test]
    fn they_are_found_however_the_payload_is_kept() {
        let expected = (Some("m\"1".to_owned()), Some("c".to_owned()));
        for payload in [
            r#"{"in_reply_to": "m\"1", "context_id": "c", "content": {"in_reply_to": "x"}}"#,
            r#"{"context_id": "c", "in_reply_to": "m\"1"}"#,
            "{\"context_id\": \"c\",\n\"in_reply_to\": \"m\\\"1\", \"content\": 1}",
            r#"{"in_reply_to": "m\"1", "context_id": "c", "content": NaN}"#,
            r#" {"in_reply_to": "m\"1", "context_id": "c", "content": 0}"#,
            r#"{"metadata": {"in_reply_to": "m\"1", "context_id": "c"}, "content": 1}"#,
            r#"{"metadata": {"in_reply_to": "m\"1", "context_id": "x"}, "context_id": "c"}"#,
            r#"{"in_reply_to": null, "context_id": "", "metadata": {"in_reply_to": "m\"1", "context_id": "c"}}"#,
            "{\"metadata\": {\"context_id\": \"c\",\n\"in_reply_to\": \"m\\\"1\"}, \"content\": NaN}",
        ] {
            assert_eq!(of_payload(payload), expected, "{payload}");
        }
    }

    #[test]
    fn other_lines_have_them_too() {
        let line = r#"{"message_num":1,"in_reply_to":"a","context_id":"b","content":1}"#;
        assert_eq!(of_line(line), (Some("a".to_owned()), Some("b".to_owned())));
        let line = r#"{"SpeakerName":"x","Message":"{}","ContextId":"b"}"#;
        assert_eq!(of_line(line), (None, Some("b".to_owned())));
        let line =
            r#"{"SpeakerName":"x","Message":"{}","Metadata":{"in_reply_to":"a","context_id":"b"}}"#;
        assert_eq!(of_line(line), (Some("a".to_owned()), Some("b".to_owned())));
    }

    #[test]
    fn what_is_no_text_is_no_link() {
        for payload in [
            r#"{"in_reply_to": 7, "context_id": null}"#,
            r#"{"metadata": {"in_reply_to": ""}, "content": {"context_id": "b"}}"#,
            r#"{"metadata": {"metadata": {"in_reply_to": "a"}}, "content": 1}"#,
            r#"{"metadata": ["in_reply_to", "a"], "content": 1}"#,
            r#"["in_reply_to", "a"]"#,
            "in_reply_to",
            "\u{1}",
        ] {
            assert_eq!(of_payload(payload), (None, None), "{payload}");
        }
    }
}

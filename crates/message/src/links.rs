//! Which conversation a message belongs to.

use std::borrow::Cow;

use crate::escape::text;
use crate::line::Line;
use crate::normalise::string;
use crate::scan::Scanner;

/// What a message says of its place in a conversation.
///
/// ```
/// let payload = r#"{"in_reply_to": "msg_000", "content": {"in_reply_to": "no"}}"#;
/// let mut line = Vec::new();
/// message::encode(&["t", payload], "2025-11-20T04:30:00.123Z", &mut line);
/// let links = message::Record::parse(&line)?.links();
/// assert_eq!(links.in_reply_to.as_deref(), Some("msg_000"));
/// assert_eq!(links.context_id, None);
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

/// The members of a payload, as JSON tokens; of equal keys the last one.
#[derive(Debug, Default)]
struct Tokens<'a> {
    in_reply_to: Option<&'a str>,
    context_id: Option<&'a str>,
}

/// Reads the links from the payload, or from the line where that has them itself.
pub(crate) fn links<'a>(line: &Line<'a>) -> Links<'a> {
    let own = Tokens {
        in_reply_to: line.in_reply_to,
        context_id: line.context_id.or(line.legacy.context_id),
    };
    let found = match (line.exact.envelope, line.exact.payload.and_then(text)) {
        (Some(envelope), _) => tokens(envelope).links(),
        (None, Some(Cow::Borrowed(payload))) => tokens(payload).links(),
        (None, Some(Cow::Owned(payload))) => tokens(&payload).links().into_owned(),
        (None, None) => tokens(line.content.unwrap_or_default()).links(),
    };
    let own = own.links();
    Links {
        in_reply_to: own.in_reply_to.or(found.in_reply_to),
        context_id: own.context_id.or(found.context_id),
    }
}

fn tokens(payload: &str) -> Tokens<'_> {
    let mut tokens = Tokens::default();
    let read = Scanner::new(payload).members(|key, value| match key {
        "in_reply_to" => tokens.in_reply_to = Some(value),
        "context_id" => tokens.context_id = Some(value),
        _ => {}
    });
    match read {
        Ok(()) => tokens,
        Err(_) => Tokens::default(),
    }
}

impl<'a> Tokens<'a> {
    fn links(&self) -> Links<'a> {
        Links {
            in_reply_to: string(&[self.in_reply_to]).and_then(text),
            context_id: string(&[self.context_id]).and_then(text),
        }
    }
}

impl Links<'_> {
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
    }

    #[test]
    fn what_is_no_text_is_no_link() {
        for payload in [
            r#"{"in_reply_to": 7, "context_id": null}"#,
            r#"{"metadata": {"in_reply_to": "a"}, "content": {"context_id": "b"}}"#,
            r#"["in_reply_to", "a"]"#,
            "in_reply_to",
            "\u{1}",
        ] {
            assert_eq!(of_payload(payload), (None, None), "{payload}");
        }
    }
}

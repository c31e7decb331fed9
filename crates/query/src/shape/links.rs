//! Which message a line of ours answers, read by its shape.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::json::{JsonTokens, TokenKind};
use crate::line_end::{CRC_FIELD, RECORDED_AT, TIME};
use crate::special::closing_quote;

/// A key, which has no escapes.
const PLAIN: TokenKind = TokenKind::String { escaped: false };

/// Unlike these bytes, a text in JSON has its quotes escaped: where they stand, a
/// member of some object begins.
static ENVELOPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b",\"envelope\":{"));

/// What a look at a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply<'a> {
    /// The message answers one of this name.
    To(&'a [u8]),
    /// It answers none.
    None,
    /// A parse has to tell.
    Unclear,
}

/// Tells which message a line answers, of which `content` is the part that
/// begins with the content and `at` the only place in it with `in_reply_to`,
/// where that is spelled without escapes.
///
/// The line has a right checksum: it is JSON, and ours.
pub(crate) fn reply(content: &[u8], at: usize) -> Reply<'_> {
    let name = usual(content, at).map(Reply::To);
    let reply = name.or_else(|| read(content, at));
    reply.unwrap_or(Reply::Unclear)
}

/// Reads the name where it stands in the envelope before any nested value and
/// nothing is escaped there, without going over the content.
fn usual(content: &[u8], at: usize) -> Option<&[u8]> {
    const KEY: &[u8] = b"\"in_reply_to\"";
    let end = content
        .len()
        .checked_sub(CRC_FIELD + 1 + TIME + RECORDED_AT.len())?;
    let before = content.get(..end)?;
    let number = before.iter().rev().take_while(|byte| byte.is_ascii_digit());
    // An envelope is followed by that, so that there is one, and it is the only
    // member of this name.
    let before = before.get(..end - number.count())?;
    let before = before.strip_suffix(b"},\"content_at\":")?;
    let start = ENVELOPE.find(before)? + ENVELOPE.needle().len();
    let envelope = before.get(start..)?;
    if ENVELOPE.find(envelope).is_some() || memchr::memchr(b'\\', envelope).is_some() {
        return None;
    }
    let at = at.checked_sub(start + 1)?;
    if memchr::memchr2(b'{', b'[', envelope.get(..at)?).is_some() {
        return None;
    }
    let value = envelope.get(at..)?.strip_prefix(KEY)?.trim_ascii_start();
    let value = value.strip_prefix(b":")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"")?;
    let name = value.get(..closing_quote(value)?)?;
    (!name.is_empty()).then_some(name)
}

fn read(content: &[u8], at: usize) -> Option<Reply<'_>> {
    let mut tokens = JsonTokens::new(content);
    value(&mut tokens)?;
    tokens.pass(b",\"envelope\":{")?;
    let mut reply = Reply::None;
    loop {
        let key = tokens.next().filter(|key| key.kind == PLAIN)?;
        tokens.pass(b":")?;
        let value = value(&mut tokens)?;
        let token = content.get(value.clone())?;
        match content.get(key.start + 1..key.end - 1)? {
            b"in_reply_to" => reply = Reply::To(text(token)?),
            b"metadata" if value.contains(&at) || token.contains(&b'\\') => return None,
            _ => {}
        }
        let behind = tokens.next()?;
        match content.get(behind.start)? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    // Nothing behind the envelope has another one, or links.
    let rest = tokens.rest().strip_prefix(b",\"content_at\":")?;
    let number = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(number..)?.strip_prefix(b",\"recorded_at\":\"")?;
    let rest = rest.get(closing_quote(rest)? + 1..)?;
    rest.starts_with(b",\"crc\":\"").then_some(reply)
}

/// Returns a string's text, unless it is empty: then it is no link, and there
/// may be another one.
fn text(token: &[u8]) -> Option<&[u8]> {
    let text = token.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    (!text.is_empty() && !text.contains(&b'\\')).then_some(text)
}

/// Goes behind a value, and returns where it begins and ends.
fn value(tokens: &mut JsonTokens<'_>) -> Option<Range<usize>> {
    let (mut depth, mut begin) = (0_usize, None);
    loop {
        let token = tokens.next()?;
        let begin = *begin.get_or_insert(token.start);
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.checked_sub(1)?,
            TokenKind::Separator if depth > 0 => continue,
            TokenKind::String { .. } | TokenKind::Scalar => {}
            TokenKind::Separator | TokenKind::Cut => return None,
        }
        if depth == 0 {
            return Some(begin..token.end);
        }
    }
}

#[cfg(test)]
mod tests {
    use memchr::memmem;
    use proptest::prelude::*;

    use super::*;
    use crate::fields::Content;
    use crate::testing::recorded;

    /// What is read by the shape, and what a parse says.
    fn both(payload: &str) -> (Option<Option<String>>, Option<String>) {
        let mut line = recorded(7, "t", payload);
        line.pop();
        let record = message::Record::parse(&line).unwrap();
        let parsed = record.links().in_reply_to.map(String::from);
        let (_, fields) = crate::shape::read(&line).unwrap();
        let Content::From(content) = fields.content else {
            panic!("{:?}", fields.content);
        };
        let found: Vec<usize> = memmem::find_iter(content, b"in_reply_to").collect();
        let by_shape = match found[..] {
            [at] => match reply(content, at) {
                Reply::To(name) => Some(Some(String::from_utf8(name.to_vec()).unwrap())),
                Reply::None => Some(None),
                Reply::Unclear => None,
            },
            _ => None,
        };
        (by_shape, parsed)
    }

    #[test]
    fn replies_are_read_without_a_parse() {
        for (payload, expected) in [
            (r#"{"in_reply_to":"a","content":{"x":"\"y"}}"#, Some("a")),
            (
                r#"{"content": [1, true, {}], "in_reply_to" : "a"}"#,
                Some("a"),
            ),
            (r#"{"a": {"in_reply_to": "a"}, "content": 1}"#, None),
            (r#"{"a": "in_reply_to", "content": "b"}"#, None),
        ] {
            let (by_shape, parsed) = both(payload);
            assert_eq!(parsed.as_deref(), expected, "{payload}");
            if !payload.contains(" : ") {
                assert_eq!(by_shape, Some(parsed), "{payload}");
            }
        }
    }

    #[test]
    fn usual_replies_are_read_without_going_over_the_content() {
        for (payload, expected) in [
            (
                r#"{"in_reply_to": "a", "content": {"x": "\"y"}}"#,
                Some("a"),
            ),
            (
                r#"{"in_reply_to": "a", "content": {"x": 1,"envelope":{}}}"#,
                None,
            ),
            (r#"{"b": {"in_reply_to": "a"}, "content": 1}"#, None),
            (r#"{"b": {}, "in_reply_to": "a", "content": 1}"#, None),
            (
                r#"{"in_reply_to": "a", "in\u005freply_to": "b", "content": 1}"#,
                None,
            ),
            (r#"{"in_reply_to": "", "content": 1}"#, None),
        ] {
            let line = recorded(7, "t", payload);
            let (_, fields) = crate::shape::read(&line[..line.len() - 1]).unwrap();
            let Content::From(content) = fields.content else {
                panic!("{:?}", fields.content);
            };
            let at = memmem::find(content, b"in_reply_to").unwrap();
            assert_eq!(usual(content, at), expected.map(str::as_bytes), "{payload}");
        }
    }

    #[test]
    fn what_is_not_certain_is_left_to_a_parse() {
        for payload in [
            r#"{"content": 1, "metadata": {"in_reply_to": "a"}}"#,
            r#"{"in_reply_to": "", "content": 1}"#,
            r#"{"in_reply_to": null, "content": 1}"#,
            r#"{"in_reply_to": "\u0061", "content": 1}"#,
            r#"{"in_reply_to": "a"}"#,
            r#"{"in_reply_to": "a", "in\u005freply_to": "b", "content": 1}"#,
            r#"{"in_reply_to": "a", "content": NaN}"#,
        ] {
            assert_eq!(both(payload).0, None, "{payload}");
        }
    }

    fn value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[a\\]}{,: ]{0,3}".prop_map(|text| format!("\"{text}\"")),
            prop::sample::select(vec!["1", "null", "[]", "{}", r#""\"""#, r#""\\""#])
                .prop_map(str::to_owned),
            Just("\"in_reply_to\"".to_owned()),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3)
                    .prop_map(|all| format!("[{}]", all.join(", "))),
                object(inner),
            ]
        })
    }

    fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
        let keys = [
            "in_reply_to",
            "in_reply_to_x",
            "in\\u005freply_to",
            "metadata",
            "content",
            "envelope",
            "a",
            "payload",
        ];
        let colon = prop::sample::select(vec![":", ": ", " :"]);
        let member = (prop::sample::select(keys.to_vec()), colon, value)
            .prop_map(|(key, colon, value)| format!("\"{key}\"{colon}{value}"));
        (
            prop::collection::vec(member, 0..5),
            prop::sample::select(vec![",", ", "]),
        )
            .prop_map(|(members, comma)| format!("{{{}}}", members.join(comma)))
    }

    proptest! {
        #[test]
        fn what_is_certain_is_what_a_parse_says(payload in object(value())) {
            if let (Some(by_shape), parsed) = both(&payload) {
                prop_assert_eq!(by_shape, parsed);
            }
        }
    }
}

//! The text in a message's content: which values it holds.
//!
//! Strings are looked at without their escapes, numbers and words such as `true`
//! as they are spelled. Keys are no text: everybody's messages have the same.

use std::borrow::Cow;

use message::ContentKind;

use crate::fields::{Content, Fields};
use crate::json::{JsonToken, JsonTokens, TokenKind};

/// What follows the content where that is no text.
const IS_BASE64: &[u8] = b",\"content_is\":\"base64\"";

impl Content<'_> {
    /// Tells whether a test holds for any value in the content.
    pub(crate) fn any_value(&self, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        match self {
            Self::Parsed(_, ContentKind::Base64) => false,
            Self::Parsed(json, _) => Walk::new(json.as_bytes()).any(test),
            Self::Of(line) => match message::Record::parse(line) {
                Ok(record) => Fields::from(record).content.any_value(test),
                Err(_) => false,
            },
            Self::From(line) => Walk::new(line).find(test),
        }
    }
}

impl Content<'_> {
    /// As [`any_value`](Self::any_value), for a test that holds only for values
    /// whose last byte before trailing whitespace may be one for which `ends` holds.
    pub(crate) fn any_value_ending(
        &self,
        ends: fn(u8) -> bool,
        test: &mut dyn FnMut(&[u8]) -> bool,
    ) -> bool {
        match self {
            Self::From(line) => {
                let mut walk = Walk::new(line);
                walk.ends = ends;
                walk.find(test)
            }
            Self::Parsed(json, ContentKind::Json) => {
                let mut walk = Walk::new(json.as_bytes());
                walk.ends = ends;
                walk.any(test)
            }
            _ => self.any_value(test),
        }
    }
}

/// Goes over the values of some JSON that was checked before, in one pass that
/// builds nothing; it ends behind the JSON's last byte.
struct Walk<'a> {
    json: &'a [u8],
    tokens: JsonTokens<'a>,
    depth: usize,
    is_over: bool,
    /// Strings with another last byte are passed over.
    ends: fn(u8) -> bool,
}

impl<'a> Walk<'a> {
    fn new(json: &'a [u8]) -> Self {
        Self {
            json,
            tokens: JsonTokens::new(json),
            depth: 0,
            is_over: false,
            ends: |_| true,
        }
    }

    /// Tests the values of a content that is the beginning of this.
    fn find(mut self, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        while let Some(value) = self.next() {
            if test(&value) {
                // Bytes in base64 are a single string.
                let is_string = self.json.starts_with(b"\"");
                return !(is_string && self.tokens.rest().starts_with(IS_BASE64));
            }
        }
        false
    }

    fn any(mut self, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        while let Some(value) = self.next() {
            if test(&value) {
                return true;
            }
        }
        false
    }

    fn next(&mut self) -> Option<Cow<'a, [u8]>> {
        while !self.is_over {
            let JsonToken { kind, start, end } = self.tokens.next()?;
            let token = self.json.get(start..end).unwrap_or_default();
            match kind {
                TokenKind::Separator => {}
                TokenKind::Open => self.depth += 1,
                TokenKind::Close => {
                    self.depth = self.depth.saturating_sub(1);
                    self.is_over = self.depth == 0;
                }
                TokenKind::String { .. } if self.is_key() => {}
                TokenKind::String { escaped } => {
                    self.is_over = self.depth == 0;
                    if self.may_end(token) {
                        return Some(text(token, escaped));
                    }
                }
                TokenKind::Scalar | TokenKind::Cut => {
                    self.is_over = self.depth == 0;
                    return Some(Cow::Borrowed(token));
                }
            }
        }
        None
    }

    /// Tells whether the string that was passed may be one that is asked for.
    fn may_end(&self, token: &[u8]) -> bool {
        const ESCAPE: usize = 6;
        let inner = inner(token);
        let last = inner.last().copied().unwrap_or(b' ');
        let end = inner.get(inner.len().saturating_sub(ESCAPE)..);
        last.is_ascii_whitespace() || (self.ends)(last) || end.unwrap_or_default().contains(&b'\\')
    }

    /// Tells whether the string that was passed is a key. Behind a content that is a
    /// string stands something else.
    fn is_key(&mut self) -> bool {
        self.depth > 0 && self.tokens.peek() == Some(b':')
    }
}

fn inner(token: &[u8]) -> &[u8] {
    let inner = token.get(1..token.len().saturating_sub(1));
    inner.unwrap_or_default()
}

/// Returns a string without its quotes and escapes.
fn text(token: &[u8], escaped: bool) -> Cow<'_, [u8]> {
    let unescaped = escaped.then(|| message::text(std::str::from_utf8(token).ok()?));
    match unescaped.flatten() {
        Some(text) => Cow::Owned(text.into_owned().into_bytes()),
        None => Cow::Borrowed(inner(token)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::testing::recorded;

    fn values(content: &Content<'_>) -> Vec<String> {
        let mut values = Vec::new();
        content.any_value(&mut |value| {
            values.push(String::from_utf8(value.to_vec()).unwrap());
            false
        });
        values
    }

    /// By a generic parse.
    fn expected(json: &Value, values: &mut Vec<String>) {
        match json {
            Value::Array(all) => all.iter().for_each(|value| expected(value, values)),
            Value::Object(all) => all.values().for_each(|value| expected(value, values)),
            Value::String(text) => values.push(text.clone()),
            other => values.push(other.to_string()),
        }
    }

    #[test]
    fn keys_are_no_text() {
        let json = r#"{"a" : "b", "c":{"d":[1, true, "e"]}, "f": {}, "g": "h\"\u00fc"} "z""#;
        let content = Content::From(json.as_bytes());
        assert_eq!(values(&content), ["b", "1", "true", "e", "h\"ü"]);
    }

    #[test]
    fn bytes_are_no_text() {
        for payload in [&b"\xff\xfeabc"[..], b"some text"] {
            let mut line = Vec::new();
            message::encode(&[b"t", payload], "2025-11-20T04:30:00.123Z", &mut line);
            let parsed = crate::Fields::from(message::Record::parse(&line).unwrap());
            let at = memchr::memmem::find(&line, b"\"content\":").unwrap() + 10;
            let is_text = payload[0] != 0xff;
            for content in [&parsed.content, &Content::From(&line[at..])] {
                assert_eq!(content.any_value(&mut |_| true), is_text, "{content:?}");
            }
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            "[a\"\\\\ü\n{}:, ]{0,8}".prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            let members = prop::collection::vec(("[a-c\":]{0,3}", inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_with_the_wrong_end_are_passed_over(json in json()) {
            let payload = serde_json::json!({ "content": json }).to_string();
            let line = recorded(1, "t", &payload);
            let (_, fields) = crate::shape::read(&line[..line.len() - 1]).unwrap();
            let asks = |value: &[u8]| value.trim_ascii_end().ends_with(b"a");
            let obvious = fields.content.any_value(&mut |value| asks(value));
            let found = fields.content.any_value_ending(|byte| byte == b'a', &mut |value| asks(value));
            prop_assert_eq!(found, obvious);
        }

        #[test]
        fn all_values_are_found_and_nothing_else(json in json()) {
            let mut wanted = Vec::new();
            expected(&json, &mut wanted);
            let payload = serde_json::json!({ "content": json }).to_string();
            let line = recorded(1, "t", &payload);
            let (_, fields) = crate::shape::read(&line[..line.len() - 1]).unwrap();
            prop_assert_eq!(values(&fields.content), &wanted[..]);
            let record = message::Record::parse(&line).unwrap();
            prop_assert_eq!(values(&crate::Fields::from(record).content), wanted);
        }
    }
}

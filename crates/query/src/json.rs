//! Steps over JSON token by token, in one pass that builds nothing.

use crate::special::next_special;

/// The tokens of JSON text that was checked before. Any other text has tokens as well,
/// and an end.
///
/// ```
/// use query::{JsonTokens, TokenKind};
///
/// let json = br#"{"a": [1]}"#;
/// let kinds: Vec<_> = JsonTokens::new(json).map(|token| token.kind).collect();
/// assert_eq!(kinds.len(), 7);
/// assert_eq!(kinds[1], TokenKind::String { escaped: false });
/// ```
#[derive(Debug, Clone)]
pub struct JsonTokens<'a> {
    json: &'a [u8],
    at: usize,
}

/// One token: what it is, and where it begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonToken {
    /// What it is.
    pub kind: TokenKind,
    /// The offset of its first byte.
    pub start: usize,
    /// The offset behind its last byte.
    pub end: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An opening brace or bracket.
    Open,
    /// A closing one.
    Close,
    /// A comma or colon.
    Separator,
    /// A string with its quotes.
    String {
        /// Whether there is an escape in it.
        escaped: bool,
    },
    /// A string that the end of the text cuts off.
    Cut,
    /// A number, `true`, `false` or `null`.
    Scalar,
}

impl<'a> JsonTokens<'a> {
    /// Begins at the text's first byte.
    #[must_use]
    pub fn new(json: &'a [u8]) -> Self {
        Self { json, at: 0 }
    }

    /// Returns the first byte of the next token.
    #[inline(always)]
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.json.get(self.at) {
            if !is_space(byte) {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Returns what stands behind the token that came last.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.json.get(self.at..).unwrap_or_default()
    }

    /// Goes on behind these bytes, if they come next.
    pub(crate) fn pass(&mut self, text: &[u8]) -> Option<()> {
        self.rest().starts_with(text).then(|| self.at += text.len())
    }

    /// Goes behind the string here, or to the end of the text where it has none.
    #[inline(always)]
    fn string(&mut self) -> TokenKind {
        let mut escaped = false;
        self.at += 1;
        while let Some(length) = next_special(self.rest()) {
            self.at += length;
            if self.rest().starts_with(b"\"") {
                self.at += 1;
                return TokenKind::String { escaped };
            }
            escaped = true;
            self.at += 2;
        }
        self.at = self.json.len();
        TokenKind::Cut
    }
}

impl Iterator for JsonTokens<'_> {
    type Item = JsonToken;

    #[inline(always)]
    fn next(&mut self) -> Option<JsonToken> {
        let first = self.peek()?;
        let start = self.at;
        let kind = match first {
            b'"' => self.string(),
            b'{' | b'[' => {
                self.at += 1;
                TokenKind::Open
            }
            b'}' | b']' => {
                self.at += 1;
                TokenKind::Close
            }
            b',' | b':' => {
                self.at += 1;
                TokenKind::Separator
            }
            _ => {
                let rest = self.rest().iter();
                self.at += rest.take_while(|byte| !ends_scalar(**byte)).count();
                TokenKind::Scalar
            }
        };
        let end = self.at;
        Some(JsonToken { kind, start, end })
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn ends_scalar(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(json: &str) -> Vec<&str> {
        let tokens = JsonTokens::new(json.as_bytes());
        tokens.map(|token| &json[token.start..token.end]).collect()
    }

    #[test]
    fn every_text_has_tokens_and_an_end() {
        let json = r#" {"a\"": [1.5e3, true,"x"] }"#;
        let expected = [
            "{", r#""a\"""#, ":", "[", "1.5e3", ",", "true", ",", "\"x\"", "]", "}",
        ];
        assert_eq!(tokens(json), expected);
        for cut in ["\"", "\"a", "\"a\\", "\"a\\\""] {
            let last = JsonTokens::new(cut.as_bytes()).last().unwrap();
            assert_eq!((last.kind, last.end), (TokenKind::Cut, cut.len()), "{cut}");
        }
        assert_eq!(tokens(" \n"), [""; 0]);
    }
}

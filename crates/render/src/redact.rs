//! What is hidden before a transcript is shared.
//!
//! It is hidden in the line of a message, before any format sees it, so that no format
//! can forget a field. What takes the place of a secret is as long as that: places that
//! a line tells of itself stay right. Only values that are strings are changed, never
//! their keys, so that a line stays the message it was.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use query::{Entry, Error, Sink, Summary};
use regex::Regex;

use crate::pretty::Tokens;

/// Keys and tokens of the usual providers, e-mail addresses and home directories, as
/// they stand within JSON strings.
const PATTERNS: [&str; 15] = [
    r"\bsk-[A-Za-z0-9_-]{16,}",
    r"\b(?:gh[pousr]_|github_pat_|glpat-|hf_|npm_|pypi-)[A-Za-z0-9_-]{16,}",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\bAIza[0-9A-Za-z_-]{30,}",
    r"\bya29\.[0-9A-Za-z_-]{20,}",
    r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{16,}",
    r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    r#"(?i)(?:api[_-]?key|secret|passw(?:or)?d|token)\\*["']?\s*[:=]\s*\\*["']?[^\s"',;\\]{6,}"#,
    r"(?i)://[^\s/:@]+:[^\s/@]+@",
    r"(?i)[\p{L}\p{N}._%+-]+(?:@|\\u0040)[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+",
    r#"(?:/home|/Users)/[^\s/"'\\:,;)]+"#,
    r#"(?i)\b[a-z]:(?:\\+|/)users(?:\\+|/)[^\s/"'\\:,;)]+"#,
];
/// Values of members with such names are hidden, whatever they are.
const NAMES: [&str; 9] = [
    "api_key",
    "apikey",
    "access_token",
    "refresh_token",
    "auth_token",
    "authorization",
    "password",
    "passwd",
    "secret",
];
/// What stands in the place of what is hidden, as far as there is room.
const INSTEAD: &str = "[hidden]";

/// What is to be hidden.
#[derive(Debug)]
pub struct Redaction(Vec<Regex>);

/// How much was hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// In how many places something was hidden.
    pub places: u64,
    /// In how many messages.
    pub messages: u64,
}

impl Redaction {
    /// Compiles what is to be hidden: the usual secrets if they are wanted, and what
    /// fits these regular expressions. They are tried on texts as they stand in JSON,
    /// where a line break is `\n`.
    ///
    /// # Errors
    /// The pattern that is no regular expression, with the reason.
    pub fn new(has_usual: bool, patterns: &[String]) -> Result<Self, regex::Error> {
        let usual = PATTERNS.iter().copied().filter(|_| has_usual);
        let all = usual.chain(patterns.iter().map(String::as_str));
        Ok(Self(all.map(Regex::new).collect::<Result<_, _>>()?))
    }

    /// Returns a text without what is to be hidden.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let ranges = self.ranges(text);
        match ranges.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(without(text, &ranges)),
        }
    }

    /// Returns a path without what is to be hidden.
    #[must_use]
    pub fn path(&self, path: &Path) -> PathBuf {
        match path.to_str().map(|text| self.text(text)) {
            Some(Cow::Owned(text)) => text.into(),
            _ => path.to_owned(),
        }
    }

    /// Returns where something is to be hidden, in order and apart.
    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let found = self.0.iter().flat_map(|regex| regex.find_iter(text));
        let mut ranges: Vec<_> = found.map(|found| found.range()).collect();
        ranges.retain(|range| !range.is_empty());
        for range in &mut ranges {
            // No escape is cut in two: half of one is no JSON.
            range.start = whole_escape(text, range.start).start;
            range.end = whole_escape(text, range.end).end;
        }
        ranges.sort_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in ranges {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }

    /// Returns a line in which nothing is left of what is to be hidden, and in how many
    /// places something was; `None` where there was nothing.
    fn line(&self, line: &str) -> Option<(String, u64)> {
        let mut hidden = Vec::new();
        let mut tokens = Tokens::new(line);
        let mut key = "";
        while let Some(token) = tokens.next() {
            let Some(text) = token.strip_prefix('"') else {
                if token != ":" {
                    key = "";
                }
                continue;
            };
            let text = text.strip_suffix('"').unwrap_or(text);
            if tokens.peek() == Some(b':') {
                key = text;
                continue;
            }
            let start = token.as_ptr() as usize - line.as_ptr() as usize + 1;
            let is_secret = NAMES.iter().any(|name| name.eq_ignore_ascii_case(key));
            let ranges = match is_secret && !text.is_empty() {
                true => std::iter::once(0..text.len()).collect(),
                false => self.ranges(text),
            };
            hidden.extend(
                ranges
                    .into_iter()
                    .map(|range| range.start + start..range.end + start),
            );
        }
        let places = hidden.len() as u64;
        (places > 0).then(|| (without(line, &hidden), places))
    }
}

/// The escape within which a place in a JSON string is; nothing where it is in none.
fn whole_escape(text: &str, at: usize) -> Range<usize> {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    // `\n` is two bytes long, and `\u0041` six.
    for back in 1..=5_usize.min(before.len()) {
        let start = at - back;
        let slashes = before.get(..=start).unwrap_or_default().iter().rev();
        let slashes = slashes.take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 0 {
            continue;
        }
        let length = if text.as_bytes().get(start + 1) == Some(&b'u') {
            6
        } else {
            2
        };
        let end = (start + length).min(text.len());
        if end > at && text.is_char_boundary(end) {
            return start..end;
        }
    }
    at..at
}

/// Puts something as long in the place of each range.
fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        let shown = INSTEAD.len().min(range.len());
        out.push_str(INSTEAD.get(..shown).unwrap_or_default());
        out.extend(std::iter::repeat_n('*', range.len() - shown));
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Hides something from a format.
pub struct Redacted<'a> {
    redaction: &'a Redaction,
    sink: Box<dyn Sink + 'a>,
    hidden: Hidden,
}

impl<'a> Redacted<'a> {
    /// Gives messages on to a sink, without what is to be hidden.
    #[must_use]
    pub fn new(redaction: &'a Redaction, sink: Box<dyn Sink + 'a>) -> Self {
        let hidden = Hidden::default();
        Self {
            redaction,
            sink,
            hidden,
        }
    }

    /// Returns how much was hidden.
    #[must_use]
    pub const fn hidden(&self) -> Hidden {
        self.hidden
    }
}

impl Sink for Redacted<'_> {
    fn wants_counts(&self) -> bool {
        self.sink.wants_counts()
    }

    fn wants_numbers(&self) -> bool {
        self.sink.wants_numbers()
    }

    fn begin(&mut self, summary: &Summary) -> Result<(), Error> {
        self.sink.begin(summary)
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        if self.redaction.0.is_empty() {
            return self.sink.message(entry);
        }
        let line = String::from_utf8_lossy(entry.line);
        match self.redaction.line(&line) {
            None => self.sink.message(entry),
            Some((line, places)) => {
                self.hidden.places += places;
                self.hidden.messages += 1;
                self.sink.message(&Entry {
                    line: line.as_bytes(),
                    ..*entry
                })
            }
        }
    }

    fn end(&mut self) -> Result<(), Error> {
        self.sink.end()
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn hidden(text: &str) -> String {
        let redaction = Redaction::new(true, &[]).unwrap();
        let line = serde_json::json!({ "content": text }).to_string();
        let line = redaction.line(&line).map_or(line, |(line, _)| line);
        let value: Value = serde_json::from_str(&line).unwrap();
        value["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn usual_secrets_are_hidden_and_other_words_are_not() {
        // Put together here, so that nobody takes them for real ones.
        let letters = "aB3".repeat(16);
        for secret in [
            format!("sk-ant-{letters}"),
            format!("ghp_{letters}"),
            format!("AKIA{}", "A1".repeat(8)),
            format!("AIza{letters}"),
            format!("xoxb-{letters}"),
            format!("eyJ{letters}.{letters}.{letters}"),
            format!("Bearer {letters}"),
            "max.muster@mail.example.org".to_owned(),
            "/home/max".to_owned(),
            "C:\\Users\\max".to_owned(),
            "password=hunter22".to_owned(),
            "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----".to_owned(),
        ] {
            let shown = hidden(&format!("see {secret} there"));
            assert!(shown.starts_with("see [hidden]"), "{secret}: {shown}");
            assert!(
                shown.ends_with(" there") || shown.contains("there"),
                "{shown}"
            );
            assert!(!shown.contains(&secret), "{shown}");
        }
        for plain in [
            "ask-me anything about tokens",
            "a@b",
            "/homework/x",
            "the secret of it",
            "2025-11-20T04:30:00Z",
        ] {
            assert_eq!(hidden(plain), plain);
        }
    }

    #[test]
    fn what_stands_behind_a_telling_name_is_hidden() {
        let redaction = Redaction::new(true, &[]).unwrap();
        let line = r#"{"sender":"a","content":{"api_key":"x","Password":"\"","tokens":"7"}}"#;
        let (line, places) = redaction.line(line).unwrap();
        assert_eq!(
            line,
            r#"{"sender":"a","content":{"api_key":"[","Password":"[h","tokens":"7"}}"#
        );
        assert_eq!(places, 2);
    }

    proptest! {
        #[test]
        fn a_line_stays_the_message_it_was(text in any::<String>(), pattern in "[a-z\\\\.]{0,3}") {
            let Ok(redaction) = Redaction::new(true, &[pattern.replace('\\', "\\\\"), ".".into()]) else {
                return Ok(());
            };
            let line = serde_json::json!({ "sender": "s", "content": { "a": text, "b": [text] } }).to_string();
            let shown = redaction.line(&line).map_or_else(|| line.clone(), |(line, _)| line);
            prop_assert_eq!(shown.len(), line.len());
            let value: Value = serde_json::from_str(&shown).unwrap();
            prop_assert!(value["content"]["a"].is_string());
        }
    }
}

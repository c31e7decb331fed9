//! JSON with one member a line, as its sender spelled it.
//!
//! The indenter goes over the text once and moves whitespace: the order of keys,
//! equal keys and the spelling of numbers stay. It builds nothing and does not
//! recurse. Escapes of letters and signs that can be shown are shown as these:
//! Python writes `Gr\u00fc\u00dfe` unless it is told otherwise.

use std::borrow::Cow;
use std::io;

use crate::clip::{Clip, Limits};
use query::{JsonTokens, is_hidden, is_joiner};

/// Deeper levels are indented no further, so that the output of deeply nested
/// JSON grows with its length and not with the square of it.
const DEEPEST: usize = 40;
const INDENT: &str = "  ";

/// Writes JSON text, two spaces a level, and asks of each string that is a value, with the key before it,
/// what is shown in its place.
pub(crate) fn indent_with(
    json: &str,
    out: &mut Clip<'_>,
    replace: &mut dyn FnMut(&str, &str) -> Option<&'static str>,
) -> io::Result<()> {
    let mut tokens = Tokens::new(json);
    let mut depth: usize = 0;
    let mut key = "";
    while let Some(token) = tokens.next() {
        if token.starts_with('"') {
            if tokens.peek() == Some(b':') {
                key = token.trim_matches('"');
            } else if let Some(other) = replace(key, token) {
                out.text(other)?;
                continue;
            }
        }
        match token {
            "{" | "[" => {
                out.text(token)?;
                if matches!(tokens.peek(), Some(b'}' | b']')) {
                    out.text(tokens.next().unwrap_or_default())?;
                } else {
                    depth += 1;
                    break_line(depth, out)?;
                }
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                break_line(depth, out)?;
                out.text(token)?;
            }
            "," => {
                out.text(token)?;
                break_line(depth, out)?;
            }
            ":" => out.text(": ")?,
            _ => out.text(&readable(token))?,
        }
    }
    Ok(())
}

/// Replaces the `\u` escapes of visible characters beyond ASCII by these. The
/// value stays the same.
pub(crate) fn readable(token: &str) -> Cow<'_, str> {
    if !token.contains("\\u") {
        return Cow::Borrowed(token);
    }
    let mut text = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        text.push_str(plain);
        let (shown, length) = match visible(escape) {
            Some((c, length)) => (Some(c), length),
            None => (None, escape.chars().take(2).map(char::len_utf8).sum()),
        };
        let (escape, behind) = escape.split_at(length);
        match shown {
            Some(c) => text.push(c),
            None => text.push_str(escape),
        }
        rest = behind;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Reads the visible character beyond ASCII for which the escapes stand that
/// `text` begins with, and their length.
fn visible(text: &str) -> Option<(char, usize)> {
    const ESCAPE: usize = 6;
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let first = unit(text)?;
    let second = text.get(ESCAPE..).and_then(unit);
    let mut decoded = char::decode_utf16([first].into_iter().chain(second));
    let c = decoded.next()?.ok()?;
    let is_shown = !is_hidden(c) || is_joiner(c);
    (!c.is_ascii() && !c.is_whitespace() && is_shown).then_some((c, ESCAPE * c.len_utf16()))
}

fn break_line(depth: usize, out: &mut Clip<'_>) -> io::Result<()> {
    out.end_line()?;
    for _ in 0..depth.min(DEEPEST) {
        out.text(INDENT)?;
    }
    Ok(())
}

/// Returns JSON with one member a line, fit to be shown.
pub(super) fn indented(json: &str) -> String {
    indented_with(json, &mut |_, _| None)
}

/// Returns JSON with one member a line, fit to be shown; `replace` gives what stands
/// for some of its texts.
pub(super) fn indented_with(
    json: &str,
    replace: &mut dyn FnMut(&str, &str) -> Option<&'static str>,
) -> String {
    let mut out = Vec::new();
    let mut clip = Clip::new(&mut out, Limits::NONE);
    // Memory has no errors.
    let _written = indent_with(json, &mut clip, replace).and_then(|()| clip.finish());
    let mut text = String::from_utf8_lossy(&out).into_owned();
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// Cuts JSON text into brackets, punctuation, strings and other scalars.
pub(crate) struct Tokens<'a> {
    json: &'a str,
    tokens: JsonTokens<'a>,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(json: &'a str) -> Self {
        let tokens = JsonTokens::new(json.as_bytes());
        Self { json, tokens }
    }

    /// Returns the first byte of the next token.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.tokens.peek()
    }

    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let token = self.tokens.next()?;
        self.json.get(token.start..token.end)
    }
}

#[cfg(test)]
mod tests;

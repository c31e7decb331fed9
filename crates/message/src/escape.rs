//! JSON strings and base64: text and bytes as they stand in a line.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::specials::Specials;

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn push_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let (bytes, mut specials) = (text.as_bytes(), Specials::new());
    let mut copied = 0;
    loop {
        let at = specials.next(bytes, copied);
        out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
        let Some(&byte) = bytes.get(at) else {
            break;
        };
        push_escape(byte, out);
        copied = at + 1;
    }
    out.push(b'"');
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    match short_escape(byte) {
        Some(letter) => out.extend_from_slice(&[b'\\', letter]),
        None => {
            let digit = b"0123456789abcdef"[usize::from(byte & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), digit]);
        }
    }
}

fn short_escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return None,
    })
}

/// Tells whether base64 is shorter than the escaped text.
pub(crate) fn base64_is_shorter(text: &str) -> bool {
    let limit = text.len().div_ceil(3) * 4;
    let (bytes, mut specials) = (text.as_bytes(), Specials::new());
    let (mut at, mut escaped) = (0, text.len());
    // Every escape adds at least one byte, so the loop ends early for text full of them.
    while escaped <= limit {
        at = specials.next(bytes, at);
        let Some(&byte) = bytes.get(at) else {
            return false;
        };
        escaped += if short_escape(byte).is_some() { 1 } else { 5 };
        at += 1;
    }
    true
}

/// Appends bytes as base64 in quotes.
pub(crate) fn push_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    STANDARD
        .encode_slice(bytes, &mut out[start..])
        .expect("four characters for three bytes were reserved");
    out.push(b'"');
}

/// Appends the bytes that a base64 text stands for.
pub(crate) fn decode_base64(text: &str, out: &mut Vec<u8>) -> Result<(), base64::DecodeError> {
    STANDARD.decode_vec(text, out)
}

/// Returns what stands between the quotes if the token is a string.
pub(crate) fn inner(token: &str) -> Option<&str> {
    token.strip_prefix('"')?.strip_suffix('"')
}

/// Returns the text of a token from a line of JSON, if that is a string.
///
/// A surrogate escape without its partner becomes U+FFFD.
///
/// ```
/// assert_eq!(message::text(r#""Gr\u00fc\u00dfe""#).as_deref(), Some("Grüße"));
/// assert_eq!(message::text("7"), None);
/// ```
#[must_use]
pub fn text(token: &str) -> Option<Cow<'_, str>> {
    inner(token).map(unescape)
}

/// Resolves the escapes of a string's checked inside.
///
/// A surrogate escape without its partner becomes U+FFFD.
pub(crate) fn unescape(inner: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    unescape_into(inner, |part| text.push_str(part));
    Cow::Owned(text)
}

/// Appends the text that a string's checked inside stands for.
pub(crate) fn push_unescaped(inner: &str, out: &mut Vec<u8>) {
    unescape_into(inner, |part| out.extend_from_slice(part.as_bytes()));
}

fn unescape_into(inner: &str, mut push: impl FnMut(&str)) {
    let mut rest = inner;
    while let Some((plain, tail)) =
        memchr::memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
    {
        push(plain);
        let (character, tail) = read_escape(tail);
        push(character.encode_utf8(&mut [0; 4]));
        rest = tail;
    }
    push(rest);
}

/// Reads the escape at the beginning of `text` and returns what follows it.
fn read_escape(text: &str) -> (char, &str) {
    let mut characters = text.chars();
    let letter = characters.by_ref().nth(1).unwrap_or('\\');
    let rest = characters.as_str();
    let character = match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => return read_code_point(text),
        other => other,
    };
    (character, rest)
}

fn read_code_point(text: &str) -> (char, &str) {
    let Some((unit, rest)) = read_unit(text) else {
        return (char::REPLACEMENT_CHARACTER, "");
    };
    if let Some(character) = char::from_u32(unit) {
        return (character, rest);
    }
    if let Some((low @ 0xdc00..=0xdfff, behind)) = read_unit(rest)
        && unit < 0xdc00
        && let Some(character) = char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
    {
        return (character, behind);
    }
    (char::REPLACEMENT_CHARACTER, rest)
}

/// Reads `\uXXXX`.
fn read_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.strip_prefix("\\u")?.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

#[cfg(test)]
mod tests;

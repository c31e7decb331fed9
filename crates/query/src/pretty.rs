//! JSON with one member a line, as its sender spelled it.
//!
//! The indenter goes over the text once and moves whitespace, nothing else: the
//! order of keys, equal keys and the spelling of numbers and strings stay. It
//! builds nothing and does not recurse.

use std::io;

use crate::format::Clip;

/// Deeper levels are indented no further, so that the output of deeply nested
/// JSON grows with its length and not with the square of it.
const DEEPEST: usize = 40;
const INDENT: &str = "  ";

/// Writes JSON text, two spaces a level. Text that is no JSON is written, too,
/// in some arrangement.
pub(crate) fn indent(json: &str, out: &mut Clip<'_>) -> io::Result<()> {
    let mut tokens = Tokens { json, at: 0 };
    let mut depth: usize = 0;
    while let Some(token) = tokens.next() {
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
            _ => out.text(token)?,
        }
    }
    Ok(())
}

fn break_line(depth: usize, out: &mut Clip<'_>) -> io::Result<()> {
    out.end_line()?;
    for _ in 0..depth.min(DEEPEST) {
        out.text(INDENT)?;
    }
    Ok(())
}

/// Cuts JSON text into brackets, punctuation, strings and other scalars.
struct Tokens<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Returns the first byte of the next token.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.json.as_bytes().get(self.at..)?;
        self.at += rest.iter().take_while(|byte| is_space(**byte)).count();
        self.json.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        self.at = match first {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => start + 1,
            b'"' => self.string_end(start + 1),
            _ => self.scalar_end(start),
        };
        self.json.get(start..self.at)
    }

    fn string_end(&self, from: usize) -> usize {
        let bytes = self.json.as_bytes();
        let mut at = from;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => return at + 1,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        bytes.len()
    }

    fn scalar_end(&self, from: usize) -> usize {
        let rest = self.json.as_bytes().get(from..).unwrap_or_default();
        let is_end = |byte: &u8| is_space(*byte) || b"{}[],:\"".contains(byte);
        rest.iter()
            .position(is_end)
            .map_or(self.json.len(), |end| from + end)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests;

//! One forward pass over JSON text: checks the syntax, builds nothing.
//!
//! The scanner accepts exactly what `serde_json::value::RawValue` accepts, and
//! besides that the tokens `NaN`, `Infinity` and `-Infinity`, which Python's
//! `json.dumps` writes. It does not recurse: nesting costs one bit a level.

mod nesting;

use std::borrow::Cow;
use std::ops::Range;

use self::nesting::Nesting;
use crate::escape::unescape;
use crate::specials::Specials;

/// The beginning of every line that the journal writes.
pub(crate) const RECORD_START: &str = "{\"message_num\":";

/// The text violates JSON's syntax at this offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) at: usize,
}

pub(crate) type Scan<T> = Result<T, Malformed>;

/// What was met on the way and keeps a text from standing in a line as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// A `NaN`, `Infinity` or `-Infinity`.
    pub(crate) non_finite: bool,
    /// A raw line feed or carriage return between two tokens.
    pub(crate) line_break: bool,
    /// The bytes of [`RECORD_START`]. In valid JSON they can only be an object's
    /// brace with its first key: within a string the quotes would be escaped.
    pub(crate) record_start: bool,
}

/// Walks over a text, token by token.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    marks: Marks,
    specials: Specials,
}

impl<'a> Scanner<'a> {
    /// Stands before the first token of `text`.
    pub(crate) fn new(text: &'a str) -> Self {
        let mut scanner = Self {
            text,
            at: 0,
            marks: Marks::default(),
            specials: Specials::new(),
        };
        scanner.skip_space();
        scanner
    }

    pub(crate) fn marks(&self) -> Marks {
        self.marks
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Checks that nothing but whitespace follows.
    pub(crate) fn finish(&mut self) -> Scan<()> {
        self.skip_space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    /// Reads the object here and gives each member's key and value to `take`;
    /// any other value is passed over, as one without members.
    pub(crate) fn members(&mut self, mut take: impl FnMut(&str, &'a str)) -> Scan<()> {
        if self.peek() != Some(b'{') {
            return self.value_range().map(drop);
        }
        let mut next = self.first_key()?;
        while let Some(key) = next {
            let value = self.value()?;
            take(&key, value);
            next = self.next_key()?;
        }
        Ok(())
    }

    /// Enters the object here and returns its first key; stands before its value then.
    #[inline]
    pub(crate) fn first_key(&mut self) -> Scan<Option<Cow<'a, str>>> {
        if !self.open_object()? {
            return Ok(None);
        }
        self.key().map(Some)
    }

    /// Returns the next key of the object, after a value was read.
    #[inline]
    pub(crate) fn next_key(&mut self) -> Scan<Option<Cow<'a, str>>> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                self.key().map(Some)
            }
            Some(b'}') => {
                self.at += 1;
                Ok(None)
            }
            _ => Err(self.malformed()),
        }
    }

    /// Checks the value here and returns its text.
    #[inline]
    pub(crate) fn value(&mut self) -> Scan<&'a str> {
        let range = self.value_range()?;
        Ok(self.text.get(range).unwrap_or_default())
    }

    /// Checks the value here and returns where it stands.
    #[inline]
    pub(crate) fn value_range(&mut self) -> Scan<Range<usize>> {
        let start = self.at;
        // Most values are strings, and need no account of what is open.
        if self.peek() == Some(b'"') {
            self.string()?;
        } else {
            self.skip_value()?;
        }
        Ok(start..self.at)
    }

    fn skip_value(&mut self) -> Scan<()> {
        let mut open = Nesting::default();
        loop {
            if self.open_value(&mut open)? && self.close_values(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Reads up to the end of a scalar or an empty container (true), or up to
    /// the first value within a container (false).
    fn open_value(&mut self, open: &mut Nesting) -> Scan<bool> {
        match self.peek() {
            Some(b'"') => self.string().map(|_escaped| true),
            Some(b'{') => {
                if !self.open_object()? {
                    return Ok(true);
                }
                self.skip_key()?;
                open.push(true);
                Ok(false)
            }
            Some(b'[') => {
                self.at += 1;
                self.skip_space();
                if self.eat(b']') {
                    return Ok(true);
                }
                open.push(false);
                Ok(false)
            }
            _ => self.scalar().map(|()| true),
        }
    }

    /// Goes behind a value: out of all containers (true) or to the next value (false).
    fn close_values(&mut self, open: &mut Nesting) -> Scan<bool> {
        while let Some(in_object) = open.top() {
            self.skip_space();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.skip_space();
                    if in_object {
                        self.skip_key()?;
                    }
                    return Ok(false);
                }
                Some(b'}') if in_object => open.pop(),
                Some(b']') if !in_object => open.pop(),
                _ => return Err(self.malformed()),
            }
            self.at += 1;
        }
        Ok(true)
    }

    /// Goes behind the brace; false if the object is empty and has been left.
    fn open_object(&mut self) -> Scan<bool> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.marks.record_start |= rest.starts_with(RECORD_START.as_bytes());
        if !self.eat(b'{') {
            return Err(self.malformed());
        }
        self.skip_space();
        Ok(!self.eat(b'}'))
    }

    #[inline(always)]
    fn key(&mut self) -> Scan<Cow<'a, str>> {
        let start = self.at + 1;
        let escaped = self.string()?;
        let text = self.text.get(start..self.at - 1).unwrap_or_default();
        self.colon()?;
        Ok(if escaped {
            unescape(text)
        } else {
            Cow::Borrowed(text)
        })
    }

    fn skip_key(&mut self) -> Scan<()> {
        self.string()?;
        self.colon()
    }

    #[inline]
    fn colon(&mut self) -> Scan<()> {
        self.skip_space();
        if !self.eat(b':') {
            return Err(self.malformed());
        }
        self.skip_space();
        Ok(())
    }

    /// Checks the string here, goes behind it, and tells whether it has escapes.
    #[inline]
    fn string(&mut self) -> Scan<bool> {
        if !self.eat(b'"') {
            return Err(self.malformed());
        }
        let bytes = self.text.as_bytes();
        let at = self.specials.next(bytes, self.at);
        if bytes.get(at) == Some(&b'"') {
            self.at = at + 1;
            return Ok(false);
        }
        self.escapes(at).map(|()| true)
    }

    /// Goes on with a string from its first escape.
    fn escapes(&mut self, mut at: usize) -> Scan<()> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(at) {
                Some(b'"') => break self.at = at + 1,
                Some(b'\\') => at += escape_length(bytes, at).ok_or(Malformed { at })?,
                _ => return Err(Malformed { at }),
            }
            at = self.specials.next(bytes, at);
        }
        Ok(())
    }

    fn scalar(&mut self) -> Scan<()> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'N') => self.non_finite("NaN"),
            Some(b'I') => self.non_finite("Infinity"),
            _ => Err(self.malformed()),
        }
    }

    fn number(&mut self) -> Scan<()> {
        let negative = self.eat(b'-');
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'I') if negative => return self.non_finite("Infinity"),
            _ => self.digits()?,
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.malformed())
        } else {
            Ok(())
        }
    }

    fn non_finite(&mut self, word: &str) -> Scan<()> {
        self.marks.non_finite = true;
        self.word(word)
    }

    fn word(&mut self, word: &str) -> Scan<()> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.malformed());
        }
        self.at += word.len();
        Ok(())
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    /// Between two tokens there is one space or none, as a rule.
    #[inline]
    fn skip_space(&mut self) {
        if self.peek() == Some(b' ') {
            self.at += 1;
        }
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.skip_more_space();
        }
    }

    #[cold]
    fn skip_more_space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            self.marks.line_break |= matches!(byte, b'\n' | b'\r');
            self.at += 1;
        }
    }

    fn malformed(&self) -> Malformed {
        Malformed { at: self.at }
    }
}

/// Checks the escape at `at` and returns its length.
#[inline]
fn escape_length(bytes: &[u8], at: usize) -> Option<usize> {
    const SHORT: [bool; 256] = {
        let mut table = [false; 256];
        let letters = b"\"\\/bfnrt";
        let mut index = 0;
        while index < letters.len() {
            table[letters[index] as usize] = true;
            index += 1;
        }
        table
    };
    let letter = *bytes.get(at + 1)?;
    if SHORT[usize::from(letter)] {
        return Some(2);
    }
    let digits = bytes.get(at + 2..at + 6)?;
    (letter == b'u' && digits.iter().all(u8::is_ascii_hexdigit)).then_some(6)
}

/// Goes over the elements of an array that has been checked before.
///
/// Yields nothing for a value of another kind.
pub(crate) fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut scanner = Scanner::new(array);
    let mut more = scanner.eat(b'[');
    std::iter::from_fn(move || {
        scanner.skip_space();
        if !more || scanner.peek() == Some(b']') {
            return None;
        }
        let element = scanner.value().ok()?;
        scanner.skip_space();
        more = scanner.eat(b',');
        Some(element)
    })
}

/// Tells whether a checked token is an array that holds strings only.
pub(crate) fn is_string_array(token: &str) -> bool {
    token.starts_with('[') && elements(token).all(|element| element.starts_with('"'))
}

/// Tells whether a value holds a token that JSON does not have.
pub(crate) fn has_non_finite(value: &str) -> bool {
    let mut scanner = Scanner::new(value);
    scanner.value_range().is_err() || scanner.marks().non_finite
}

#[cfg(test)]
mod tests;

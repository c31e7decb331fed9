//! A line of ours, read by its shape.
//!
//! The broker writes the fixed fields always in the same order and without
//! spaces, so that reading them is a matter of comparing keys and finding
//! closing quotes. Whatever does not fit exactly, or needs unescaping, is left
//! to the general parse. The line must have a right checksum: it is not checked
//! to be JSON.

use std::borrow::Cow;

use crate::fields::{Content, Fields, Tags};

/// `,"crc":"xxxxxxxx"}`
const CRC_FIELD: usize = 18;
/// `2025-11-20T04:30:00.123Z`
const TIME: usize = 24;
const RECORDED_AT: &[u8] = b",\"recorded_at\":\"";

const ONES: u64 = u64::MAX / 0xff;
const HIGHS: u64 = ONES << 7;

/// Reads a line with its number, or `None` where it has another shape.
pub(crate) fn read(line: &[u8]) -> Option<(u64, Fields<'_>)> {
    let recorded_at = recorded_at(line)?;
    let mut cursor = Cursor { line, at: 0 };
    cursor.key(b"{\"message_num\":")?;
    let number = cursor.number()?;
    let fields = Fields {
        topic: cursor.string(b",\"topic\":\"")?,
        sender: cursor.string(b",\"sender\":\"")?,
        timestamp: cursor.string(b",\"timestamp\":\"")?,
        tier: cursor.string(b",\"tier\":\"")?,
        chain: cursor.string(b",\"chain_type\":\"")?,
        tags: cursor.tags(b",\"shl_tags\":[")?,
        id: cursor.id(b",\"message_id\":")?,
        content: cursor.content(b",\"content\":")?,
        recorded_at: Some(Cow::Borrowed(recorded_at)),
    };
    Some((number, fields))
}

/// Returns the recorder's time, which stands before the checksum.
fn recorded_at(line: &[u8]) -> Option<&[u8]> {
    let end = line.len().checked_sub(CRC_FIELD + 1)?;
    let start = end.checked_sub(TIME)?;
    let key = line.get(start.checked_sub(RECORDED_AT.len())?..start)?;
    let time = line.get(start..end)?;
    let fits = key == RECORDED_AT && time.ends_with(b"Z") && line.get(end) == Some(&b'"');
    fits.then_some(time)
}

struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    #[inline(always)]
    fn key(&mut self, key: &[u8]) -> Option<()> {
        self.rest().starts_with(key).then(|| self.at += key.len())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number: u64 = 0;
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.line.get(self.at) {
            number = number
                .checked_mul(10)?
                .checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        (self.at > start).then_some(number)
    }

    #[inline(always)]
    fn string(&mut self, key: &[u8]) -> Option<Cow<'a, [u8]>> {
        self.key(key)?;
        self.quoted().map(Cow::Borrowed)
    }

    /// Reads what stands before the closing quote, and goes behind that.
    #[inline(always)]
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let end = closing_quote(rest)?;
        self.at += end + 1;
        rest.get(..end)
    }

    fn tags(&mut self, key: &[u8]) -> Option<Tags<'a>> {
        self.key(key)?;
        let start = self.at - 1;
        loop {
            match self.line.get(self.at)? {
                b']' => break,
                b'"' => {
                    self.at += 1;
                    self.quoted()?;
                }
                b' ' | b'\t' | b',' => self.at += 1,
                _ => return None,
            }
        }
        self.at += 1;
        self.line.get(start..self.at).map(Tags::Token)
    }

    /// The shape may not fit, and a message may have no name.
    fn id(&mut self, key: &[u8]) -> Option<Option<Cow<'a, [u8]>>> {
        self.key(key)?;
        if self.key(b"null").is_some() {
            return Some(None);
        }
        self.string(b"\"").map(Some)
    }

    fn content(&mut self, key: &[u8]) -> Option<Content<'a>> {
        self.key(key)?;
        Some(Content::From(self.rest()))
    }
}

/// Finds the quote that ends a string without escapes; `None` where one has some.
///
/// Looks at eight bytes at a time: the strings are too short for anything wider.
#[inline(always)]
fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*word);
        let (quote, slash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
        let hits = (quote.wrapping_sub(ONES) & !quote) | (slash.wrapping_sub(ONES) & !slash);
        if hits & HIGHS != 0 {
            // A borrow can only mark a byte above the first true hit.
            at += (hits & HIGHS).trailing_zeros() as usize / 8;
            return (bytes.get(at) == Some(&b'"')).then_some(at);
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (rest.get(end) == Some(&b'"')).then_some(at + end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::recorded;

    /// A line as the broker writes it, without its newline.
    fn line(topic: &str, payload: &str) -> Vec<u8> {
        let mut line = recorded(7, topic, payload);
        line.pop();
        line
    }

    fn parsed(line: &[u8]) -> Fields<'_> {
        Fields::from(message::Record::parse(line).unwrap())
    }

    /// All but the content, which is only a beginning here.
    fn assert_same(line: &[u8], found: &Fields<'_>) {
        let expected = parsed(line);
        let tags = |fields: &Fields<'_>| fields.tags.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(tags(found), tags(&expected));
        let (content, tags) = (expected.content.clone(), expected.tags.clone());
        assert_eq!(
            Fields {
                content,
                tags,
                ..found.clone()
            },
            expected
        );
    }

    #[test]
    fn our_lines_are_read_without_a_parse() {
        for payload in [
            r#"{"sender_id":"claude","content":{"a":"}"},"metadata":{"shl_tags":["@a", "@b ]"]}}"#,
            r#"{"id":"1","tier":"A","content":null}"#,
            "no JSON",
            "",
        ] {
            let line = line("topic", payload);
            let (number, fields) = read(&line).unwrap();
            assert_eq!(number, 7);
            assert_same(&line, &fields);
        }
    }

    #[test]
    fn escapes_are_left_to_the_general_parse() {
        for payload in [
            r#"{"sender_id":"cl\u0061ude"}"#,
            r#"{"tier":"\""}"#,
            r#"{"shl_tags":["\n"]}"#,
            r#"{"id":"\\"}"#,
        ] {
            assert_eq!(read(&line("topic", payload)), None, "{payload}");
        }
        assert_eq!(read(&line("to\"pic", "{}")), None);
    }

    #[test]
    fn other_shapes_are_left_to_the_general_parse() {
        let whole = String::from_utf8(line("t", "{}")).unwrap();
        for (from, to) in [
            ("\"topic\"", " \"topic\""),
            ("\"sender\"", "\"sender_id\""),
            ("\"recorded_at\":", "\"recorded_at\": "),
            (",\"crc\"", ", \"crc\""),
            ("\"shl_tags\":[]", "\"shl_tags\":[7]"),
            ("\"message_num\":7", "\"message_num\":\"7\""),
            ("\"message_num\":7", "\"message_num\":99999999999999999999"),
        ] {
            let changed = whole.replacen(from, to, 1);
            assert_ne!(changed, whole);
            assert_eq!(read(changed.as_bytes()), None, "{to}");
        }
        for end in 0..whole.len() {
            assert_eq!(read(&whole.as_bytes()[..end]), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_what_a_parse_reads(
            topic in ".{0,12}",
            sender in ".{0,40}",
            tags in prop::collection::vec("[a\"\\] ]{0,9}", 0..3),
            id in prop::option::of("[a-z\\\\\"]{0,20}"),
        ) {
            let payload = serde_json::json!({
                "sender": sender, "id": id, "metadata": { "shl_tags": tags }, "content": sender,
            });
            let line = line(&topic, &payload.to_string());
            if let Some((_, fields)) = read(&line) {
                assert_same(&line, &fields);
            }
        }
    }
}

//! What stands in a line: one message, several, or a message among other things.
//!
//! The journal tells records of its own from damage. What it takes for damage may
//! still hold whole messages: without checksums, with a log's prefix in front, or
//! with numbers such as `NaN`, which Python writes. And one line may hold a whole
//! conversation.

use std::ops::Range;

use journal::raw::{Checked, Piece, sort_line};
use journal::{Integrity, Reason};
use message::Record;

/// So often a message is looked for at most in one stretch; what is left is damage.
const TRIES: usize = 64;

/// Reads a line that is one message without a checksum, and nothing else, in a
/// single pass, but for its content; `None` for any other line, which [`sort`] sorts.
/// What both say of a line is the same.
pub(crate) fn one(line: &[u8]) -> Option<Record<'_>> {
    let line = line.trim_ascii_end();
    if line.first() != Some(&b'{') || journal::raw::looks_sealed(line) {
        return None;
    }
    let record = Record::parse_fields(line).ok()?;
    (record.is_json() && !record.may_hold_messages()).then_some(record)
}

/// Sorts a line into messages and damage; nothing for a blank one.
pub(crate) fn sort(line: &[u8], ended: bool) -> Vec<Piece> {
    let mut found = Vec::new();
    for piece in sort_line(line, ended) {
        let bytes = line.get(piece.range.clone()).unwrap_or_default();
        match piece.checked {
            Checked::Record {
                integrity: Integrity::Unverified,
                ..
            } => expand(piece, bytes, &mut found),
            Checked::Record { .. } => found.push(piece),
            Checked::Bad(reason) => {
                let start = piece.range.start;
                for mut piece in within(bytes, reason) {
                    let bytes = bytes.get(piece.range.clone()).unwrap_or_default();
                    piece.range = start + piece.range.start..start + piece.range.end;
                    match piece.checked {
                        Checked::Record {
                            integrity: Integrity::Unverified,
                            ..
                        } => expand(piece, bytes, &mut found),
                        _ => found.push(piece),
                    }
                }
            }
        }
    }
    found
}

/// Takes the messages of a conversation in place of the line that holds it.
fn expand(piece: Piece, bytes: &[u8], found: &mut Vec<Piece>) {
    let ranges = message::message_ranges(bytes);
    if ranges.is_empty() {
        found.push(piece);
        return;
    }
    let start = piece.range.start;
    found.extend(ranges.into_iter().map(|range| Piece {
        range: start + range.start..start + range.end,
        checked: Checked::Record {
            number: None,
            integrity: Integrity::Unverified,
        },
    }));
}

/// Finds whole messages in what is no record; the rest stays damage.
pub(crate) fn within(bytes: &[u8], reason: Reason) -> Vec<Piece> {
    let whole = |checked| {
        vec![Piece {
            range: 0..bytes.len(),
            checked,
        }]
    };
    if matches!(reason, Reason::TooLong | Reason::Packed) {
        return whole(Checked::Bad(reason));
    }
    let mut search = Search {
        bytes,
        reason,
        pieces: Vec::new(),
        bad_from: 0,
        tries: TRIES,
    };
    let mut offset = 0;
    for chunk in bytes.utf8_chunks() {
        search.text(chunk.valid(), offset);
        offset += chunk.valid().len() + chunk.invalid().len();
    }
    search.bad_up_to(bytes.len());
    match search.pieces.is_empty() {
        true => whole(Checked::Bad(reason)),
        false => search.pieces,
    }
}

struct Search<'a> {
    bytes: &'a [u8],
    reason: Reason,
    pieces: Vec<Piece>,
    /// What stands before the next message begins here.
    bad_from: usize,
    tries: usize,
}

impl Search<'_> {
    /// Looks for messages in a text, which stands at `offset`.
    fn text(&mut self, text: &str, offset: usize) {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find('{')) {
            let start = from + at;
            from = start + 1;
            let rest = text.get(start..).unwrap_or_default();
            if !begins_as_object(rest) {
                continue;
            }
            if self.tries == 0 {
                return;
            }
            self.tries -= 1;
            let Some(length) = message::object_len(rest) else {
                continue;
            };
            let behind = rest.get(length..).unwrap_or_default();
            let range = offset + start..offset + start + length;
            if self.is_message(&range, behind) {
                self.take(range);
                from = start + length;
            }
        }
    }

    /// Tells whether an object stands for itself, and is no part of one whose
    /// beginning or end is missing.
    fn is_message(&self, object: &Range<usize>, behind: &str) -> bool {
        let before = self.bytes.get(self.bad_from..object.start);
        let before = before.unwrap_or_default().trim_ascii_end();
        let is_inside = before.iter().any(|byte| matches!(byte, b'{' | b'"'));
        let next = behind.trim_start().as_bytes().first();
        match next {
            Some(b'}' | b':') => return false,
            Some(b',' | b']') if is_inside => return false,
            _ => {}
        }
        let is_value = matches!(before.last(), Some(b':' | b',' | b'['));
        if !(is_value && is_inside) {
            return true;
        }
        // Whoever tore the line may have done so before a value.
        let line = self.bytes.get(object.clone()).unwrap_or_default();
        let record = Record::parse_fields(line);
        record.is_ok_and(|record| record.sender != "unknown" && !record.timestamp.is_empty())
    }

    fn take(&mut self, range: Range<usize>) {
        self.bad_up_to(range.start);
        let line = self.bytes.get(range.clone()).unwrap_or_default();
        self.bad_from = range.end;
        let checked = match sort_line(line, true).as_slice() {
            [piece] if piece.range == (0..line.len()) => piece.checked,
            _ => Checked::Bad(self.reason),
        };
        // The journal knows no `NaN`.
        let checked = match checked {
            Checked::Bad(_) => Checked::Record {
                number: None,
                integrity: Integrity::Unverified,
            },
            checked => checked,
        };
        self.pieces.push(Piece { range, checked });
    }

    /// What stands before a message, or behind the last, is damage, unless it is
    /// what logs put in front of a line, or commas between messages.
    fn bad_up_to(&mut self, end: usize) {
        let range = self.bad_from..end;
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        let is_text = std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0);
        let has_json = bytes.iter().any(|byte| matches!(byte, b'{' | b'"' | b'}'));
        let is_separator = bytes.iter().all(|byte| b" \t\r,[]".contains(byte));
        let is_prefix = end < self.bytes.len() && is_text && !has_json;
        if !is_separator && !is_prefix {
            self.pieces.push(Piece {
                range,
                checked: Checked::Bad(self.reason),
            });
        }
    }
}

fn begins_as_object(text: &str) -> bool {
    let inside = text.get(1..).unwrap_or_default().trim_start();
    inside.starts_with('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages in a line, and how many bytes are damage.
    fn sorted(line: &[u8]) -> (Vec<&str>, usize) {
        let mut damage = 0;
        let mut messages = Vec::new();
        for piece in sort(line, true) {
            let bytes = &line[piece.range];
            match piece.checked {
                Checked::Record { .. } => messages.push(std::str::from_utf8(bytes).unwrap()),
                Checked::Bad(_) => damage += bytes.len(),
            }
        }
        (messages, damage)
    }

    const A: &str = r#"{"sender":"a","timestamp":"2025-11-20T12:00:00Z","content":{"x":{}}}"#;
    const B: &str = r#"{"sender":"b","content":"two"}"#;

    #[test]
    fn messages_glued_together_are_all_read() {
        assert_eq!(sorted(format!("{A}{B}").as_bytes()), (vec![A, B], 0));
        assert_eq!(sorted(format!("{A} , {B}").as_bytes()), (vec![A, B], 0));
        assert_eq!(sorted(format!("[{A},{B}]").as_bytes()).1, 0);
    }

    #[test]
    fn a_message_behind_a_torn_one_is_read() {
        for cut in 1..A.len() - 3 {
            let line = format!("{}{A}", &A[..cut]);
            let (messages, damage) = sorted(line.as_bytes());
            assert_eq!(messages.last(), Some(&A), "{line}");
            assert!(damage > 0 || cut == 1, "{line}");
        }
        let line = [&A.as_bytes()[..20], b"\xc3", B.as_bytes()].concat();
        assert_eq!(sorted(&line), (vec![B], 21));
    }

    #[test]
    fn a_part_of_a_torn_message_is_none() {
        for line in [&A[..A.len() - 1], &A[10..], &A[1..]] {
            assert_eq!(sorted(line.as_bytes()), (vec![], line.len()), "{line}");
        }
    }

    #[test]
    fn a_logs_prefix_is_passed_over() {
        for prefix in [
            "2025-11-20T12:00:00.000000000Z stdout F ",
            "Nov 20 12:00:00 host app[123]: ",
            "[pod/x/c] ",
            "web_1  | ",
        ] {
            let line = format!("{prefix}{A}");
            assert_eq!(sorted(line.as_bytes()), (vec![A], 0), "{line}");
        }
    }

    #[test]
    fn numbers_of_python_are_no_damage() {
        let line = r#"{"sender":"x","content":{"loss":NaN,"m":-Infinity}}"#;
        assert_eq!(sorted(line.as_bytes()), (vec![line], 0));
    }

    #[test]
    fn a_conversation_in_a_line_is_its_messages() {
        let line =
            r#"{"messages": [{"role": "user", "content": "a"}, {"role": "b", "content": "c"}]}"#;
        assert_eq!(sorted(line.as_bytes()).0.len(), 2);
    }

    #[test]
    fn a_line_of_brackets_takes_no_longer_than_others() {
        let line = "{\"".repeat(1 << 20);
        assert_eq!(sorted(line.as_bytes()), (vec![], line.len()));
    }
}

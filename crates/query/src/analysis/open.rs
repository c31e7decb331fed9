//! Which messages ask for an answer.

use super::moment::text;
use super::place::MessagePlace;
use super::schema::OpenQuestion;
use crate::body::Body;
use crate::error::Error;
use crate::fields::Fields;
use crate::source::Source;
use crate::time::Clock;
use crate::zone::Zone;

/// Of longer lines nothing is told but where they stand.
const LONGEST_LINE: usize = 1 << 20;
/// How many characters of a question are told.
const SHOWN: usize = 200;

/// How values and topics end that ask for something.
const REQUESTS: [&[u8]; 4] = [b"request", b"question", b"query", b"ask"];

/// Tells whether a message asks: a value in its content ends with a question
/// mark, or is a single word that ends with `request`, `question`, `query` or
/// `ask`, as `design_review_request` does; or its topic ends so.
pub(super) fn is_question(fields: &Fields<'_>) -> bool {
    is_request(&fields.topic)
        || fields
            .content
            .any_value_ending(may_ask, &mut |value| asks(value))
}

/// Tells whether what ends with this byte may ask.
fn may_ask(last: u8) -> bool {
    matches!(last, b'?' | 0x80..)
        || REQUESTS
            .iter()
            .any(|word| word.last() == Some(&(last | 0x20)))
}

fn asks(value: &[u8]) -> bool {
    let value = value.trim_ascii_end();
    // As people write it in China and Japan, and in Arabic.
    let marks = [&b"?"[..], "？".as_bytes(), "؟".as_bytes()];
    marks.iter().any(|mark| value.ends_with(mark)) || is_request(value)
}

fn is_request(word: &[u8]) -> bool {
    const LONGEST: usize = 64;
    let is_word = word.len() <= LONGEST && !word.iter().any(u8::is_ascii_whitespace);
    is_word && REQUESTS.iter().any(|end| is_last_part(word, end))
}

/// Tells whether a word is another one or has it as its last part: `a_task` does
/// not ask.
fn is_last_part(word: &[u8], part: &[u8]) -> bool {
    let Some(start) = word.len().checked_sub(part.len()) else {
        return false;
    };
    let (before, last) = word.split_at(start);
    let is_apart = before
        .last()
        .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    last.eq_ignore_ascii_case(part) && is_apart
}

/// Reads a message again, to tell what it asks.
pub(super) fn read(
    source: &Source,
    place: MessagePlace,
    zone: &Zone,
) -> Result<OpenQuestion, Error> {
    let (file, offset) = place.parts();
    let Some(part) = source.parts.get(file) else {
        return Ok(OpenQuestion::default());
    };
    let line = part.line_at(offset, LONGEST_LINE)?;
    // A piece of a line is no record; what was counted by then was whole.
    let Ok(record) = message::Record::parse(&line) else {
        return Ok(OpenQuestion::default());
    };
    let recorded = record.recorded_at.as_ref().unwrap_or(&record.timestamp);
    let recorded = Clock::default().read(recorded.as_bytes());
    let cut = |text: &str| text.chars().take(SHOWN).collect::<String>();
    Ok(OpenQuestion {
        message_num: record.message_num,
        message_id: cut(record.message_id.as_deref().unwrap_or_default()),
        sender: cut(&record.sender),
        topic: cut(&record.topic),
        recorded: recorded.and_then(|time| text(time, zone)),
        text: cut(&Body::of(&record).summary()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_requests_ask() {
        for text in [
            "Shall we? ",
            "？",
            "design_review_request",
            "Question",
            "user.query",
        ] {
            assert!(asks(text.as_bytes()), "{text}");
        }
        for text in ["", "a task", "a_task", "I saw the request", "why? because"] {
            assert!(!asks(text.as_bytes()), "{text}");
        }
    }
}

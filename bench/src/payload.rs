//! What agents say to each other, in the sizes that are measured, so that a
//! receiver can check every byte of it.

use anyhow::{Context as _, bail, ensure};

/// The topic of all messages.
pub(crate) const TOPIC: &[u8] = b"general";
/// How many texts take turns.
const TEXTS: u64 = 8;
/// The number of messages that only show that the way is open.
const WARM_UP: u64 = 9_999_999_999;
/// A payload begins with these, so its digits are at fixed places.
const SENDER: &str = r#"{"sender_id": "agent_"#;
const SENDER_DIGITS: usize = 2;
const ID: &str = r#"", "message_id": "msg_"#;
const ID_DIGITS: usize = 10;
const ID_AT: usize = SENDER.len() + SENDER_DIGITS + ID.len();

/// Payloads of one size. Only their digits differ from call to call, so that
/// making one costs next to nothing.
#[derive(Debug)]
pub(crate) struct Payloads {
    texts: Vec<Vec<u8>>,
}

impl Payloads {
    /// Makes the payloads of `size` bytes.
    ///
    /// # Errors
    /// An error where the size is too small for the fields of a message.
    pub(crate) fn new(size: usize) -> anyhow::Result<Self> {
        let texts = (0..TEXTS).map(|variant| payload(size, variant)).collect();
        let texts: Option<Vec<Vec<u8>>> = texts;
        let texts = texts.with_context(|| format!("a message of {size} bytes is too small"))?;
        Ok(Self { texts })
    }

    /// Returns a publisher's payload with a number.
    pub(crate) fn get(&mut self, publisher: usize, number: u64) -> &[u8] {
        let index = usize::try_from(number % TEXTS).unwrap_or(0);
        let text = &mut self.texts[index];
        write_digits(&mut text[SENDER.len()..][..SENDER_DIGITS], publisher as u64);
        write_digits(&mut text[ID_AT..][..ID_DIGITS], number);
        text
    }

    /// Returns a payload that does not count.
    pub(crate) fn warm_up(&mut self, publisher: usize) -> &[u8] {
        self.get(publisher, WARM_UP)
    }
}

/// What a subscriber has received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// A message that does not count, from this publisher.
    WarmUp(usize),
    /// The next message of this publisher, and its number.
    Message(usize, u64),
}

/// Checks that every message of every publisher arrives once, in order, whole.
#[derive(Debug)]
pub(crate) struct Verifier {
    expected: Payloads,
    /// Each publisher's next number.
    next: Vec<u64>,
}

impl Verifier {
    /// Expects messages of `size` bytes from a number of publishers.
    ///
    /// # Errors
    /// An error where the size is too small for the fields of a message.
    pub(crate) fn new(size: usize, publishers: usize) -> anyhow::Result<Self> {
        Ok(Self {
            expected: Payloads::new(size)?,
            next: vec![0; publishers],
        })
    }

    /// Checks one payload.
    ///
    /// # Errors
    /// An error that says what is wrong with it.
    pub(crate) fn check(&mut self, payload: &[u8]) -> anyhow::Result<Received> {
        let digits = |at: usize, count| read_digits(payload.get(at..at + count)?);
        let (Some(publisher), Some(number)) = (
            digits(SENDER.len(), SENDER_DIGITS).and_then(|id| usize::try_from(id).ok()),
            digits(ID_AT, ID_DIGITS),
        ) else {
            bail!("no message of ours: {}", String::from_utf8_lossy(payload));
        };
        ensure!(
            publisher < self.next.len() && payload == self.expected.get(publisher, number),
            "message {number} of publisher {publisher} was altered on its way"
        );
        if number == WARM_UP {
            return Ok(Received::WarmUp(publisher));
        }
        let next = &mut self.next[publisher];
        ensure!(
            number == *next,
            "message {number} of publisher {publisher} came where {next} was due"
        );
        *next += 1;
        Ok(Received::Message(publisher, number))
    }

    /// Returns how many messages have come.
    pub(crate) fn count(&self) -> u64 {
        self.next.iter().sum()
    }
}

/// Builds a payload, or nothing where the size is too small for one.
fn payload(size: usize, variant: u64) -> Option<Vec<u8>> {
    let head = format!("{SENDER}00{ID}0000000000\", ");
    let (start, end) = if size < 512 {
        (
            r#""timestamp": "2025-11-20T04:30:00Z", "content": {"message": ""#,
            r#""}, "metadata": {"ace_tier": "E", "chain_type": "chat", "shl_tags": ["@Review"]}}"#,
        )
    } else {
        (
            concat!(
                r#""timestamp": "2025-11-20T04:30:00Z", "in_reply_to": "msg_0000000000", "#,
                r#""context_id": "journal_review", "content": {"message": ""#,
            ),
            concat!(
                r#"", "action": "design_review_request"}, "metadata": {"sender_role": "Agent", "#,
                r#""ace_tier": "A", "chain_type": "system_architecture", "#,
                r#""shl_tags": ["@Status-Ready", "@Review"]}}"#,
            ),
        )
    };
    let room = size.checked_sub(head.len() + start.len() + end.len())?;
    Some(
        [
            head.as_bytes(),
            start.as_bytes(),
            &text(room, variant),
            end.as_bytes(),
        ]
        .concat(),
    )
}

/// Returns `length` bytes of the inside of a JSON string.
fn text(length: usize, variant: u64) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "the ",
        "journal ",
        "writes ",
        "a ",
        "group ",
        "of ",
        "records, ",
        "then ",
        "one ",
        "fsync; ",
        "it ",
        "said ",
        "\\\"ready\\\" ",
        "after ",
        "recovery.\\n",
        "Next: ",
    ];
    let mut text = Vec::with_capacity(length);
    let mut state = variant.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    loop {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let word = WORDS[usize::try_from(state >> 60).unwrap_or(0)];
        if text.len() + word.len() > length {
            text.resize(length, b'.');
            return text;
        }
        text.extend_from_slice(word.as_bytes());
    }
}

fn write_digits(place: &mut [u8], mut value: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

fn read_digits(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, &digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_json_of_exactly_their_size() {
        for size in [256, 1_024, 16_384] {
            let mut payloads = Payloads::new(size).unwrap();
            for number in 0..TEXTS {
                let payload = payloads.get(3, number);
                assert_eq!(payload.len(), size);
                let json: serde_json::Value = serde_json::from_slice(payload).unwrap();
                assert_eq!(json["sender_id"], "agent_03");
                assert_eq!(json["message_id"], format!("msg_{number:010}"));
            }
        }
        Payloads::new(100).unwrap_err();
    }

    #[test]
    fn what_arrives_whole_and_in_order_is_counted() {
        let mut payloads = Payloads::new(256).unwrap();
        let mut verifier = Verifier::new(256, 2).unwrap();
        for number in 0..20 {
            for publisher in 0..2 {
                let seen = verifier.check(payloads.get(publisher, number)).unwrap();
                assert_eq!(seen, Received::Message(publisher, number));
            }
        }
        let seen = verifier.check(payloads.warm_up(1)).unwrap();
        assert_eq!((seen, verifier.count()), (Received::WarmUp(1), 40));
    }

    #[test]
    fn a_lost_repeated_altered_or_cut_message_is_an_error() {
        let mut payloads = Payloads::new(256).unwrap();
        let mut verifier = Verifier::new(256, 1).unwrap();
        verifier.check(payloads.get(0, 0)).unwrap();
        verifier.check(payloads.get(0, 0)).unwrap_err();
        verifier.check(payloads.get(0, 2)).unwrap_err();
        let whole = payloads.get(0, 1).to_vec();
        for at in [60, 150, 255] {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            verifier.check(&altered).unwrap_err();
        }
        verifier.check(&whole[..255]).unwrap_err();
        verifier.check(b"").unwrap_err();
        verifier.check(&whole).unwrap();
    }
}

use super::*;
use crate::source::Entry;
use crate::testing::{dir_with, open, recorded};

/// Numbers and depths of what is shown.
#[derive(Default)]
struct Shown(Vec<(u64, usize)>);

impl Sink for Shown {
    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.0.push((entry.number.unwrap(), entry.depth));
        Ok(())
    }
}

fn message(number: u64, id: &str, reply: &str, context: &str) -> Vec<u8> {
    let mut payload = serde_json::json!({ "message_id": id, "content": "text" });
    for (key, value) in [("in_reply_to", reply), ("context_id", context)] {
        if !value.is_empty() {
            payload[key] = value.into();
        }
    }
    recorded(number, "t", &payload.to_string())
}

fn thread(session: &[u8], name: &str) -> Vec<(u64, usize)> {
    let dir = dir_with(session);
    let mut source = open(&dir);
    source.tuning.chunk = 500;
    let mut shown = Shown::default();
    let (filter, mut findings) = (Filter::default(), Findings::default());
    show_thread(&source, name, &filter, &mut findings, &mut shown).unwrap();
    shown.0
}

#[test]
fn replies_stand_below_what_they_reply_to() {
    let session = [
        message(1, "question", "", ""),
        message(2, "other", "", ""),
        message(3, "answer-1", "question", ""),
        message(4, "answer-2", "question", ""),
        message(5, "thanks", "answer-1", ""),
        message(6, "reply to other", "other", ""),
    ]
    .concat();
    let expected = [(1, 0), (3, 1), (5, 2), (4, 1)];
    for name in ["question", "answer-1", "thanks", "answer-2"] {
        assert_eq!(thread(&session, name), expected, "{name}");
    }
    assert_eq!(thread(&session, "other"), [(2, 0), (6, 1)]);
    assert_eq!(thread(&session, "nobody"), []);
}

#[test]
fn a_context_is_one_conversation() {
    let session = [
        message(1, "a", "", "ctx"),
        message(2, "b", "", "elsewhere"),
        message(3, "c", "a", ""),
        message(4, "d", "", "ctx"),
    ]
    .concat();
    let expected = [(1, 0), (3, 1), (4, 0)];
    for name in ["ctx", "a", "c", "d"] {
        assert_eq!(thread(&session, name), expected, "{name}");
    }
}

#[test]
fn a_long_chain_is_followed_to_its_ends() {
    let chain = (1..=60).map(|number| {
        message(
            number,
            &format!("m-{number}"),
            &format!("m-{}", number - 1),
            "",
        )
    });
    let session: Vec<u8> = chain.flatten().collect();
    let expected: Vec<(u64, usize)> = (1..=60).zip(0..).collect();
    for name in ["m-1", "m-30", "m-60"] {
        assert_eq!(thread(&session, name), expected, "{name}");
    }
}

#[test]
fn a_circle_has_an_end() {
    let session = [
        message(1, "a", "b", ""),
        message(2, "b", "a", ""),
        message(3, "self", "self", ""),
    ]
    .concat();
    assert_eq!(thread(&session, "a"), [(1, 0), (2, 1)]);
    assert_eq!(thread(&session, "self"), [(3, 0)]);
}

#[test]
fn names_may_be_written_as_escapes() {
    let line =
        br#"{"topic":"t","content":{"in_reply_to":"\u0061b"},"sender":"s","message_id":"x\/y"}"#;
    let session = [
        &message(1, "ab", "", "")[..],
        line,
        b"\n",
        &message(3, "z", "x/y", ""),
    ]
    .concat();
    // Of a line made by hand the content is the payload.
    for name in ["x/y", "ab", "z"] {
        assert_eq!(thread(&session, name), [(1, 0), (2, 1), (3, 2)], "{name}");
    }
}

#[test]
fn links_may_stand_in_the_metadata_or_in_a_line_made_by_hand() {
    let payload = r#"{"message_id":"b","content":1,"metadata":{"in_reply_to":"a"}}"#;
    let session = [
        &message(1, "a", "", "")[..],
        &recorded(2, "t", payload),
        b"{\"topic\":\"t\",\"sender\":\"s\",\"in_reply_to\":\"b\",\"content\":1}\n",
    ]
    .concat();
    assert_eq!(thread(&session, "a"), [(1, 0), (2, 1), (3, 2)]);
}

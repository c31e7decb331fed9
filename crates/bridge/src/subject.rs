//! The subjects under which records stand in a stream.

use std::fmt::Write;

/// What every subject begins with.
const ROOT: &str = "conv";
/// How long a topic's part of a subject gets; NATS drops a connection for 4 KiB.
const LONGEST: usize = 1024;

/// Returns the subject under which the bridge of a machine is asked how it goes.
pub(crate) fn status(origin: &str) -> String {
    format!("{ROOT}-status.{origin}")
}

/// Returns the subject of a record of this topic. It is a hint to those who filter; what
/// counts is the payload.
///
/// Points stand between the parts of a topic, as in subjects. What has a meaning there,
/// and all bytes that are no letter, digit, `_` or `-`, are written as `%` and two
/// hexadecimal digits; an empty part is `%`.
pub(crate) fn of_topic(origin: &str, topic: &str) -> String {
    let mut subject = format!("{ROOT}.{origin}");
    let longest = subject.len() + LONGEST;
    for part in topic.split('.') {
        subject.push('.');
        if part.is_empty() {
            subject.push('%');
        }
        for byte in part.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => {
                    subject.push(char::from(byte));
                }
                _ => drop(write!(subject, "%{byte:02X}")),
            }
        }
        if subject.len() > longest {
            subject.truncate(longest);
            break;
        }
    }
    match subject.ends_with('.') {
        true => subject + "%",
        false => subject,
    }
}

/// Returns the subject of a number that is no record of this journal: no topic has it.
pub(crate) fn of_marker(origin: &str, kind: &str) -> String {
    format!("{ROOT}.{origin}.%{kind}")
}

/// Returns all subjects of a journal.
pub(crate) fn all(origin: &str) -> String {
    format!("{ROOT}.{origin}.>")
}

/// Returns the subject of the parts of records that are too large for one message.
pub(crate) fn parts(origin: &str) -> String {
    format!("{ROOT}-parts.{origin}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_becomes_a_subject_that_means_nothing_else() {
        for (topic, subject) in [
            ("chat", "conv.pc.chat"),
            ("chat.team-1", "conv.pc.chat.team-1"),
            ("", "conv.pc.%"),
            ("a..b", "conv.pc.a.%.b"),
            (".", "conv.pc.%.%"),
            ("*", "conv.pc.%2A"),
            ("a.>", "conv.pc.a.%3E"),
            ("hello world", "conv.pc.hello%20world"),
            ("ü", "conv.pc.%C3%BC"),
            ("%", "conv.pc.%25"),
        ] {
            assert_eq!(of_topic("pc", topic), subject);
        }
        assert!(of_marker("pc", "missing").starts_with("conv.pc.%m"));
    }

    #[test]
    fn a_topic_without_end_is_cut_to_a_subject_that_is_valid() {
        for part in ["x", ".", "x.", "\u{1}"] {
            let subject = of_topic("pc", &part.repeat(100_000));
            assert!(subject.len() <= LONGEST + 10, "{}", subject.len());
            assert!(subject.split('.').all(|token| !token.is_empty()));
        }
    }
}

//! What stands at one number of a stream.

use async_nats::HeaderMap;
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use bytes::Bytes;
use message::Record;
use serde::Serialize;

use crate::part_list;
use crate::subject;

/// The header that says what a message is; a record has none.
pub(crate) const KIND: &str = "Conv-Kind";

/// What a message of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A record of the journal: the payload is its line.
    Record,
    /// The line of a record that was carried here from another journal. It is no message
    /// of this one: who receives passes it over.
    Carried,
    /// The number has no record that can be read.
    Missing,
    /// A record that is too large for one message: the payload says where its parts are.
    Parts,
    /// Something that this version does not know.
    Unknown,
}

/// Something that is to be shipped under a number.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) subject: String,
    pub(crate) payload: Bytes,
}

#[derive(Serialize)]
struct Marker {
    message_num: u64,
    missing: bool,
}

impl Kind {
    /// Returns what the header says.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Record | Self::Unknown => None,
            Self::Carried => Some("carried"),
            Self::Missing => Some("missing"),
            Self::Parts => Some("parts"),
        }
    }

    pub(crate) fn of(headers: Option<&HeaderMap>) -> Self {
        let said = headers.and_then(|headers| headers.get(KIND));
        match said.map(|value| value.as_str()) {
            None => Self::Record,
            Some("carried") => Self::Carried,
            Some("missing") => Self::Missing,
            Some("parts") => Self::Parts,
            Some(_) => Self::Unknown,
        }
    }
}

impl Entry {
    /// A record, by its line.
    pub(crate) fn of_line(origin: &str, number: u64, line: Vec<u8>) -> Self {
        let (kind, subject) = match Record::parse_fields(&line) {
            Ok(record) if record.provenance.is_some() => {
                let kind = Kind::Carried;
                (kind, subject::of_marker(origin, "carried"))
            }
            Ok(record) => (Kind::Record, subject::of_topic(origin, &record.topic)),
            Err(_) => (Kind::Record, subject::of_topic(origin, "")),
        };
        Self {
            number,
            kind,
            subject,
            payload: line.into(),
        }
    }

    /// A number without a record.
    pub(crate) fn missing(origin: &str, number: u64) -> Self {
        let marker = Marker {
            message_num: number,
            missing: true,
        };
        Self {
            number,
            kind: Kind::Missing,
            subject: subject::of_marker(origin, "missing"),
            // Numbers and truth values can't fail to become JSON.
            payload: serde_json::to_vec(&marker).unwrap_or_default().into(),
        }
    }

    /// Returns the message, which the server takes only behind the one before it.
    pub(crate) fn message(&self, stream: &str) -> PublishMessage {
        let message = PublishMessage::build()
            .payload(self.payload.clone())
            .expected_last_sequence(self.number.saturating_sub(1))
            .expected_stream(stream);
        match self.kind.name() {
            Some(kind) => message.header(KIND, kind),
            None => message,
        }
    }

    /// Tells whether this is what stands in a stream. What was damaged when it was
    /// shipped may have been mended since.
    pub(crate) fn is(&self, shipped: &StreamMessage) -> bool {
        let kind = Kind::of(Some(&shipped.headers));
        match kind {
            Kind::Missing => true,
            Kind::Parts => part_list::list(&shipped.payload)
                .is_some_and(|list| list.sha256 == part_list::digest(&self.payload)),
            kind => kind == self.kind && shipped.payload == self.payload,
        }
    }
}

/// Returns when a line was recorded.
pub(crate) fn recorded_at(line: &[u8]) -> Option<jiff::Timestamp> {
    let record = Record::parse_fields(line).ok()?;
    record.recorded_at?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_was_carried_here_is_no_message_of_this_journal() {
        let line = br#"{"message_num":7,"topic":"a.b","sender":"x","content":1,"recorded_at":"2025-11-20T04:30:00.123Z"}"#;
        let entry = Entry::of_line("pc", 7, line.to_vec());
        assert_eq!((entry.kind, &*entry.subject), (Kind::Record, "conv.pc.a.b"));
        assert_eq!(entry.payload, line[..]);
        let line = br#"{"message_num":7,"topic":"a.b","sender":"x","content":1,"origin":{"journal":"j","name":"n","message_num":1},"recorded_at":"2025-11-20T04:30:00.123Z"}"#;
        let entry = Entry::of_line("pc", 7, line.to_vec());
        assert_eq!(entry.kind, Kind::Carried);
        assert_eq!(entry.subject, "conv.pc.%carried");
    }

    #[test]
    fn a_line_that_nobody_can_read_is_shipped_as_it_is() {
        let entry = Entry::of_line("pc", 1, b"\xff".to_vec());
        assert_eq!((entry.kind, &*entry.subject), (Kind::Record, "conv.pc.%"));
    }
}

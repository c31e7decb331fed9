//! Records that are too large for one message, in parts.
//!
//! The parts go to a stream of their own first, then the record's number gets a message
//! that says where they are. A bridge that is killed in between leaves parts that nobody
//! points to; they are shipped again.

use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use bytes::{Bytes, BytesMut};

use crate::entry::{Entry, Kind};
use crate::error::Error;
use crate::part_list::{PartList, digest, list};
use crate::stream::{Stream, within};
use crate::subject;

/// What a message has besides its payload: subject and headers.
const AROUND: usize = 4096;
/// The largest part. Servers take 1 MiB by default, and file storage 32 MiB at most.
const LARGEST: usize = 4 << 20;

/// Returns how long a payload may be for a server that takes this much.
pub(crate) fn longest(max_payload: usize) -> usize {
    max_payload.saturating_sub(AROUND).clamp(1, LARGEST)
}

/// Ships an entry's payload in parts, and returns what stands at its number instead.
pub(crate) async fn divide(
    context: &Context,
    stream: &Stream,
    entry: &Entry,
    longest: usize,
) -> Result<Entry, Error> {
    let subject = subject::parts(&stream.origin);
    let mut sequences = Vec::new();
    for start in (0..entry.payload.len()).step_by(longest) {
        let end = entry.payload.len().min(start + longest);
        let part = PublishMessage::build()
            .payload(entry.payload.slice(start..end))
            .expected_stream(&stream.parts);
        let what = "shipping a part of a large record";
        let sent = within(what, context.send_publish(subject.clone(), part)).await?;
        let sent = sent.map_err(|error| Error::nats(what, &error))?;
        let stored = within(what, sent.into_future()).await?;
        sequences.push(stored.map_err(|error| Error::nats(what, &error))?.sequence);
    }
    let list = PartList {
        message_num: entry.number,
        kind: entry.kind.name().unwrap_or("record").to_owned(),
        sequences,
        length: entry.payload.len() as u64,
        sha256: digest(&entry.payload),
    };
    Ok(Entry {
        number: entry.number,
        kind: Kind::Parts,
        subject: entry.subject.clone(),
        // Texts and numbers can't fail to become JSON.
        payload: serde_json::to_vec(&list).unwrap_or_default().into(),
    })
}

/// Puts a record together again; returns its kind, too.
pub(crate) async fn join(stream: &Stream, payload: &[u8]) -> Result<(Kind, Bytes), Error> {
    let damaged = |reason: &str| Error::stream(&stream.name, format!("a large record: {reason}"));
    let list = list(payload).ok_or_else(|| damaged("it does not say where its parts are"))?;
    let parts = stream.parts().await?;
    let length = usize::try_from(list.length).unwrap_or(0);
    let mut line = BytesMut::with_capacity(length.min(LARGEST));
    for sequence in &list.sequences {
        let what = "reading a part of a large record";
        let part = within(what, parts.get_raw_message(*sequence)).await?;
        let part = part.map_err(|error| Error::nats(what, &error))?;
        line.extend_from_slice(&part.payload);
    }
    if line.len() != length || digest(&line) != list.sha256 {
        return Err(damaged(&format!(
            "the parts of number {} do not make what was shipped",
            list.message_num
        )));
    }
    let kind = match &*list.kind {
        "record" => Kind::Record,
        "carried" => Kind::Carried,
        _ => Kind::Unknown,
    };
    Ok((kind, line.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_fits_whatever_the_server_takes() {
        assert_eq!(longest(1 << 20), (1 << 20) - AROUND);
        assert_eq!(longest(64 << 20), LARGEST);
        assert_eq!(longest(0), 1);
    }

    #[test]
    fn a_digest_is_in_hexadecimal_digits() {
        // NIST's example for "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc"), abc);
    }
}

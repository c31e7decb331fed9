//! A machine's journal, made of its stream: for when the machine is lost.

use std::io::Write;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use futures_util::StreamExt;

use crate::entry::Kind;
use crate::error::Error;
use crate::parts;
use crate::stream::{Stream, within};

/// What was fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The first number, and the last.
    pub first: u64,
    /// The last number that the stream had.
    pub last: u64,
    /// Records written.
    pub records: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Numbers that had no readable record in the journal either.
    pub missing: u64,
}

/// Writes the lines of a journal as they were, one after the other.
///
/// # Errors
/// [`Error::Stream`] where there is no such stream, or it lacks something.
pub async fn fetch(
    context: &Context,
    origin: &str,
    out: &mut impl Write,
) -> Result<Fetched, Error> {
    let stream = find(context, origin).await?;
    let last = stream.last().await?;
    let mut fetched = Fetched {
        first: stream.first,
        last,
        ..Fetched::default()
    };
    if last < stream.first {
        return Ok(fetched);
    }
    let mut lines = Lines::open(&stream, stream.first).await?;
    for number in stream.first..=last {
        match lines.next(number).await? {
            Some(line) => {
                let written = out.write_all(&line).and_then(|()| out.write_all(b"\n"));
                written.map_err(|source| Error::File {
                    path: "the output".into(),
                    source,
                })?;
                fetched.records += 1;
                fetched.bytes += line.len() as u64 + 1;
            }
            None => fetched.missing += 1,
        }
    }
    Ok(fetched)
}

/// Returns the stream of a journal, which has to be there.
pub(crate) async fn find(context: &Context, origin: &str) -> Result<Stream, Error> {
    let found = Stream::find(context, origin).await?;
    found.ok_or_else(|| {
        let reason = "there is no such stream: `bridge status` tells which there are";
        Error::stream(&crate::stream::name(origin), reason)
    })
}

/// The lines of a stream, in order.
pub(crate) struct Lines<'a> {
    stream: &'a Stream,
    messages: async_nats::jetstream::consumer::pull::Ordered,
}

impl<'a> Lines<'a> {
    pub(crate) async fn open(stream: &'a Stream, first: u64) -> Result<Self, Error> {
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: first,
            },
            ..OrderedConfig::default()
        };
        let what = format!("reading the stream {}", stream.name);
        let handle = stream.messages().await?;
        let consumer = within(&what, handle.create_consumer(config)).await?;
        let consumer = consumer.map_err(|error| Error::nats(what.clone(), &error))?;
        let messages = within(&what, consumer.messages()).await?;
        let messages = messages.map_err(|error| Error::nats(what, &error))?;
        Ok(Self { stream, messages })
    }

    /// Returns the line at the next number, which has to be this one; `None` where the
    /// journal had none.
    pub(crate) async fn next(&mut self, number: u64) -> Result<Option<bytes::Bytes>, Error> {
        let what = format!("reading the stream {}", self.stream.name);
        let message = within(&what, self.messages.next()).await?;
        let message = message.ok_or_else(|| Error::nats(what.clone(), &"it ended"))?;
        let message = message.map_err(|error| Error::nats(what.clone(), &error))?;
        let info = message.info().map_err(|error| Error::nats(what, &error))?;
        if info.stream_sequence != number {
            let reason = format!(
                "number {number} is not there: {} came",
                info.stream_sequence
            );
            return Err(Error::stream(&self.stream.name, reason));
        }
        match Kind::of(message.headers.as_ref()) {
            Kind::Record | Kind::Carried => Ok(Some(message.payload.clone())),
            Kind::Missing => Ok(None),
            Kind::Parts => {
                let (_, line) = parts::join(self.stream, &message.payload).await?;
                Ok(Some(line))
            }
            Kind::Unknown => {
                let reason =
                    format!("number {number} is of a kind that this version does not know");
                Err(Error::stream(&self.stream.name, reason))
            }
        }
    }
}

//! What stands in a stream, number by number.

use async_nats::jetstream;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::entry::Kind;
use crate::error::Error;
use crate::parts;
use crate::stream::{Stream, within};

/// Reads a stream's messages in order. An ordered consumer never leaves anything out,
/// which a durable one does when its server is killed.
pub(crate) struct Reader {
    stream: Stream,
    messages: Ordered,
}

/// What stands at a number.
pub(crate) struct Found {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    /// The record's line, where there is one.
    pub(crate) line: Bytes,
}

impl Reader {
    /// Begins to read.
    pub(crate) async fn open(
        stream: &Stream,
        deliver_policy: DeliverPolicy,
    ) -> Result<Self, Error> {
        let config = OrderedConfig {
            deliver_policy,
            description: Some("conversation bridge".to_owned()),
            ..OrderedConfig::default()
        };
        let what = stream.reading();
        let handle = stream.messages().await?;
        let consumer = within(&what, handle.create_consumer(config)).await?;
        let consumer = consumer.map_err(|error| Error::nats(what.clone(), &error))?;
        let messages = within(&what, consumer.messages()).await?;
        Ok(Self {
            stream: stream.clone(),
            messages: messages.map_err(|error| Error::nats(what, &error))?,
        })
    }

    /// Begins to read at a number.
    pub(crate) async fn open_at(stream: &Stream, number: u64) -> Result<Self, Error> {
        let start_sequence = number;
        Self::open(stream, DeliverPolicy::ByStartSequence { start_sequence }).await
    }

    /// Waits for the next message. To stop waiting loses nothing.
    pub(crate) async fn next(&mut self) -> Result<jetstream::Message, Error> {
        let what = || self.stream.reading();
        let message = self.messages.next().await;
        let message = message.ok_or_else(|| Error::nats(what(), &"it ended"))?;
        message.map_err(|error| Error::nats(what(), &error))
    }

    /// Takes a message apart; the parts of a large record are put together.
    pub(crate) async fn look_at(&mut self, message: &jetstream::Message) -> Result<Found, Error> {
        let info = message.info();
        let number = info
            .map_err(|error| Error::nats(self.stream.reading(), &error))?
            .stream_sequence;
        let (kind, line) = match Kind::of(message.headers.as_ref()) {
            Kind::Parts => parts::join(&self.stream, &message.payload).await?,
            kind => (kind, message.payload.clone()),
        };
        match kind {
            Kind::Parts | Kind::Unknown => {
                let reason =
                    format!("number {number} is of a kind that this version does not know");
                Err(Error::stream(&self.stream.name, reason))
            }
            kind => Ok(Found { number, kind, line }),
        }
    }

    /// Returns the line at the next number, which has to be this one; `None` where the
    /// journal had none.
    pub(crate) async fn line(&mut self, number: u64) -> Result<Option<Bytes>, Error> {
        let what = self.stream.reading();
        let message = within(&what, self.next()).await??;
        let found = self.look_at(&message).await?;
        if found.number != number {
            let reason = format!("number {number} is not there: {} came", found.number);
            return Err(Error::stream(&self.stream.name, reason));
        }
        Ok((found.kind != Kind::Missing).then_some(found.line))
    }
}

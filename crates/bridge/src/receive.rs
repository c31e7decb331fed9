//! From other journals' streams to the local broker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::DeliverPolicy;
use bytes::Bytes;
use client::{Carrier, Foreign};
use futures_util::StreamExt;
use log::{error, info};
use message::Record;
use tokio::task::JoinHandle;

use crate::entry::Kind;
use crate::error::Error;
use crate::outbound::asked;
use crate::progress::Progress;
use crate::reader::{Found, Reader};
use crate::repeats;
use crate::settings::{Begin, Broker, Receiving};
use crate::source::connect;
use crate::stream::{self, Stream, within};

/// How often it is looked for streams that are new.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait before a stream that failed is begun again.
const PAUSE: Duration = Duration::from_secs(1);
/// Messages are published when nothing more comes for this long, or when there are this many.
const QUIET: Duration = Duration::from_millis(2);
const MESSAGES: usize = 1_000;
const BYTES: usize = 4 << 20;

/// Receives other journals' messages, those of streams that are made later included. It
/// ends only when the broker can't be asked who it is.
///
/// # Errors
/// [`Error::Broker`] where the local broker refuses.
pub async fn receive(
    context: &Context,
    broker: &Broker,
    receiving: &Receiving,
    progress: &Arc<Progress>,
) -> Result<(), Error> {
    let own = own_journal(broker).await?;
    let mut tasks: BTreeMap<String, JoinHandle<()>> = BTreeMap::new();
    loop {
        match origins(context).await {
            Ok(found) => {
                for origin in found.into_iter().filter(|name| is_wanted(receiving, name)) {
                    if tasks.get(&origin).is_some_and(|task| !task.is_finished()) {
                        continue;
                    }
                    let inflow = Inflow {
                        context: context.clone(),
                        broker: broker.clone(),
                        receiving: receiving.clone(),
                        progress: Arc::clone(progress),
                        own: own.clone(),
                        origin: origin.clone(),
                    };
                    tasks.insert(origin, tokio::spawn(inflow.run()));
                }
            }
            Err(error) => repeats::warn(format!("looking for streams: {error}")),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits for the broker where it is not there yet.
async fn own_journal(broker: &Broker) -> Result<String, Error> {
    loop {
        match asked(broker, |client| Ok(client.status()?.journal)).await {
            Err(error) if error.may_pass() => repeats::warn(format!("{error}; trying again")),
            journal => return journal,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn is_wanted(receiving: &Receiving, origin: &str) -> bool {
    receiving.origins.is_empty() || receiving.origins.iter().any(|wanted| wanted == origin)
}

/// Returns the names of all journals that have a stream.
pub(crate) async fn origins(context: &Context) -> Result<Vec<String>, Error> {
    let what = "listing streams";
    let listed = within(what, async {
        let mut names = context.stream_names();
        let mut found = Vec::new();
        while let Some(name) = names.next().await {
            let name = name.map_err(|error| Error::nats(what, &error))?;
            found.extend(stream::origin(&name).map(str::to_owned));
        }
        Ok(found)
    });
    listed.await?
}

/// What comes of one journal.
struct Inflow {
    context: Context,
    broker: Broker,
    receiving: Receiving,
    progress: Arc<Progress>,
    /// The local journal's identity.
    own: String,
    origin: String,
}

impl Inflow {
    /// Goes on until the journal turns out to be the local one, or something is wrong
    /// that does not pass.
    async fn run(self) {
        loop {
            match self.attempt().await {
                Ok(()) => return,
                Err(error) if error.may_pass() => {
                    repeats::warn(format!(
                        "receiving from {}: {error}; trying again",
                        self.origin
                    ));
                    self.fail(&error);
                }
                Err(error) => {
                    error!("receiving from {} has stopped: {error}", self.origin);
                    return self.fail(&error);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn fail(&self, error: &Error) {
        let reason = error.to_string();
        self.progress.note_inbound(&self.origin, |inbound| {
            inbound.restarts += 1;
            inbound.last_error = Some(reason);
        });
    }

    async fn attempt(&self) -> Result<(), Error> {
        let Some(stream) = Stream::find(&self.context, &self.origin).await? else {
            return Ok(());
        };
        if stream.journal == self.own {
            return Ok(());
        }
        let (journal, name) = (stream.journal.clone(), self.origin.clone());
        let opened = asked(&self.broker, move |client| {
            let mut carrier = client.carry(&journal, &name)?;
            let last = carrier.last()?;
            Ok((carrier, last))
        });
        let (carrier, last) = opened.await?;
        let there = stream.last().await?;
        if there < last {
            let reason = format!(
                "it has {there} numbers, and {last} are recorded here: it was made anew or lost \
                 its end; as soon as its journal is shipped again this goes on"
            );
            return Err(Error::nats(&stream.name, &reason));
        }
        let mut reader = self.open(&stream, last).await?;
        info!("receiving from {} behind number {last}", self.origin);
        let mut taker = Taker {
            stream: &stream,
            inflow: self,
            carrier: Some(carrier),
            last,
            next: (last > 0).then_some(last + 1),
        };
        loop {
            let batch = taker.collect(&mut reader).await?;
            taker.publish(batch).await?;
        }
    }

    /// Begins to read behind a number.
    async fn open(&self, stream: &Stream, last: u64) -> Result<Reader, Error> {
        let begin = match self.receiving.begin {
            _ if last > 0 => return Reader::open_at(stream, last + 1).await,
            Begin::All => DeliverPolicy::All,
            Begin::New => DeliverPolicy::New,
            Begin::Since(time) => DeliverPolicy::ByStartTime {
                start_time: time::OffsetDateTime::from_unix_timestamp_nanos(time.as_nanosecond())
                    .unwrap_or(time::OffsetDateTime::UNIX_EPOCH),
            },
        };
        Reader::open(stream, begin).await
    }
}

/// Takes a stream's messages one after the other.
struct Taker<'a> {
    stream: &'a Stream,
    inflow: &'a Inflow,
    /// Absent while it publishes.
    carrier: Option<Carrier>,
    /// The last number that is recorded here.
    last: u64,
    /// The number that has to come next; `None` before the first one.
    next: Option<u64>,
}

impl Taker<'_> {
    /// Takes what comes, up to a bounded number of messages.
    async fn collect(&mut self, reader: &mut Reader) -> Result<Vec<Foreign>, Error> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut message = reader.next().await?;
        loop {
            bytes += message.payload.len();
            let found = reader.look_at(&message).await?;
            batch.extend(self.take(&found)?);
            if batch.len() >= MESSAGES || bytes >= BYTES {
                return Ok(batch);
            }
            match tokio::time::timeout(QUIET, reader.next()).await {
                Ok(next) => message = next?,
                Err(_) => return Ok(batch),
            }
        }
    }

    fn take(&mut self, found: &Found) -> Result<Option<Foreign>, Error> {
        let number = found.number;
        let expected = self.next.unwrap_or(number);
        if number != expected {
            let reason = format!("number {number} came where {expected} was to come");
            return Err(Error::nats(&self.stream.name, &reason));
        }
        self.next = Some(number + 1);
        match found.kind {
            Kind::Record => self.frames(number, &found.line),
            _ => Ok(None),
        }
    }

    /// Returns the message in a line, if it is wanted.
    fn frames(&self, number: u64, line: &Bytes) -> Result<Option<Foreign>, Error> {
        if journal::raw::checksum(line).is_some() && !journal::raw::is_sealed(line) {
            return Err(self.damaged(number, "its checksum does not match"));
        }
        // What its own journal could not read either is no message.
        let Ok(record) = Record::parse(line) else {
            return Ok(None);
        };
        let topics = &self.inflow.receiving.topics;
        let is_wanted =
            topics.is_empty() || topics.iter().any(|it| record.topic.starts_with(&**it));
        let frames = record.frames();
        let frames: Option<Vec<Vec<u8>>> = frames
            .ok()
            .map(|frames| frames.iter().map(<[u8]>::to_vec).collect());
        Ok(frames
            .filter(|frames| is_wanted && !frames.is_empty())
            .map(|frames| Foreign {
                message_num: number,
                frames,
            }))
    }

    fn damaged(&self, number: u64, reason: &str) -> Error {
        Error::stream(&self.stream.name, format!("number {number}: {reason}"))
    }

    /// Publishes messages to the local broker.
    async fn publish(&mut self, batch: Vec<Foreign>) -> Result<(), Error> {
        let seen = self.next.map_or(0, |next| next - 1);
        let count = batch.len() as u64;
        if let Some(last) = batch.last().map(|message| message.message_num) {
            let carrier = match self.carrier.take() {
                Some(carrier) => carrier,
                None => self.reopen().await?,
            };
            let after = self.last;
            let publishing = tokio::task::spawn_blocking(move || {
                let mut carrier = carrier;
                let published = carrier.publish_all(after, &batch);
                (carrier, published)
            });
            let panicked = |_| Error::Ended {
                what: "publishing to the broker",
            };
            let (carrier, published) = publishing.await.map_err(panicked)?;
            published?;
            self.carrier = Some(carrier);
            self.last = last;
        }
        let recorded = self.last;
        self.inflow
            .progress
            .note_inbound(&self.inflow.origin, |inbound| {
                inbound.recorded = recorded;
                inbound.seen = seen;
                inbound.messages += count;
                inbound.last_error = None;
            });
        Ok(())
    }

    async fn reopen(&mut self) -> Result<Carrier, Error> {
        let (journal, name) = (self.stream.journal.clone(), self.inflow.origin.clone());
        let broker = self.inflow.broker.clone();
        let opened = tokio::task::spawn_blocking(move || {
            connect(&broker)?
                .carry(&journal, &name)
                .map_err(Error::from)
        });
        let panicked = |_| Error::Ended {
            what: "connecting to the broker",
        };
        opened.await.map_err(panicked)?
    }
}

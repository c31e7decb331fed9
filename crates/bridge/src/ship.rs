//! Many messages on their way to a stream, each behind the one before it.

use std::collections::VecDeque;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::publish::PublishAck;
use log::{info, warn};
use tokio::sync::mpsc::Receiver;

use crate::entry::{Entry, recorded_at};
use crate::error::Error;
use crate::parts;
use crate::progress::Progress;
use crate::repeats;
use crate::source::Batch;
use crate::stream::{Stream, within};

/// How many messages are on their way, and of how many bytes: what NATS' client holds
/// is bounded by nothing else.
const MESSAGES: usize = 1_000;
const BYTES: usize = 8 << 20;
/// How long to wait before the stream is asked once more.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often it is told how old the oldest message is: finding that out takes a moment.
const TELL: Duration = Duration::from_millis(250);

type Answer = Pin<Box<dyn Future<Output = Result<PublishAck, PublishError>> + Send>>;

/// Why shipping ends.
pub(crate) enum End {
    /// The stream has less than it has acknowledged: begin again behind what it has.
    Behind,
    /// It can't go on.
    Failed(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What is on its way to a stream.
pub(crate) struct Window {
    stream: Stream,
    progress: Arc<Progress>,
    /// The last number that the stream has acknowledged.
    stored: u64,
    /// What it has not, in the order of the numbers; those that were sent first.
    entries: VecDeque<Entry>,
    bytes: usize,
    answers: VecDeque<Answer>,
    /// When it was told last for how long the oldest of them has been waiting.
    told_at: Instant,
}

impl Window {
    pub(crate) fn new(stream: Stream, stored: u64, progress: Arc<Progress>) -> Self {
        progress.outbound.stored.store(stored, Ordering::Relaxed);
        Self {
            stream,
            progress,
            stored,
            entries: VecDeque::new(),
            bytes: 0,
            answers: VecDeque::new(),
            told_at: Instant::now(),
        }
    }

    /// Ships all that comes.
    pub(crate) async fn run(&mut self, source: &mut Receiver<Batch>) -> Result<(), End> {
        loop {
            let unsent = self.entries.len() - self.answers.len();
            let has_room = unsent == 0 && self.has_room();
            tokio::select! {
                biased;
                answer = next(&mut self.answers), if !self.answers.is_empty() => {
                    self.answers.pop_front();
                    self.take(answer).await?;
                }
                batch = source.recv(), if has_room => {
                    let ended = Error::Ended { what: "reading the journal" };
                    let batch = batch.ok_or(ended)??;
                    self.bytes += batch.iter().map(|entry| entry.payload.len()).sum::<usize>();
                    self.entries.extend(batch);
                }
            }
            self.send().await?;
            if self.told_at.elapsed() >= TELL {
                self.tell_oldest();
            }
        }
    }

    /// Tells since when the oldest message has been waiting.
    fn tell_oldest(&mut self) {
        self.told_at = Instant::now();
        let oldest = self.entries.front().and_then(|it| recorded_at(&it.payload));
        let since = oldest.map_or(0, |time| time.as_second());
        let told = &self.progress.outbound.waiting_since;
        told.store(since, Ordering::Relaxed);
    }

    fn has_room(&self) -> bool {
        self.answers.len() < MESSAGES && self.bytes < BYTES
    }

    /// Sends what is not on its way yet, as far as there is room.
    async fn send(&mut self) -> Result<(), End> {
        while self.answers.len() < MESSAGES
            && let Some(entry) = self.entries.get(self.answers.len())
        {
            let longest = parts::longest(self.stream.context.client().max_payload());
            let sent = match entry.payload.len() > longest {
                true => self.send_parts(longest).await,
                false => post(&self.stream, entry).await,
            };
            match sent {
                Ok(answer) => self.answers.push_back(answer),
                // What the stream has not got is sent again, before anything is waited for:
                // nothing is on its way any more.
                Err(error) => self.doubt(&error).await?,
            }
        }
        self.tell_in_flight();
        Ok(())
    }

    fn tell_in_flight(&self) {
        let in_flight = self.answers.len() as u64;
        let outbound = &self.progress.outbound;
        outbound.in_flight.store(in_flight, Ordering::Relaxed);
    }

    /// Ships the next entry in parts, and leaves in its place what says where they are.
    async fn send_parts(&mut self, longest: usize) -> Result<Answer, Error> {
        let at = self.answers.len();
        let Some(entry) = self.entries.get(at) else {
            let what = "a large record";
            return Err(Error::Ended { what });
        };
        let divided = parts::divide(&self.stream.context, &self.stream, entry, longest).await?;
        let answer = post(&self.stream, &divided).await?;
        if let Some(entry) = self.entries.get_mut(at) {
            self.bytes = self.bytes - entry.payload.len() + divided.payload.len();
            *entry = divided;
        }
        Ok(answer)
    }

    /// Takes the answer to the oldest message that is on its way.
    async fn take(&mut self, answer: Result<PublishAck, PublishError>) -> Result<(), End> {
        let expected = self.stored + 1;
        match answer {
            Ok(ack) if ack.sequence == expected => {
                self.stored_up_to(expected);
                self.progress.outbound.go_on();
                Ok(())
            }
            Ok(ack) => {
                let reason = format!(
                    "number {expected} was stored as {}: is another program publishing to it?",
                    ack.sequence
                );
                Err(End::Failed(Error::stream(&self.stream.name, reason)))
            }
            Err(error) => {
                if error.kind() == PublishErrorKind::MaxPayloadExceeded {
                    // Another server may take less; what is to be sent is looked at anew.
                    warn!("{error}");
                }
                self.doubt(&Error::nats("shipping", &error)).await
            }
        }
    }

    /// Nobody knows what became of what is on its way: asks the stream how far it is,
    /// until it answers, and goes on behind that.
    async fn doubt(&mut self, why: &Error) -> Result<(), End> {
        self.answers.clear();
        self.tell_in_flight();
        self.tell_oldest();
        self.progress.outbound.fail(why);
        self.progress
            .outbound
            .doubts
            .fetch_add(1, Ordering::Relaxed);
        repeats::warn(format!("{why}; asking the stream how far it is"));
        let mut pause = PAUSE;
        let last = loop {
            // A refusal would only be repeated at once: the stream may be full.
            tokio::time::sleep(pause).await;
            match self.stream.last().await {
                Ok(last) => break last,
                Err(error) if error.may_pass() => self.progress.outbound.fail(&error),
                Err(error) => return Err(End::Failed(error)),
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        };
        if last < self.stored {
            return Err(End::Behind);
        }
        let known = self
            .entries
            .back()
            .map_or(self.stored, |entry| entry.number);
        if last > known {
            // Somebody else ships the same journal, and is ahead.
            return Err(End::Behind);
        }
        self.stored_up_to(last);
        let again = self.entries.len() as u64;
        self.progress
            .outbound
            .again
            .fetch_add(again, Ordering::Relaxed);
        info!("the stream has {last}; {again} messages are sent again");
        Ok(())
    }

    fn stored_up_to(&mut self, last: u64) {
        while let Some(entry) = self.entries.front()
            && entry.number <= last
        {
            self.bytes -= entry.payload.len();
            self.entries.pop_front();
        }
        if self.entries.is_empty() {
            self.tell_oldest();
        }
        self.stored = last;
        self.progress.outbound.stored.store(last, Ordering::Relaxed);
    }
}

/// Waits for the oldest answer.
async fn next(answers: &mut VecDeque<Answer>) -> Result<PublishAck, PublishError> {
    match answers.front_mut() {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

async fn post(stream: &Stream, entry: &Entry) -> Result<Answer, Error> {
    let what = "shipping";
    let message = entry.message(&stream.name);
    let sent = stream.context.send_publish(entry.subject.clone(), message);
    let sent = within(what, sent).await?;
    let sent = sent.map_err(|error| Error::nats(what, &error))?;
    Ok(Box::pin(sent.into_future()))
}

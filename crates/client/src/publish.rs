//! Publishing many messages with few round trips, each of them once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::{Greeting, Id, Kind, Publish, Request, code};

use crate::connection::{ATTEMPT, hello};
use crate::connection::{Connection, Incoming};
use crate::error::Error;

/// How many requests are on their way at a time; the broker takes ten times as
/// many of all its clients.
const IN_FLIGHT: usize = 1_000;
/// How long the first reply is waited for before messages are sent again; twice
/// as long each time.
const FIRST_ATTEMPT: Duration = Duration::from_millis(250);
/// How long to wait before a request that was refused for the moment.
const PAUSE: Duration = Duration::from_millis(50);

/// A message that is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its number in the journal.
    pub message_num: u64,
    /// Whether it had been recorded before, so that nothing was added.
    pub duplicate: bool,
}

/// What is under way.
struct Batch<'a> {
    connection: &'a mut Connection,
    messages: Vec<Vec<&'a [u8]>>,
    /// Whether the broker recognises each when it is sent again.
    named: Vec<bool>,
    /// Messages that are to be sent, by index.
    unsent: BTreeSet<usize>,
    /// Requests without a reply: id and index.
    sent: BTreeMap<u64, usize>,
    /// The request that begins a sequence, while it has no reply.
    greeting: Option<u64>,
    published: Vec<Option<Published>>,
    /// How long the next reply is waited for.
    attempt: Duration,
    /// When something was heard or begun last, by the connection's clock.
    heard: Duration,
    /// When anything was last achieved, by the same clock.
    progress: Duration,
    timeout: Duration,
}

/// Publishes all messages.
pub(crate) fn publish_all<M, F>(
    connection: &mut Connection,
    messages: &[M],
    timeout: Duration,
) -> Result<Vec<Published>, Error>
where
    M: AsRef<[F]>,
    F: AsRef<[u8]>,
{
    let now = connection.clock();
    let messages: Vec<Vec<&[u8]>> = messages
        .iter()
        .map(|message| message.as_ref().iter().map(AsRef::as_ref).collect())
        .collect();
    let mut batch = Batch {
        connection,
        unsent: (0..messages.len()).collect(),
        sent: BTreeMap::new(),
        greeting: None,
        published: vec![None; messages.len()],
        named: messages
            .iter()
            .map(|message| message::identity(message).is_some())
            .collect(),
        messages,
        attempt: FIRST_ATTEMPT,
        heard: now,
        progress: now,
        timeout,
    };
    while !(batch.unsent.is_empty() && batch.sent.is_empty()) {
        batch.send();
        match batch.connection.receive(batch.patience())? {
            Some(incoming) => batch.take(&incoming)?,
            None => batch.start_over()?,
        }
    }
    Ok(batch.published.into_iter().flatten().collect())
}

impl Batch<'_> {
    /// Gives the connection what it takes; it leaves when replies are waited for.
    fn send(&mut self) {
        let sequence = self.connection.sequence;
        if sequence.is_none() {
            return self.begin();
        }
        let request = Request::Publish(Publish {
            sequence,
            ..Publish::default()
        });
        while self.sent.len() < IN_FLIGHT
            && let Some(index) = self.unsent.first().copied()
        {
            let Some(message) = self.messages.get(index) else {
                break;
            };
            let id = self.connection.id();
            if !self.connection.queue(id, &request, message) {
                break;
            }
            self.sent.insert(id, index);
            self.unsent.remove(&index);
        }
    }

    /// Begins a new sequence, when it is known what became of all messages of the one
    /// before: none may be sent again behind those that followed it.
    fn begin(&mut self) {
        if self.greeting.is_some() || !self.sent.is_empty() {
            return;
        }
        let id = self.connection.id();
        if self.connection.queue::<&[u8]>(id, &hello(), &[]) {
            self.greeting = Some(id);
        }
    }

    /// How long the next reply is waited for.
    fn patience(&self) -> Duration {
        // A message that can't be sent again is waited for to the end.
        let again = self.sent.values().all(|index| self.is_named(*index));
        let attempt = self.heard + if again { self.attempt } else { self.timeout };
        let end = self.progress + self.timeout;
        attempt.min(end).saturating_sub(self.connection.clock())
    }

    fn take(&mut self, incoming: &Incoming) -> Result<(), Error> {
        self.heard = self.connection.clock();
        // A reply to a request of an earlier call is nobody's.
        let Id::Number(id) = incoming.head.id else {
            return Ok(());
        };
        if self.greeting == Some(id) {
            return self.greet(incoming);
        }
        let Some(index) = self.sent.remove(&id) else {
            return Ok(());
        };
        if incoming.head.kind == Kind::Reply {
            let published: protocol::Published = self.connection.read(incoming)?;
            if let Some(place) = self.published.get_mut(index) {
                *place = Some(Published {
                    message_num: published.message_num,
                    duplicate: published.duplicate,
                });
            }
            self.progress = self.heard;
            self.attempt = FIRST_ATTEMPT;
            return Ok(());
        }
        let error = self.connection.refused(incoming);
        let safe = matches!(
            &error,
            Error::Refused {
                not_recorded: true,
                ..
            }
        ) || self.is_named(index);
        let in_time = self.connection.clock() < self.progress + self.timeout;
        if !(error.may_pass() && safe && in_time) {
            return Err(error);
        }
        // Of all that were refused together, the first one is waited for.
        if self.connection.sequence.take().is_some() && error.code() != Some(code::INTERRUPTED) {
            self.connection.pause(PAUSE);
        }
        self.unsent.insert(index);
        Ok(())
    }

    fn greet(&mut self, incoming: &Incoming) -> Result<(), Error> {
        self.greeting = None;
        if incoming.is_error() {
            return Err(self.connection.refused(incoming));
        }
        let greeting: Greeting = self.connection.read(incoming)?;
        self.connection.sequence = Some(greeting.sequence);
        Ok(())
    }

    /// Nobody answers: sends what has no reply over a new connection.
    fn start_over(&mut self) -> Result<(), Error> {
        if self.sent.values().any(|index| !self.is_named(*index)) {
            let endpoint = self.connection.endpoint();
            return Err(Error::Unknown { endpoint });
        }
        if self.connection.clock() >= self.progress + self.timeout {
            return Err(self.connection.no_answer(self.timeout));
        }
        self.connection.renew();
        self.greeting = None;
        self.attempt = ATTEMPT.min(self.attempt * 2);
        self.heard = self.connection.clock();
        self.unsent
            .extend(std::mem::take(&mut self.sent).into_values());
        Ok(())
    }

    fn is_named(&self, index: usize) -> bool {
        self.named.get(index).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests;

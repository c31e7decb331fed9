//! Reading the journal, and going on after a break.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::{Ack, Cancel, Credit, End, Ended, Filter, Kind, Request, Started, Word, code};

use crate::connection::ATTEMPT;
use crate::connection::{Connection, Incoming};
use crate::error::Error;

/// How many messages may be on their way to this client, or wait to be taken.
const CREDIT: u64 = 1_000;
/// After this many bytes were taken the broker is told. It sends up to four times as
/// many beyond what it knows to be taken, so that large messages take bounded memory
/// here, and go on coming all the same.
const WINDOW: usize = 1 << 20;
/// How often the broker hears of this client at least.
const ALIVE: Duration = Duration::from_secs(1);
/// A broker that is silent for this long is lost.
const LOST: Duration = Duration::from_secs(15);
/// How long to wait before the broker is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Where a consumer begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum From {
    /// At the message with this number.
    Number(u64),
    /// At the oldest message that is there.
    Start,
    /// At the first message of the current session.
    Session,
    /// At the next message to be recorded.
    Now,
    /// Behind the position that the broker keeps for the name.
    After,
    /// At the first message of this time (RFC 3339) or later.
    Time(String),
}

/// What to read. All that is not said has the protocol's default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consume {
    /// The name under which the broker keeps the position.
    pub name: Option<String>,
    /// Where to begin; with a name behind its position.
    pub from: Option<From>,
    /// Where to begin while the broker keeps no position for the name.
    pub initial: Option<From>,
    /// How the topic begins.
    pub topic: Option<String>,
    /// Who sent it.
    pub sender: Option<String>,
    /// Its tier.
    pub tier: Option<String>,
    /// Its chain type.
    pub chain: Option<String>,
    /// One of its tags.
    pub tag: Option<String>,
    /// Whether to end at what is the last message now.
    pub ends_at_head: bool,
    /// How many times as fast as they were recorded messages come.
    pub pace: Option<f64>,
    /// Whether each message comes as one frame, the line of its record.
    pub lines: bool,
}

/// A message of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub message_num: u64,
    /// When it was recorded.
    pub recorded_at: String,
    /// How many numbers right before it hold no record that can be read.
    pub gap: u64,
    /// Its frames, as they were published; or its [line](Consume::lines) alone.
    pub frames: Vec<Vec<u8>>,
}

/// Messages of the journal, one after the other.
pub struct Consumer {
    connection: Connection,
    request: Consume,
    timeout: Duration,
    /// The broker's number for it, and the id of the request that began it.
    handle: u64,
    id: u64,
    buffer: VecDeque<Message>,
    /// The identity of the journal that is read.
    journal: Option<String>,
    /// The number of the last message that has come, or before the first one.
    received: Option<u64>,
    /// Behind which message this handle began, and the last message that was taken.
    begin: u64,
    taken: u64,
    /// How many messages were taken since credit was given last, and their bytes.
    uncredited: u64,
    uncredited_bytes: usize,
    ended: Option<u64>,
    sent_at: Instant,
    /// By the connection's clock: a broker that nobody listened to was not silent.
    heard_at: Duration,
}

impl Consume {
    /// Reads on behind the position that the broker keeps for a name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// Reads from a position on.
    #[must_use]
    pub fn from(from: From) -> Self {
        Self {
            from: Some(from),
            ..Self::default()
        }
    }

    /// Returns the request; one that goes on begins behind what has come.
    fn request(&self, received: Option<u64>, credit: u64) -> Request {
        let from = received.map(|number| protocol::From::Number(number.saturating_add(1)));
        Request::Consume(Box::new(protocol::Consume {
            name: self.name.clone(),
            from: from.or_else(|| self.from.as_ref().map(From::position)),
            initial: self.initial.as_ref().map(From::position),
            filter: Filter {
                topic: self.topic.clone(),
                sender: self.sender.clone(),
                tier: self.tier.clone(),
                chain: self.chain.clone(),
                tag: self.tag.clone(),
            },
            credit,
            follow: !self.ends_at_head,
            pace: self.pace,
            lines: self.lines,
        }))
    }
}

impl From {
    /// Returns the position as the protocol writes it.
    fn position(&self) -> protocol::From {
        protocol::From::Word(match self {
            Self::Number(number) => return protocol::From::Number(*number),
            Self::Time(time) => return protocol::From::Time { time: time.clone() },
            Self::Start => Word::Start,
            Self::Session => Word::Session,
            Self::Now => Word::Now,
            Self::After => Word::After,
        })
    }
}

impl Consumer {
    pub(crate) fn start(
        connection: Connection,
        request: Consume,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let mut consumer = Self {
            heard_at: connection.clock(),
            connection,
            request,
            timeout,
            handle: 0,
            id: 0,
            buffer: VecDeque::new(),
            journal: None,
            received: None,
            begin: 0,
            taken: 0,
            uncredited: 0,
            uncredited_bytes: 0,
            ended: None,
            sent_at: Instant::now(),
        };
        consumer.open()?;
        Ok(consumer)
    }

    /// Returns the next message; `None` where none comes in that time, or at
    /// the end of a consumer that [has ended](Self::end).
    ///
    /// # Errors
    /// [`Error::Replaced`] where another consumer has taken the name,
    /// [`Error::NoAnswer`] where the broker is away for longer than the
    /// client's timeout, [`Error::Refused`] where it can't go on.
    pub fn next(&mut self, most: Duration) -> Result<Option<Message>, Error> {
        let give_up = self.connection.clock().saturating_add(most);
        loop {
            if let Some(message) = self.pop() {
                return Ok(Some(message));
            }
            if self.ended.is_some() {
                return Ok(None);
            }
            self.step(give_up)?;
            if self.buffer.is_empty() && self.connection.clock() >= give_up {
                return Ok(None);
            }
        }
    }

    /// Returns the identity of the journal that is read.
    #[must_use]
    pub fn journal(&self) -> &str {
        self.journal.as_deref().unwrap_or_default()
    }

    /// Takes the oldest message that has come. Only what was taken is credited: what
    /// waits here takes memory.
    fn pop(&mut self) -> Option<Message> {
        let message = self.buffer.pop_front()?;
        self.taken = message.message_num;
        self.uncredited += 1;
        self.uncredited_bytes += message.frames.iter().map(Vec::len).sum::<usize>();
        let due = self.uncredited >= CREDIT / 2 || self.uncredited_bytes >= WINDOW;
        if self.ended.is_none() && (due || self.sent_at.elapsed() >= ALIVE) {
            self.credit();
        }
        Some(message)
    }

    /// Returns how far the journal was read, where a consumer that ends at the
    /// head has come there. That position can be acknowledged.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        self.ended.filter(|_| self.buffer.is_empty())
    }

    /// Says that all messages up to this one are done, and returns when the
    /// broker has stored that.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is no such message or no name, and as
    /// [`next`](Self::next).
    pub fn ack(&mut self, message_num: u64) -> Result<(), Error> {
        let give_up = self.connection.clock() + self.timeout;
        loop {
            let id = self.connection.id();
            let consumer = self.handle;
            let ack = Ack {
                consumer,
                message_num,
            };
            self.send(id, &Request::Ack(ack));
            if self.is_stored(id, give_up)? {
                return Ok(());
            }
        }
    }

    /// Waits for the reply to an acknowledgement; false where it has to be sent
    /// again, since there is a new consumer.
    fn is_stored(&mut self, id: u64, give_up: Duration) -> Result<bool, Error> {
        let handle = self.handle;
        while self.handle == handle {
            match self.connection.receive(self.patience(give_up))? {
                Some(answer) if answer.answers(id) => {
                    if !answer.is_error() {
                        return Ok(true);
                    }
                    let error = self.connection.refused(&answer);
                    if error.code() != Some(code::UNKNOWN_CONSUMER) {
                        return Err(error);
                    }
                    self.open()?;
                }
                Some(incoming) => self.take(incoming)?,
                None => self.keep_alive()?,
            }
            if self.connection.clock() >= give_up {
                return Err(self.no_answer());
            }
        }
        Ok(false)
    }

    /// Does one thing: takes what comes, or shows a sign of life.
    fn step(&mut self, give_up: Duration) -> Result<(), Error> {
        match self.connection.receive(self.patience(give_up))? {
            Some(incoming) => self.take(incoming),
            None => self.keep_alive(),
        }
    }

    fn patience(&self, give_up: Duration) -> Duration {
        // The broker counts how long it has not heard of this client, too.
        let alive = ALIVE.saturating_sub(self.sent_at.elapsed());
        alive.min(give_up.saturating_sub(self.connection.clock()))
    }

    fn take(&mut self, incoming: Incoming) -> Result<(), Error> {
        self.heard_at = self.connection.clock();
        let ours = incoming.head.consumer == Some(self.handle);
        match incoming.head.kind {
            Kind::Message if ours => self.keep(incoming),
            Kind::End if ours => {
                let end = self.connection.read(&incoming)?;
                self.end_by(&end)
            }
            Kind::Error
                if self.connection.refused(&incoming).code() == Some(code::UNKNOWN_CONSUMER) =>
            {
                self.open()
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, incoming: Incoming) -> Result<(), Error> {
        let message: protocol::Message = self.connection.read(&incoming)?;
        self.received = Some(message.message_num);
        self.buffer.push_back(Message {
            message_num: message.message_num,
            recorded_at: message.recorded_at,
            gap: message.gap,
            frames: incoming.frames,
        });
        Ok(())
    }

    /// Gives credit for as many messages as were taken; none is a sign of life
    /// that also tells whether the broker still knows this consumer.
    fn credit(&mut self) {
        let id = self.connection.id();
        let (handle, received) = (self.handle, self.taken.max(self.begin));
        let credit = std::mem::take(&mut self.uncredited);
        self.uncredited_bytes = 0;
        let credit = Credit {
            consumer: handle,
            credit,
            received,
        };
        self.send(id, &Request::Credit(credit));
    }

    fn end_by(&mut self, end: &End) -> Result<(), Error> {
        match end.reason {
            Ended::Head => {
                self.ended = Some(end.message_num);
                Ok(())
            }
            Ended::Replaced => Err(Error::Replaced {
                name: self.request.name.clone().unwrap_or_default(),
            }),
            _ => {
                self.connection.pause(PAUSE);
                self.connection.renew();
                self.open()
            }
        }
    }

    fn keep_alive(&mut self) -> Result<(), Error> {
        if self.connection.clock() > self.heard_at + LOST {
            self.connection.renew();
            return self.open();
        }
        if self.sent_at.elapsed() >= ALIVE {
            self.credit();
        }
        Ok(())
    }

    /// Asks for a consumer until there is one. One that was there before is
    /// gone on with behind the last message that has come.
    fn open(&mut self) -> Result<(), Error> {
        let give_up = self.connection.clock() + self.timeout;
        loop {
            self.id = self.connection.id();
            let waiting = u64::try_from(self.buffer.len()).unwrap_or(CREDIT);
            let credit = CREDIT.saturating_sub(waiting).max(1);
            let request = self.request.request(self.received, credit);
            self.send(self.id, &request);
            let attempt = give_up.min(self.connection.clock() + ATTEMPT);
            if let Some(started) = self.reply(attempt)? {
                self.check_journal(started.journal)?;
                self.handle = started.consumer;
                self.received = Some(started.after);
                self.begin = started.after;
                self.uncredited = 0;
                self.uncredited_bytes = 0;
                return Ok(());
            }
            if self.connection.clock() >= give_up {
                return Err(self.no_answer());
            }
            self.connection.renew();
        }
    }

    /// What comes behind a number of another journal is something else.
    fn check_journal(&mut self, found: String) -> Result<(), Error> {
        let expected = self.journal.get_or_insert_with(|| found.clone());
        if *expected == found {
            return Ok(());
        }
        Err(Error::OtherJournal {
            endpoint: self.connection.endpoint(),
            expected: expected.clone(),
            found,
        })
    }

    /// Waits for the reply to the request for a consumer. What comes for an
    /// older one comes again for the new one.
    fn reply(&mut self, give_up: Duration) -> Result<Option<Started>, Error> {
        loop {
            let left = give_up.saturating_sub(self.connection.clock());
            let Some(answer) = self.connection.receive(left)? else {
                return Ok(None);
            };
            self.heard_at = self.connection.clock();
            if !answer.answers(self.id) {
                continue;
            }
            if answer.is_error() {
                return Err(self.connection.refused(&answer));
            }
            return self.connection.read(&answer).map(Some);
        }
    }

    fn send(&mut self, id: u64, request: &Request) {
        self.sent_at = Instant::now();
        // Where there is no room nobody reads: that shows in a moment.
        let _room = self.connection.send(id, request);
    }

    fn no_answer(&self) -> Error {
        self.connection.no_answer(self.timeout)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let cancel = Cancel {
            consumer: self.handle,
        };
        let id = self.connection.id();
        // If it does not get there, the broker gives the consumer up by itself.
        let _room = self.connection.send(id, &Request::Cancel(cancel));
    }
}

#[cfg(test)]
mod tests;

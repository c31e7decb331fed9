//! Reading the journal, and going on after a break.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::client::ATTEMPT;
use crate::connection::{Connection, Incoming, answers, is, number};
use crate::error::Error;

/// How many messages may be on their way to this client.
const CREDIT: u64 = 1_000;
/// How often the broker hears of this client at least.
const ALIVE: Duration = Duration::from_secs(1);
/// A broker that is silent for so long is lost.
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
    /// Its frames, as they were published.
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
    /// The number of the last message that has come, or before the first one.
    received: Option<u64>,
    /// How many messages have come since credit was given last.
    uncredited: u64,
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
    fn header(&self, id: u64, received: Option<u64>) -> Value {
        let mut header = json!({
            "op": "consume", "id": id, "credit": CREDIT, "follow": !self.ends_at_head,
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                header[name] = value;
            }
        };
        let from = received.map(|number| From::Number(number + 1));
        set("name", self.name.clone().map(Value::from));
        set("from", from.as_ref().or(self.from.as_ref()).map(From::json));
        set("initial", self.initial.as_ref().map(From::json));
        set("pace", self.pace.map(Value::from));
        let filter = [
            ("topic", &self.topic),
            ("sender", &self.sender),
            ("tier", &self.tier),
            ("chain", &self.chain),
            ("tag", &self.tag),
        ];
        let filter = filter
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value.clone()?))));
        set("filter", Some(Value::Object(filter.collect())));
        header
    }
}

impl From {
    fn json(&self) -> Value {
        match self {
            Self::Number(number) => json!(number),
            Self::Start => json!("start"),
            Self::Session => json!("session"),
            Self::Now => json!("now"),
            Self::After => json!("after"),
            Self::Time(time) => json!({"time": time}),
        }
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
            received: None,
            uncredited: 0,
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
            if let Some(message) = self.buffer.pop_front() {
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
            let handle = self.handle;
            self.send(&json!({
                "op": "ack", "id": id, "consumer": handle, "message_num": message_num,
            }));
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
                Some((header, _)) if answers(&header, id) => {
                    if is(&header, "reply") {
                        return Ok(true);
                    }
                    let error = Error::refused(&header);
                    if error.code() != Some("unknown_consumer") {
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

    fn take(&mut self, (header, frames): Incoming) -> Result<(), Error> {
        self.heard_at = self.connection.clock();
        let ours = number(&header, "consumer") == self.handle;
        if is(&header, "message") && ours {
            self.keep(&header, frames);
            Ok(())
        } else if is(&header, "end") && ours {
            self.end_by(&header)
        } else if Error::refused(&header).code() == Some("unknown_consumer") {
            self.open()
        } else {
            Ok(())
        }
    }

    fn keep(&mut self, header: &Map<String, Value>, frames: Vec<Vec<u8>>) {
        let message_num = number(header, "message_num");
        let recorded_at = header.get("recorded_at").and_then(Value::as_str);
        self.received = Some(message_num);
        self.buffer.push_back(Message {
            message_num,
            recorded_at: recorded_at.unwrap_or_default().to_owned(),
            gap: number(header, "gap"),
            frames,
        });
        self.uncredited += 1;
        if self.uncredited >= CREDIT / 2 {
            self.credit();
        }
    }

    /// Gives credit for as many messages as have come; none is a sign of life
    /// that also tells whether the broker still knows this consumer.
    fn credit(&mut self) {
        let id = self.connection.id();
        let (handle, received) = (self.handle, self.received.unwrap_or(0));
        let credit = std::mem::take(&mut self.uncredited);
        self.send(&json!({
            "op": "credit", "id": id, "consumer": handle, "credit": credit, "received": received,
        }));
    }

    fn end_by(&mut self, header: &Map<String, Value>) -> Result<(), Error> {
        match header.get("reason").and_then(Value::as_str) {
            Some("head") => {
                self.ended = Some(number(header, "message_num"));
                Ok(())
            }
            Some("replaced") => Err(Error::Replaced {
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
            let header = self.request.header(self.id, self.received);
            self.send(&header);
            let attempt = give_up.min(self.connection.clock() + ATTEMPT);
            if let Some(header) = self.reply(attempt)? {
                self.handle = number(&header, "consumer");
                self.received = Some(number(&header, "after"));
                self.uncredited = 0;
                return Ok(());
            }
            if self.connection.clock() >= give_up {
                return Err(self.no_answer());
            }
            self.connection.renew();
        }
    }

    /// Waits for the reply to the request for a consumer. What comes for an
    /// older one comes again for the new one.
    fn reply(&mut self, give_up: Duration) -> Result<Option<Map<String, Value>>, Error> {
        loop {
            let left = give_up.saturating_sub(self.connection.clock());
            let Some((header, _)) = self.connection.receive(left)? else {
                return Ok(None);
            };
            self.heard_at = self.connection.clock();
            if !answers(&header, self.id) {
                continue;
            }
            if is(&header, "error") {
                return Err(Error::refused(&header));
            }
            return Ok(Some(header));
        }
    }

    fn send(&mut self, header: &Value) {
        self.sent_at = Instant::now();
        // Where there is no room nobody reads: that shows in a moment.
        let _room = self.connection.send::<&[u8]>(header, &[]);
    }

    fn no_answer(&self) -> Error {
        self.connection.no_answer(self.timeout)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let header = json!({"op": "cancel", "id": self.connection.id(), "consumer": self.handle});
        // If it does not get there, the broker gives the consumer up by itself.
        let _room = self.connection.send::<&[u8]>(&header, &[]);
    }
}

//! Carrying another journal's messages here: each once, and in their order.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::{Id, Origin, Publish, Request, code};

use crate::client::Client;
use crate::connection::ATTEMPT;
use crate::error::Error;

/// How many messages are on their way at a time.
const IN_FLIGHT: usize = 1_000;
/// How long to wait before the broker is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// A message of another journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Its number there.
    pub message_num: u64,
    /// Its frames.
    pub frames: Vec<Vec<u8>>,
}

/// Carries another journal's messages here, over a connection of its own.
///
/// The broker takes each message behind the last one of that journal that it has. So
/// whatever was lost on the way is found out by asking for that one, and sent again.
pub struct Carrier {
    /// One that nobody else uses.
    client: Client,
    journal: String,
    name: String,
}

impl Client {
    /// Begins to carry the messages of another journal here, by its identity and what
    /// people call it.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn carry(&self, journal: &str, name: &str) -> Result<Carrier, Error> {
        Ok(Carrier {
            client: self.another()?,
            journal: journal.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl Carrier {
    /// Returns the number of the last message of that journal that is recorded here; 0
    /// where there is none.
    ///
    /// # Errors
    /// [`Error::Refused`] where the broker can't tell, [`Error::NoAnswer`] where it does
    /// not answer in time.
    pub fn last(&mut self) -> Result<u64, Error> {
        let give_up = self.give_up();
        let all = loop {
            match self.client.origins() {
                Err(error) if error.may_pass() && self.client.connection.clock() < give_up => {
                    self.renew();
                }
                all => break all?,
            }
        };
        let ours = all.iter().find(|one| one.journal == self.journal);
        Ok(ours.map_or(0, |one| one.message_num))
    }

    /// Returns when what is begun now takes too long, by the connection's clock.
    fn give_up(&self) -> Duration {
        self.client.connection.clock() + self.client.timeout()
    }

    /// Tries the broker again in a moment.
    fn renew(&mut self) {
        self.client.connection.pause(PAUSE);
        self.client.connection.renew();
    }

    /// Publishes messages, the first of them behind the one numbered `after`, and
    /// returns when all of them are on stable storage.
    ///
    /// # Errors
    /// [`Error::Refused`] with the code `origin_gap` where `after` is not the last
    /// message that is here, or with another one where the broker can't record it;
    /// [`Error::NoAnswer`] where it does not answer in time. What comes before the
    /// message that failed is recorded.
    pub fn publish_all(&mut self, after: u64, messages: &[Foreign]) -> Result<(), Error> {
        let (mut after, mut rest) = (after, messages);
        let mut give_up = self.give_up();
        while let Err(error) = self.attempt(after, rest) {
            if !is_passing(&error) || self.client.connection.clock() >= give_up {
                return Err(error);
            }
            self.renew();
            let last = self.last()?;
            let done = rest.partition_point(|message| message.message_num <= last);
            if done > 0 {
                give_up = self.give_up();
            }
            after = rest
                .get(..done)
                .and_then(<[_]>::last)
                .map_or(after, |it| it.message_num);
            rest = rest.get(done..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sends all messages once, and waits for all replies.
    fn attempt(&mut self, mut after: u64, messages: &[Foreign]) -> Result<(), Error> {
        let mut unsent = messages.iter();
        let mut next = unsent.next();
        let mut sent = VecDeque::new();
        loop {
            while sent.len() < IN_FLIGHT
                && let Some(message) = next
            {
                let id = self.client.connection.id();
                let request = self.request(after, message.message_num);
                if !self.client.connection.queue(id, &request, &message.frames) {
                    break;
                }
                sent.push_back(id);
                after = message.message_num;
                next = unsent.next();
            }
            if sent.is_empty() && next.is_none() {
                return Ok(());
            }
            let Some(answer) = self.client.connection.receive(ATTEMPT)? else {
                return Err(self.client.no_answer());
            };
            let Id::Number(id) = answer.head.id else {
                continue;
            };
            // A reply to a request of an earlier attempt is nobody's.
            let Some(place) = sent.iter().position(|one| *one == id) else {
                continue;
            };
            if answer.is_error() {
                return Err(self.client.connection.refused(&answer));
            }
            sent.remove(place);
        }
    }

    fn request(&self, after: u64, message_num: u64) -> Request {
        Request::Publish(Publish {
            origin: Some(Origin {
                journal: self.journal.clone(),
                name: self.name.clone(),
                message_num,
                after,
            }),
            ..Publish::default()
        })
    }
}

/// Tells whether it may go well when the broker was asked what it has.
fn is_passing(error: &Error) -> bool {
    error.code() == Some(code::ORIGIN_GAP) || error.may_pass()
}

#[cfg(test)]
mod tests;

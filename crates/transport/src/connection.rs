//! A link that speaks ZeroMQ's protocol over the accepted TCP connection.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zmtp::{Command, Handshake, Header, Role};

use crate::attempt::{HANDSHAKE, Progress, attempt, flush};
use crate::clock;
use crate::link::{Link, LinkError, MAX_TOPIC, Subscription};
use crate::net::{Events, Item, Socket, poll};
use crate::waker::Sleeper;

/// How much is read from a subscriber at once: subscriptions only.
const READ: usize = 8 << 10;
/// The name and the lengths of the longest command that is taken.
const OVERHEAD: u64 = 32;

/// One subscriber's connection.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Arc<dyn Socket>,
    /// Until the handshake is done.
    handshake: Option<Handshake>,
    began: Instant,
    /// What has come; all before `looked_at` was looked at.
    received: Vec<u8>,
    looked_at: usize,
    /// Greetings and answers to heartbeats, which go between messages.
    unsent: Vec<u8>,
    /// The answer to the last heartbeat, while the one before has not left. As
    /// in libzmq one is enough: any answer says that the broker is alive, and a
    /// peer that asks and does not read must not fill up memory.
    answer: Option<Vec<u8>>,
    /// Whether the last message has left in part.
    within_message: bool,
}

impl Connection {
    /// Serves an accepted connection.
    pub(crate) fn new(socket: Box<dyn Socket>) -> Self {
        Self {
            socket: socket.into(),
            handshake: Some(Handshake::new(Role::Publisher)),
            began: clock::now(),
            received: Vec::new(),
            looked_at: 0,
            unsent: Vec::new(),
            answer: None,
            within_message: false,
        }
    }

    /// Reads what is there, at most 8 KiB; false where nothing is.
    fn read(&mut self) -> Result<bool, LinkError> {
        // Moved once per read, and not for each of thousands of commands in it.
        self.received.drain(..self.looked_at);
        self.looked_at = 0;
        let mut buffer = [0; READ];
        match attempt(|| self.socket.recv(&mut buffer))? {
            Progress::Bytes(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                self.received.extend_from_slice(bytes);
                Ok(true)
            }
            Progress::Wait => Ok(false),
            Progress::End => Err(LinkError::Closed),
        }
    }

    fn shake_hands(&mut self) -> Result<(), LinkError> {
        let Some(handshake) = &mut self.handshake else {
            return Ok(());
        };
        let received = self.received.get(self.looked_at..).unwrap_or_default();
        let (consumed, done) = handshake.advance(received)?;
        self.looked_at += consumed;
        self.unsent.extend(handshake.take_unsent());
        if done {
            self.handshake = None;
        } else if clock::now().duration_since(self.began) > HANDSHAKE {
            return Err(LinkError::Silent);
        }
        Ok(())
    }

    /// Returns the next subscription among what was received.
    fn look(&mut self) -> Result<Option<Subscription>, LinkError> {
        loop {
            let received = self.received.get(self.looked_at..).unwrap_or_default();
            let Some(header) = Header::parse(received)? else {
                break;
            };
            if header.body > MAX_TOPIC as u64 + OVERHEAD {
                return Err(LinkError::Topic);
            }
            let end = header.length + usize::try_from(header.body).unwrap_or(usize::MAX);
            let Some(body) = received.get(header.length..end) else {
                break;
            };
            let subscription = if header.command {
                understand(body, &mut self.answer)?
            } else {
                // Before ZMTP 3.1 subscriptions came as messages. Anything else
                // is a message from an XSUB socket, which means nothing here.
                match body.split_first() {
                    Some((1, topic)) => Some(Subscription::Add(topic.into())),
                    Some((0, topic)) => Some(Subscription::Remove(topic.into())),
                    _ => None,
                }
            };
            self.looked_at += end;
            if let Some(Subscription::Add(topic)) = &subscription
                && topic.len() > MAX_TOPIC
            {
                return Err(LinkError::Topic);
            }
            if subscription.is_some() {
                return Ok(subscription);
            }
        }
        Ok(None)
    }

    /// Sends greetings and answers; false where some of it is left.
    fn flush(&mut self) -> Result<bool, LinkError> {
        loop {
            match flush(&*self.socket, &mut self.unsent)? {
                Progress::Bytes(_) => {}
                Progress::Wait => return Ok(false),
                Progress::End => return Err(LinkError::Closed),
            }
            match self.answer.take() {
                Some(answer) => self.unsent = answer,
                None => return Ok(true),
            }
        }
    }
}

/// Reads a command, and answers it where it wants an answer.
fn understand(
    body: &[u8],
    answer: &mut Option<Vec<u8>>,
) -> Result<Option<Subscription>, LinkError> {
    Ok(match Command::parse(body)? {
        Command::Subscribe(topic) => Some(Subscription::Add(topic.into())),
        Command::Cancel(topic) => Some(Subscription::Remove(topic.into())),
        Command::Ping { context, .. } => {
            zmtp::push_pong(answer.insert(Vec::new()), context);
            None
        }
        Command::Error(_) => return Err(LinkError::Closed),
        _ => None,
    })
}

impl Link for Connection {
    fn receive(&mut self) -> Result<bool, LinkError> {
        self.shake_hands()?;
        if !self.within_message {
            self.flush()?;
        }
        self.read()
    }

    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError> {
        self.shake_hands()?;
        match self.handshake {
            Some(_) => Ok(None),
            None => self.look(),
        }
    }

    fn send(&mut self, messages: &[IoSlice<'_>], ends: bool) -> Result<usize, LinkError> {
        if !self.within_message && !self.flush()? {
            return Ok(0);
        }
        let wanted: usize = messages.iter().map(|slice| slice.len()).sum();
        let sent = match attempt(|| self.socket.send(messages))? {
            Progress::Bytes(count) => count,
            Progress::Wait => 0,
            Progress::End => return Err(LinkError::Closed),
        };
        self.within_message = match sent < wanted {
            true => sent > 0 || self.within_message,
            false => !ends,
        };
        Ok(sent)
    }
}

/// What a connection waits for; the connection itself is free meanwhile.
pub(crate) struct Watch {
    socket: Arc<dyn Socket>,
    interest: Events,
    timeout: Duration,
}

impl Connection {
    /// Returns what to wait for: what the subscriber sends, and with
    /// `until_room` that the connection takes more; for at most `timeout`.
    pub(crate) fn watch(&self, until_room: bool, timeout: Duration) -> Watch {
        let write = until_room || !self.unsent.is_empty() || self.answer.is_some();
        let timeout = match self.handshake {
            Some(_) => timeout.min(HANDSHAKE),
            None => timeout,
        };
        Watch {
            socket: Arc::clone(&self.socket),
            interest: Events::new(true, write),
            timeout,
        }
    }
}

impl Watch {
    /// Waits until there is something to do, or somebody wakes the thread.
    pub(crate) fn wait(&self, sleeper: &Sleeper) -> std::io::Result<()> {
        let mut items = [
            Item::new(sleeper, Events::READ),
            Item::new(&*self.socket, self.interest),
        ];
        poll(&mut items, Some(self.timeout))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // What was sent still arrives, and then the end. A client that is gone
        // needs to be told nothing.
        let _told: std::io::Result<()> = self.socket.finish();
    }
}

#[cfg(test)]
mod tests;

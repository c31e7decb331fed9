//! A link that speaks ZeroMQ's protocol over the accepted TCP connection.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Level;
use zmtp::curve::{Opened, Opener, Sealed};
use zmtp::{Command, Handshake, Header, Peer, Role};

use crate::clock;
use crate::delivery::{Link, LinkError, MAX_TOPIC, Narrowed, Subscription};
use crate::keys::{Keys, Member, handshake};
use crate::net::{
    Events, HANDSHAKE, Item, PeerAddress, Progress, Sleeper, Socket, attempt, flush, poll,
};
use crate::throttle::log_throttled;

/// How much is read from a subscriber at once: subscriptions only.
const READ: usize = 8 << 10;
/// The name and the lengths of the longest command that is taken.
const OVERHEAD: u64 = 32;

/// How many bytes of boxes wait for the connection at most, but for one large frame:
/// what is in a box is taken, and never made again.
const SEALED: usize = 256 << 10;

/// One subscriber's connection.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Arc<dyn Socket>,
    /// Its address, for the log.
    peer: PeerAddress,
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
    /// Whose keys are let in; `None` where none are needed.
    keys: Option<Arc<Keys>>,
    /// Who it is, where it had to show a key.
    member: Option<Arc<Member>>,
    /// What it says of itself.
    introduction: Peer,
    /// Opens what comes, where it comes in boxes.
    opener: Option<Opener>,
    /// What goes out, where it goes in boxes.
    sealed: Option<Sealed>,
    /// What it asks for, as far as it has a right to it.
    narrowed: Option<Narrowed>,
    /// Subscriptions that came of one that it asked for.
    subscriptions: VecDeque<Subscription>,
    /// How many bytes of a frame that is too long are still to come.
    passed_over: u64,
}

impl Connection {
    /// Serves an accepted connection.
    pub(crate) fn new(socket: Box<dyn Socket>, peer: PeerAddress) -> Self {
        Self {
            socket: socket.into(),
            peer,
            handshake: Some(Handshake::new(Role::Publisher)),
            began: clock::now(),
            received: Vec::new(),
            looked_at: 0,
            unsent: Vec::new(),
            answer: None,
            within_message: false,
            keys: None,
            member: None,
            introduction: Peer::default(),
            opener: None,
            sealed: None,
            narrowed: None,
            subscriptions: VecDeque::new(),
            passed_over: 0,
        }
    }

    /// Lets nobody in but the owners of these keys.
    pub(crate) fn guarded_by(mut self, keys: Option<&Arc<Keys>>) -> Self {
        self.handshake = Some(handshake(keys, Role::Publisher));
        self.keys = keys.cloned();
        self
    }

    /// Returns what it has said of itself.
    pub(crate) fn introduction(&self) -> &Peer {
        &self.introduction
    }

    /// Goes on with the handshake; true when it is done.
    pub(crate) fn greet(&mut self) -> Result<bool, LinkError> {
        loop {
            self.shake_hands()?;
            self.flush()?;
            if self.handshake.is_none() {
                return Ok(true);
            }
            if !self.read()? {
                return Ok(false);
            }
        }
    }

    /// Ends the connection of somebody whose key is let in no more.
    pub(crate) fn check_key(&self) -> Result<(), LinkError> {
        match (&self.keys, &self.member) {
            (Some(keys), Some(member)) if !keys.is_current(member) => Err(LinkError::Revoked),
            _ => Ok(()),
        }
    }

    /// Tells whether something waits for the connection to take it.
    pub(crate) fn has_unsent(&self) -> bool {
        let sealed = self.sealed.as_ref();
        !self.unsent.is_empty() || sealed.is_some_and(|sealed| !sealed.ready().is_empty())
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
        let result = handshake.advance(received);
        self.unsent.extend(handshake.take_unsent());
        let (consumed, done) = match result {
            Ok(advanced) => advanced,
            Err(error) => {
                // A peer that knows why tries again less often.
                self.flush()?;
                return Err(error.into());
            }
        };
        self.looked_at += consumed;
        if done {
            self.begin()?;
        } else if clock::now().duration_since(self.began) > HANDSHAKE {
            return Err(LinkError::Silent);
        }
        Ok(())
    }

    /// Begins with messages: the handshake is done.
    fn begin(&mut self) -> Result<(), LinkError> {
        let Some(mut handshake) = self.handshake.take() else {
            return Ok(());
        };
        self.introduction = handshake.peer().clone();
        if let Some(keys) = &self.keys {
            let member = keys.admit(&self.introduction, Role::Publisher)?;
            self.narrowed = Narrowed::to(&member);
            self.member = Some(member);
        }
        if let Some(session) = handshake.take_session() {
            self.opener = Some(session.opener);
            self.sealed = Some(Sealed::new(session.sealer));
        }
        Ok(())
    }

    /// Returns the next subscription among what was received.
    fn look(&mut self) -> Result<Option<Subscription>, LinkError> {
        loop {
            if let Some(subscription) = self.subscriptions.pop_front() {
                return Ok(Some(subscription));
            }
            let Some((command, body)) = self.frame()? else {
                return Ok(None);
            };
            let body = self.received.get(body).unwrap_or_default();
            let subscription = if command {
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
            match (subscription, &mut self.narrowed) {
                (Some(subscription), Some(narrowed)) => {
                    self.subscriptions = narrowed.apply(subscription)?.into();
                }
                (Some(subscription), None) => return Ok(Some(subscription)),
                (None, _) => {}
            }
        }
    }

    /// Finds the next frame among what was received: whether it is a command, and
    /// where its body is. One that is longer than any subscription that is taken is
    /// passed over, and its client goes on.
    fn frame(&mut self) -> Result<Option<(bool, Range<usize>)>, LinkError> {
        loop {
            let there = (self.received.len() - self.looked_at) as u64;
            let passed = self.passed_over.min(there);
            self.passed_over -= passed;
            self.looked_at += usize::try_from(passed).unwrap_or(0);
            if self.passed_over > 0 {
                return Ok(None);
            }
            let received = self.received.get_mut(self.looked_at..).unwrap_or_default();
            let Some(outer) = Header::parse(received)? else {
                return Ok(None);
            };
            let around = match self.opener {
                Some(_) => zmtp::curve::OVERHEAD as u64,
                None => 0,
            };
            if outer.body > MAX_TOPIC as u64 + OVERHEAD + around {
                self.pass_over(outer);
                continue;
            }
            let start = self.looked_at;
            let (plain, end) = match &mut self.opener {
                None => (0..received.len(), outer.length + to_usize(outer.body)),
                Some(opener) => match opener.open(received)? {
                    Opened::Frame { plain, end, .. } => (plain, end),
                    Opened::Part { .. } => return Ok(None),
                },
            };
            if end > received.len() {
                return Ok(None);
            }
            let frame = received.get(plain.clone()).unwrap_or_default();
            let Some(header) = Header::parse(frame)? else {
                return Ok(None);
            };
            self.looked_at += end;
            let body = start + plain.start + header.length;
            let body = body..body + to_usize(header.body);
            if is_too_long(header.command, self.received.get(body.clone())) {
                self.refuse_topic(header.body);
                continue;
            }
            return Ok(Some((header.command, body)));
        }
    }

    fn pass_over(&mut self, header: Header) {
        self.passed_over = header.body.saturating_add(header.length as u64);
        self.refuse_topic(header.body);
    }

    fn refuse_topic(&self, length: u64) {
        let peer = self.peer;
        log_throttled!(
            Level::Warn,
            "refused a subscription of {length} bytes of the subscriber {peer}: a topic has at \
             most {MAX_TOPIC} bytes; its other subscriptions hold"
        );
    }

    /// Sends greetings and answers; false where some of it is left.
    fn flush(&mut self) -> Result<bool, LinkError> {
        loop {
            match flush(&*self.socket, &mut self.unsent)? {
                Progress::Bytes(_) => {}
                Progress::Wait => return Ok(false),
                Progress::End => return Err(LinkError::Closed),
            }
            if !self.drain()? {
                return Ok(false);
            }
            match (self.answer.take(), &mut self.sealed) {
                (Some(answer), Some(sealed)) => sealed.push(&answer)?,
                (Some(answer), None) => self.unsent = answer,
                (None, _) => return Ok(true),
            }
        }
    }

    /// Sends the boxes that are whole; false where some are left.
    fn drain(&mut self) -> Result<bool, LinkError> {
        let Some(sealed) = &mut self.sealed else {
            return Ok(true);
        };
        while !sealed.ready().is_empty() {
            match attempt(|| self.socket.send(&[IoSlice::new(sealed.ready())]))? {
                Progress::Bytes(count) => sealed.consume(count),
                Progress::Wait => return Ok(false),
                Progress::End => return Err(LinkError::Closed),
            }
        }
        Ok(true)
    }

    /// Puts messages into boxes, as far as these are sent or may wait; returns how
    /// many bytes were taken.
    fn seal(&mut self, messages: &[IoSlice<'_>]) -> Result<usize, LinkError> {
        const PIECE: usize = 64 << 10;
        let mut taken = 0;
        for piece in messages.iter().flat_map(|slice| slice.chunks(PIECE)) {
            let held = self.sealed.as_ref().map_or(0, Sealed::held);
            // A frame that is larger than that is taken to its end.
            if held >= SEALED && !self.drain()? {
                return Ok(taken);
            }
            if let Some(sealed) = &mut self.sealed {
                sealed.push(piece)?;
                taken += piece.len();
            }
        }
        self.drain()?;
        Ok(taken)
    }
}

fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Tells whether a frame asks for a topic that is too long.
fn is_too_long(command: bool, body: Option<&[u8]>) -> bool {
    let topic = match (command, body) {
        (false, Some(body)) => body.len().saturating_sub(1),
        (true, Some(body)) => match Command::parse(body) {
            Ok(Command::Subscribe(topic) | Command::Cancel(topic)) => topic.len(),
            _ => 0,
        },
        (_, None) => 0,
    };
    topic > MAX_TOPIC
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
        match self.within_message {
            true => self.drain()?,
            false => self.flush()?,
        };
        self.read()
    }

    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError> {
        self.look()
    }

    fn send(&mut self, messages: &[IoSlice<'_>], ends: bool) -> Result<usize, LinkError> {
        if !self.within_message && !self.flush()? {
            return Ok(0);
        }
        let wanted: usize = messages.iter().map(|slice| slice.len()).sum();
        let sent = match self.sealed {
            Some(_) => self.seal(messages)?,
            None => match attempt(|| self.socket.send(messages))? {
                Progress::Bytes(count) => count,
                Progress::Wait => 0,
                Progress::End => return Err(LinkError::Closed),
            },
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
        let write = until_room || self.has_unsent() || self.answer.is_some();
        Watch {
            socket: Arc::clone(&self.socket),
            interest: Events::new(true, write),
            timeout,
        }
    }
}

impl Connection {
    /// Returns what to wait for together with others: the socket, and what for.
    pub(crate) fn poll_item(&self) -> Item<'_> {
        Item::new(&*self.socket, Events::new(true, self.has_unsent()))
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

//! A connection on which messages come in.

use std::borrow::Cow;
use std::io::{ErrorKind, Read as _};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Level;
use zmtp::curve::Opener;
use zmtp::{Assembler, Handshake, HandshakeError, Peer, Role, SocketType};

use super::address::PeerAddress;
use super::boxes::{Plain, open_boxes};
use super::ended::Ended;
use super::outbox::Outbox;
use super::sift::{Answers, Heartbeats, Sift, Step};
use super::socket::{Reading, Socket};
use crate::clock;
use crate::keys::{Keys, Member, handshake};
use crate::net::{HANDSHAKE, MAX_UNSENT, Progress, attempt, is_end};
use crate::throttle::log_throttled;

/// How much is read from a connection at once, about.
pub(crate) const READ: usize = 256 << 10;
/// A part of a message up to this size is copied to the front of the next
/// read; a larger one is read into memory of its own.
pub(super) const SMALL: usize = 32 << 10;
/// When this much of a message has come, the memory for all of it is taken.
const TRUSTED: usize = 1 << 20;
/// A connection that was found empty twice, this long apart, has nothing more on
/// its way: what was in the kernel's buffers when it was first found empty
/// takes less time to come.
pub(crate) const QUIET: Duration = Duration::from_millis(50);

/// One connection: bytes come in, whole messages come out.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) socket: Box<dyn Socket>,
    pub(crate) peer: PeerAddress,
    /// Tells this connection from all others of its server, also earlier ones.
    pub(crate) id: u64,
    state: State,
    /// What has come of a message, or of the handshake.
    held: Vec<u8>,
    /// How many bytes of it are whole frames.
    kept: usize,
    /// How much is known to be missing of it.
    missing: usize,
    /// What has to be sent: the handshake, answers to heartbeats, replies.
    outbox: Outbox,
    heartbeats: Heartbeats,
    /// Whether the peer takes nothing any more. It may have sent messages all
    /// the same, and these are read to their end.
    deaf: bool,
    /// For how long it was asked and gave nothing.
    silent: Duration,
    /// How long it has been shaking hands.
    shaking: Duration,
    /// How many bytes have come in all.
    received: u64,
    /// How often it was too slow with the message under way.
    turns_lost: u32,
    /// Whether nothing is read from it for now, as its owner wants.
    held_back: bool,
    /// Whether it is closed as soon as what waits has been sent.
    closing: bool,
    /// When it was first found empty while the broker stops.
    emptied: Option<Instant>,
    /// Whether the broker stops and has taken in all that had arrived.
    drained: bool,
    /// Whose keys are let in; `None` where none are needed.
    keys: Option<Arc<Keys>>,
    /// Who it is, where it had to show a key.
    member: Option<Arc<Member>>,
    /// What it says of itself.
    introduction: Peer,
    /// Opens what comes, where it comes in boxes.
    opener: Option<Opener>,
    /// When it was refused.
    refused: Option<Instant>,
}

/// For how long a peer is held whose key is not let in.
const HOLD: Duration = Duration::from_secs(5);

#[derive(Debug)]
enum State {
    Handshake(Box<Handshake>),
    Messages(Assembler),
}

impl Inbound {
    pub(crate) fn new(socket: Box<dyn Socket>, peer: PeerAddress, role: Role, id: u64) -> Self {
        Self {
            socket,
            peer,
            id,
            state: State::Handshake(Box::new(Handshake::new(role))),
            held: Vec::new(),
            kept: 0,
            missing: 1,
            outbox: Outbox::default(),
            heartbeats: Heartbeats::default(),
            deaf: false,
            silent: Duration::ZERO,
            shaking: Duration::ZERO,
            received: 0,
            turns_lost: 0,
            held_back: false,
            closing: false,
            emptied: None,
            drained: false,
            keys: None,
            member: None,
            introduction: Peer::default(),
            opener: None,
            refused: None,
        }
    }

    /// Lets nobody in but the owners of these keys.
    pub(super) fn guarded_by(mut self, keys: Option<&Arc<Keys>>) -> Self {
        if let State::Handshake(begun) = &self.state {
            self.state = State::Handshake(Box::new(handshake(keys, begun.role())));
            self.keys = keys.cloned();
        }
        self
    }

    /// Returns who it is, where it had to show a key.
    pub(crate) fn member(&self) -> Option<&Arc<Member>> {
        self.member.as_ref()
    }

    /// Returns what it has said of itself.
    pub(crate) fn introduction(&self) -> &Peer {
        &self.introduction
    }

    /// Returns how many bytes of an unfinished message are in memory.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Tells whether an unfinished message has memory of its own.
    pub(crate) fn is_large(&self) -> bool {
        self.held.len() >= SMALL
    }

    /// Tells whether the handshake is done.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, State::Messages(_))
    }

    /// Tells whether it waits for answers to its heartbeats.
    pub(crate) fn asks_for_heartbeats(&self) -> bool {
        self.heartbeats.asked
    }

    /// Returns how many bytes have come in all.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns for how long it was asked and gave nothing.
    pub(crate) fn silent(&self) -> Duration {
        self.silent
    }

    /// Notes that it was asked, and had nothing to give since it was asked before.
    pub(crate) fn gave_nothing(&mut self, time: Duration) {
        self.silent += time;
    }

    /// Returns how often it was too slow with the message under way.
    pub(crate) fn turns_lost(&self) -> u32 {
        self.turns_lost
    }

    /// Notes that it was too slow; returns how often it has been.
    pub(crate) fn lose_turn(&mut self) -> u32 {
        self.turns_lost += 1;
        self.turns_lost
    }

    /// Notes that it was asked while the broker stops, and had nothing.
    pub(crate) fn found_empty(&mut self) {
        let first = *self.emptied.get_or_insert_with(clock::now);
        self.drained = clock::now().duration_since(first) >= QUIET;
    }

    /// Tells whether the broker stops and has taken in all that had arrived.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained
    }

    /// Tells whether something waits to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        self.outbox.len() > 0
    }

    /// Returns how many bytes wait to be sent.
    pub(crate) fn owed(&self) -> usize {
        self.outbox.len()
    }

    /// Tells whether bytes are taken from it now.
    pub(crate) fn is_heard(&self) -> bool {
        let over = self.closing || self.drained || self.refused.is_some();
        !(self.owes_reading() || self.held_back || over)
    }

    /// Sets whether nothing is read from it for now.
    pub(crate) fn hold_back(&mut self, held_back: bool) {
        self.held_back = held_back;
    }

    /// Reads nothing more; the connection ends when what waits has been sent.
    pub(crate) fn close_soon(&mut self) {
        self.closing = true;
        self.silent = Duration::ZERO;
        (self.held, self.kept) = (Vec::new(), 0);
    }

    /// Returns the whole frames of the message that is unfinished.
    pub(crate) fn whole_frames(&self) -> &[u8] {
        self.held.get(..self.kept).unwrap_or_default()
    }

    /// Tells whether it has to take answers before more is read from it: a peer
    /// that asks and asks must not fill the memory with answers.
    pub(crate) fn owes_reading(&self) -> bool {
        self.outbox.len() > MAX_UNSENT
    }

    /// Tells whether time may end the connection.
    pub(crate) fn is_timed(&self) -> bool {
        !self.is_ready() || self.owes_reading() || self.closing || !self.heartbeats.ttl.is_zero()
    }

    /// Notes that time has passed. A handshake is not prolonged by what comes: a peer
    /// that sends a byte now and then would never come to its end.
    pub(crate) fn passes(&mut self, time: Duration) {
        if !self.is_ready() {
            self.shaking += time;
        }
    }

    /// Refuses a peer that begins a handshake and does not end it, that takes
    /// no answers, or that is silent for longer than it had announced.
    pub(crate) fn check_patience(&self) -> Result<(), Ended> {
        match () {
            () if self.refused.is_some_and(|at| clock::now() - at > HOLD) => Err(Ended::Refused),
            () if self.shaking > HANDSHAKE && !self.is_ready() => Err(Ended::Silent),
            () if self.silent > HANDSHAKE && self.owes_reading() => Err(Ended::Deaf),
            // Held back, its last request has not been answered yet.
            () if self.closing && !self.held_back && !self.has_unsent() => Err(Ended::Left),
            () if self.closing && self.silent > HANDSHAKE => Err(Ended::Left),
            () if !self.heartbeats.ttl.is_zero() && self.silent > self.heartbeats.ttl => {
                Err(Ended::Expired)
            }
            () => Ok(()),
        }
    }

    /// Adds a message to what is to be sent.
    pub(crate) fn push<'a>(&mut self, frames: impl IntoIterator<Item = &'a [u8]>) {
        if !self.deaf {
            zmtp::push_message(self.outbox.end(), frames);
        }
    }

    /// Sends what waits, as far as that goes. That the peer takes nothing any
    /// more says nothing about what it has sent before: only reading tells.
    pub(crate) fn flush(&mut self) {
        if let State::Handshake(handshake) = &mut self.state {
            self.outbox.end().extend(handshake.take_unsent());
        }
        match self.outbox.flush(&*self.socket) {
            Ok(Progress::Bytes(count)) if count > 0 => self.silent = Duration::ZERO,
            Ok(Progress::Bytes(_) | Progress::Wait) => {}
            Ok(Progress::End) | Err(_) => self.deaf = true,
        }
        if self.deaf {
            self.outbox.clear();
        }
    }

    /// Reads once, and gives each message that is whole to `take`. Returns
    /// whether anything came.
    pub(crate) fn receive(
        &mut self,
        limit: u64,
        scratch: &mut [u8],
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<bool, Ended> {
        let came = if self.is_large() {
            self.read_large(take)?
        } else {
            self.read_small(limit, scratch, take)?
        };
        if self.has_unsent() || !self.is_ready() {
            self.flush();
        }
        Ok(came)
    }

    /// Reads behind the part that is held, in memory that all publishers share.
    fn read_small(
        &mut self,
        limit: u64,
        scratch: &mut [u8],
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<bool, Ended> {
        let held = self.held.len();
        let Some((front, space)) = scratch.split_at_mut_checked(held) else {
            return Ok(false);
        };
        let count = match attempt(|| self.socket.recv(space))? {
            Progress::Bytes(count) => count,
            Progress::Wait => return Ok(false),
            Progress::End => return Err(Ended::Left),
        };
        front.copy_from_slice(&self.held);
        self.held.clear();
        self.note_received(count);
        let bytes = scratch.get_mut(..held + count).unwrap_or_default();
        let start = self.shake_hands(limit, bytes)?;
        self.take_messages(bytes, start, take)?;
        Ok(true)
    }

    fn note_received(&mut self, count: usize) {
        self.silent = Duration::ZERO;
        self.received += count as u64;
    }

    /// Goes on with the handshake, and returns how many bytes it consumed.
    fn shake_hands(&mut self, limit: u64, bytes: &[u8]) -> Result<usize, Ended> {
        let State::Handshake(handshake) = &mut self.state else {
            return Ok(0);
        };
        let result = handshake.advance(bytes);
        self.outbox.end().extend(handshake.take_unsent());
        match result {
            Ok((consumed, false)) => Ok(consumed),
            Ok((consumed, true)) => {
                let (role, peer) = (handshake.role(), handshake.peer().clone());
                let session = handshake.take_session();
                if let Some(keys) = &self.keys {
                    match keys.admit(&peer, role) {
                        Ok(member) => self.member = Some(member),
                        Err(denied) => return Ok(self.refuse(&denied, bytes)),
                    }
                }
                if let Some(session) = session {
                    self.outbox.seal_with(session.sealer);
                    self.opener = Some(session.opener);
                }
                greet(self.outbox.end(), role, &peer);
                self.introduction = peer;
                self.state = State::Messages(Assembler::new(limit));
                Ok(consumed)
            }
            Err(HandshakeError::Curve(error)) => Ok(self.refuse(&error, bytes)),
            Err(error) => {
                // A peer that knows why tries again less often.
                self.flush();
                Err(error.into())
            }
        }
    }

    /// Holds a peer whose key is not let in for a while before its connection ends:
    /// the key may be added later, so that it has to go on trying, but each try costs
    /// the broker more than it costs the peer. All that has come of it is consumed.
    fn refuse(&mut self, reason: &dyn std::fmt::Display, bytes: &[u8]) -> usize {
        log_throttled!(Level::Warn, "refused {}: {reason}", self.peer);
        self.refused = Some(clock::now());
        self.drained = true;
        bytes.len()
    }

    /// Takes whole messages from the bytes behind `start`, and holds the rest.
    fn take_messages(
        &mut self,
        bytes: &mut [u8],
        start: usize,
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<(), Ended> {
        let State::Messages(assembler) = &mut self.state else {
            self.held
                .extend_from_slice(bytes.get(start..).unwrap_or_default());
            return Ok(());
        };
        let kept = mem::take(&mut self.kept);
        let mut plain = Plain::all(bytes.len());
        if let Some(opener) = &mut self.opener {
            plain = open_boxes(opener, bytes, start + kept, false);
        }
        let Some((open, behind)) = bytes.split_at_mut_checked(plain.end) else {
            return Ok(());
        };
        let sealed = behind.get(plain.rest - plain.end..).unwrap_or_default();
        let mut answers = Answers::new(self.outbox.end(), &mut self.heartbeats);
        let mut sift = Sift::new(open, start, kept);
        let missing = loop {
            match sift.step(assembler, &mut answers) {
                Ok(Step::Message(message)) => {
                    take(self.member.as_ref(), Cow::Borrowed(sift.get(message)));
                }
                Ok(Step::Part { missing }) => break Ok(missing),
                Err(end) => break Err(end),
            }
        };
        let (frames, rest) = sift.rest();
        self.kept = frames.len();
        self.held.extend_from_slice(frames);
        // Also where it ends here: a request that is too large is answered by its header.
        self.missing = plain.missing.unwrap_or(missing?);
        self.held.extend_from_slice(rest);
        self.held.extend_from_slice(sealed);
        plain.check(assembler)
    }

    /// Reads what is missing of a message into its own memory.
    fn read_large(
        &mut self,
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<bool, Ended> {
        if self.held.len() >= TRUSTED && self.held.capacity() - self.held.len() < self.missing {
            self.held.reserve_exact(self.missing);
        }
        // Where the next frame's length is not known yet, a little more than
        // its header is read.
        let wanted = match self.missing {
            1 => SMALL,
            missing => missing.min(4 * READ),
        };
        let before = self.held.len();
        let result = Reading(&*self.socket)
            .take(wanted as u64)
            .read_to_end(&mut self.held);
        // What has come before the end of the connection was sent in time: it
        // is looked at first.
        let came = self.held.len() - before;
        if came > 0 {
            self.note_received(came);
            self.take_large(take)?;
        }
        match result {
            Ok(_) if came < wanted => Err(Ended::Left),
            Err(error) if is_end(&error) => Err(Ended::Left),
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error.into()),
            _ => Ok(came > 0),
        }
    }

    /// Takes the message that has memory of its own, if it is whole now, and
    /// the small ones behind it.
    fn take_large(
        &mut self,
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<(), Ended> {
        let State::Messages(assembler) = &mut self.state else {
            return Ok(());
        };
        let mut held = mem::take(&mut self.held);
        let kept = mem::take(&mut self.kept);
        let mut plain = Plain::all(held.len());
        if let Some(opener) = &mut self.opener {
            plain = open_boxes(opener, &mut held, kept, true);
        }
        let mut answers = Answers::new(self.outbox.end(), &mut self.heartbeats);
        let open = held.get_mut(..plain.end).unwrap_or_default();
        let mut sift = Sift::new(open, 0, kept);
        let step = match sift.step(assembler, &mut answers) {
            Ok(step) => step,
            Err(end) => {
                self.kept = sift.rest().0.len();
                held.truncate(self.kept);
                self.held = held;
                return Err(end);
            }
        };
        // With keys, all that was opened ends here at the latest.
        let next = match plain.missing {
            Some(_) => plain.rest,
            None => sift.next(),
        };
        match step {
            Step::Message(message) => {
                let mut rest = held.split_off(next);
                held.truncate(message.end);
                self.turns_lost = 0;
                take(self.member.as_ref(), Cow::Owned(held));
                plain.check(assembler)?;
                self.take_messages(&mut rest, 0, take)
            }
            Step::Part { missing } => {
                self.missing = plain.missing.unwrap_or(missing);
                self.kept = sift.rest().0.len();
                // Where commands stood, and what was around the frames.
                held.drain(self.kept..next);
                self.held = held;
                plain.check(assembler)
            }
        }
    }
}

/// Says what is to be said right after the handshake.
fn greet(out: &mut Vec<u8>, role: Role, peer: &Peer) {
    // Everything is recorded, whether or not anybody subscribes to it. A PUSH
    // socket knows no subscriptions.
    if role == Role::Subscriber && peer.socket_type != Some(SocketType::Push) {
        zmtp::push_subscription(out, b"", peer);
    }
}

#[cfg(test)]
mod tests;

//! A connection on which messages come in.

mod receive;
mod shake;

use std::sync::Arc;
use std::time::{Duration, Instant};

use zmtp::curve::Opener;
use zmtp::{Assembler, Handshake, Peer, Role};

use super::address::PeerAddress;
use super::ended::Ended;
use super::outbox::Outbox;
use super::sift::Heartbeats;
use super::socket::Socket;
use crate::clock;
use crate::keys::{Keys, Member, handshake};
use crate::net::{HANDSHAKE, MAX_UNSENT, Progress};

/// How much is read from a connection at once, about.
pub(crate) const READ: usize = 256 << 10;
/// A part of a message up to this size is copied to the front of the next
/// read; a larger one is read into memory of its own.
pub(super) const SMALL: usize = 32 << 10;
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
    state: ConnectionState,
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
enum ConnectionState {
    Handshake(Box<Handshake>),
    Messages(Assembler),
}

impl Inbound {
    pub(crate) fn new(socket: Box<dyn Socket>, peer: PeerAddress, role: Role, id: u64) -> Self {
        Self {
            socket,
            peer,
            id,
            state: ConnectionState::Handshake(Box::new(Handshake::new(role))),
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
        if let ConnectionState::Handshake(begun) = &self.state {
            self.state = ConnectionState::Handshake(Box::new(handshake(keys, begun.role())));
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
        matches!(self.state, ConnectionState::Messages(_))
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
        if let ConnectionState::Handshake(handshake) = &mut self.state {
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
}

#[cfg(test)]
mod tests;

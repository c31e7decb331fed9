//! Acknowledged publishing: who waits for which message.

mod carrying;
mod refusing;
mod replies;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use protocol::{DedupeState, Failure, Id, Origin, code};

use self::carrying::Reading;
use self::replies::{busy, carried, lost, recorded, reused};
use super::dedupe::{Dedupe, Digest, Entry, Key, Keys, Known};
use super::limits;
use super::origins::{Admission, Origins};
use super::router::Peer;
use super::sequences::Sequences;
use crate::health::Health;
use crate::pending::{AckHandle, Answer, Outcome, PendingPublish, PublishQueue};
use crate::tail::Tail;

/// A reply that is to be sent.
pub(super) type Reply = (Peer, String);

/// A message, and who asked to publish it.
pub(super) struct Publish {
    pub(super) peer: Peer,
    pub(super) id: Id,
    pub(super) frames: Vec<Vec<u8>>,
    /// The name of the key that it has shown to own.
    pub(super) key_name: Option<Arc<str>>,
    /// The other journal in which it was recorded first.
    pub(super) origin: Option<Arc<Origin>>,
    /// The sequence that it belongs to.
    pub(super) sequence: Option<u64>,
}

/// What publishing needs of the rest of the broker.
pub(super) struct Path {
    pub(super) publishes: Arc<PublishQueue>,
    pub(super) answer: Arc<Answer>,
    pub(super) health: Arc<Health>,
    pub(super) tail: Arc<Tail>,
    pub(super) max_message: u64,
    /// How many bytes may wait while the journal is read.
    pub(super) max_waiting: usize,
}

/// A sender's name for a message, and what the message consists of.
#[derive(Debug, Clone, Copy)]
struct Name {
    key: Key,
    digest: Digest,
}

/// Who waits for a message that is on its way to the disk. More than one when
/// the message was sent again meanwhile.
struct Pending {
    name: Option<Name>,
    origin: Option<Arc<Origin>>,
    waiters: Vec<Waiter>,
}

struct Waiter {
    peer: Peer,
    id: Id,
    /// Whether it sent another message under the same name.
    other: bool,
}

/// Whether the table of known messages can be used.
enum Table {
    /// The journal is being read: what might be known waits.
    Loading,
    Ready,
    /// The journal can't be read at the moment.
    Failed(String),
}

/// All publish requests that have no reply yet.
pub(super) struct Publishing {
    path: Path,
    keys: Keys,
    dedupe: Dedupe,
    table: Table,
    origins: Origins,
    reading: Reading,
    /// Who wants to know how far other journals' messages are recorded.
    asked: Vec<(Peer, Id)>,
    pub(super) sequences: Sequences,
    pending: HashMap<u64, Pending>,
    by_key: HashMap<Key, u64>,
    /// Messages of which nobody knows whether they are recorded.
    unknown: HashSet<Key>,
    /// What waits until the journal is read, in the order in which it came.
    waiting: VecDeque<Publish>,
    waiting_bytes: usize,
    /// How many replies are owed.
    owed: usize,
    /// How many messages were refused.
    pub(super) refused: u64,
    next_ack: u64,
}

impl Publishing {
    pub(super) fn new(path: Path, window: u64, keys: Keys, origins: Origins) -> Self {
        let table = match window {
            0 => Table::Ready,
            _ => Table::Loading,
        };
        Self {
            path,
            keys,
            dedupe: Dedupe::new(window),
            table,
            origins,
            reading: Reading::Unread,
            asked: Vec::new(),
            sequences: Sequences::new(),
            pending: HashMap::new(),
            by_key: HashMap::new(),
            unknown: HashSet::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            owed: 0,
            refused: 0,
            next_ack: 0,
        }
    }

    /// Takes a request; returns the reply where that can be given at once.
    pub(super) fn publish(&mut self, request: Publish) -> Option<Reply> {
        if let Err(refusal) = self.check(&request) {
            return Some(self.refuse_unless_known(&request, refusal));
        }
        self.owed += 1;
        if !self.waiting.is_empty() || self.has_to_wait(&request) {
            return self.wait(request);
        }
        self.submit(request)
    }

    /// Tells whether the journal is to be read before it is known what becomes of this.
    fn has_to_wait(&mut self, request: &Publish) -> bool {
        if request.origin.is_some() {
            return self.reads_origins();
        }
        matches!(self.table, Table::Loading) && self.name(&request.frames).is_some()
    }

    /// Goes on with what waited for the journal to be read, up to what has to wait on.
    fn go_on(&mut self) -> Vec<Reply> {
        let mut replies = Vec::new();
        let mut waiting = std::mem::take(&mut self.waiting);
        while let Some(request) = waiting.pop_front() {
            if self.has_to_wait(&request) {
                waiting.push_front(request);
                break;
            }
            self.waiting_bytes -= size(&request);
            replies.extend(self.submit(request));
        }
        self.waiting = waiting;
        replies
    }

    fn check(&self, request: &Publish) -> Result<(), Failure> {
        let frames = &request.frames;
        let size: u64 = frames.iter().map(|frame| frame.len() as u64).sum();
        let limit = self.path.max_message;
        if size > limit || frames.len() > limits::FRAMES {
            let message = format!(
                "the message has {size} bytes in {} frames: the limits are {limit} and {}; \
                 nothing was recorded",
                frames.len(),
                limits::FRAMES
            );
            return Err(Failure::new(code::TOO_LARGE, message).not_recorded());
        }
        let (connection, sequence) = (request.peer.connection, request.sequence);
        self.sequences.check(connection, sequence)?;
        match self.owed {
            limits::IN_FLIGHT.. => Err(busy()),
            _ => Ok(()),
        }
    }

    fn name(&self, frames: &[Vec<u8>]) -> Option<Name> {
        let first: Vec<&[u8]> = frames.iter().take(2).map(|frame| &frame[..]).collect();
        let (sender, id) = message::identity(&first)?;
        Some(Name {
            key: self.keys.key(&sender, &id),
            digest: self.keys.digest(frames.iter().map(|frame| &frame[..])),
        })
    }

    fn wait(&mut self, request: Publish) -> Option<Reply> {
        let size = size(&request);
        if !self.waiting.is_empty() && self.waiting_bytes + size > self.path.max_waiting {
            self.owed -= 1;
            return Some(self.refuse_unless_known(&request, busy()));
        }
        self.waiting_bytes += size;
        self.waiting.push_back(request);
        None
    }

    /// Hands a message on to intake, unless it is known or on its way already.
    fn submit(&mut self, request: Publish) -> Option<Reply> {
        // It may have waited for the journal, and one in front of it was refused since.
        let connection = request.peer.connection;
        if let Err(refusal) = self.sequences.check(connection, request.sequence) {
            self.owed -= 1;
            return Some(self.refuse_unless_known(&request, refusal));
        }
        let Publish {
            peer,
            id,
            frames,
            key_name,
            origin,
            ..
        } = request;
        if let Some(origin) = &origin {
            match self.origins.admit(origin) {
                Admission::Next => {}
                Admission::Recorded(message_num) => {
                    self.owed -= 1;
                    return Some(carried(&peer, &id, message_num, true));
                }
                Admission::Pending(ack) => {
                    if let Some(pending) = self.pending.get_mut(&ack) {
                        let other = false;
                        pending.waiters.push(Waiter { peer, id, other });
                    }
                    return None;
                }
                Admission::Refused(refusal) => {
                    self.owed -= 1;
                    return Some(self.refuse(&peer, &id, &refusal));
                }
            }
        }
        let name = match &origin {
            Some(_) => None,
            None => self.name(&frames),
        };
        if let Some(Name { key, digest }) = name {
            let last = self.path.tail.current().next.saturating_sub(1);
            if let Some(entry) = self.dedupe.find(key, last) {
                self.owed -= 1;
                return Some(match entry.digest == digest {
                    true => recorded(&peer, &id, entry.number, true),
                    false => self.refuse(&peer, &id, &reused(entry.number)),
                });
            }
            let pending = self
                .by_key
                .get(&key)
                .and_then(|id| self.pending.get_mut(id));
            if let Some(pending) = pending {
                let other = pending.name.is_none_or(|name| name.digest != digest);
                pending.waiters.push(Waiter { peer, id, other });
                return None;
            }
        }
        match self.hand_on(frames, key_name, name.is_some(), origin.clone()) {
            Ok(ack) => {
                self.by_key.extend(name.map(|name| (name.key, ack)));
                if let Some(origin) = &origin {
                    self.origins.submitted(origin, ack);
                }
                let other = false;
                let pending = Pending {
                    name,
                    origin,
                    waiters: vec![Waiter { peer, id, other }],
                };
                self.pending.insert(ack, pending);
                None
            }
            Err(refusal) => {
                self.owed -= 1;
                Some(self.refuse(&peer, &id, &refusal))
            }
        }
    }

    fn hand_on(
        &mut self,
        frames: Vec<Vec<u8>>,
        key_name: Option<Arc<str>>,
        named: bool,
        origin: Option<Arc<Origin>>,
    ) -> Result<u64, Failure> {
        if let (Table::Failed(reason), true) = (&self.table, named) {
            let message = format!(
                "the journal can't be read to see whether this message is in it: {reason}; \
                 nothing was recorded"
            );
            return Err(Failure::new(code::NOT_READY, message).not_recorded());
        }
        if self.path.health.is_stalled() {
            return Err(self.stalled());
        }
        self.next_ack += 1;
        let ack = self.next_ack;
        let publish = PendingPublish {
            frames,
            ack: AckHandle::new(ack, &self.path.answer),
            key_name,
            origin,
        };
        // The answer to one that comes back finds nobody who waits.
        self.path.publishes.put(publish).map_err(|_| busy())?;
        Ok(ack)
    }

    /// Notes what became of a message, and returns the replies to all who wait.
    pub(super) fn settle(&mut self, ack: u64, outcome: &Outcome) -> Vec<Reply> {
        let number = match outcome {
            Outcome::Recorded(number) => Some(*number),
            _ => None,
        };
        let Some(pending) = self.finish(ack, number) else {
            return Vec::new();
        };
        let Pending {
            name,
            origin,
            waiters,
        } = pending;
        if let (Some(Name { key, digest }), &Outcome::Recorded(number)) = (name, outcome) {
            self.dedupe.add(key, Entry { number, digest });
        }
        if let (Some(Name { key, .. }), Outcome::Unknown) = (name, outcome) {
            self.unknown.insert(key);
        }
        let reply = |(index, waiter): (usize, Waiter)| {
            let Waiter { peer, id, other } = waiter;
            match outcome {
                Outcome::Recorded(number) if other => self.refuse(&peer, &id, &reused(*number)),
                Outcome::Recorded(number) if origin.is_some() => {
                    carried(&peer, &id, Some(*number), index > 0)
                }
                Outcome::Recorded(number) => recorded(&peer, &id, *number, index > 0),
                // What became of the first message says nothing of this one.
                _ if other => self.refuse(&peer, &id, &busy()),
                outcome => self.refuse(&peer, &id, &lost(outcome)),
            }
        };
        waiters.into_iter().enumerate().map(reply).collect()
    }

    fn finish(&mut self, ack: u64, recorded_as: Option<u64>) -> Option<Pending> {
        let pending = self.pending.remove(&ack)?;
        if let Some(origin) = &pending.origin {
            self.origins.settled(origin, recorded_as);
        }
        if let Some(name) = pending.name {
            self.by_key.remove(&name.key);
        }
        self.owed -= pending.waiters.len();
        Some(pending)
    }

    /// Takes what the journal knows, and goes on with what waited for that.
    pub(super) fn know(&mut self, known: Result<Known, String>) -> Vec<Reply> {
        match known {
            Ok(known) => {
                for (key, entry) in known {
                    self.dedupe.add(key, entry);
                }
                self.table = Table::Ready;
            }
            Err(reason) => self.table = Table::Failed(reason),
        }
        self.go_on()
    }

    /// Returns what status tells.
    pub(super) fn status(&self) -> protocol::Publishing {
        let (state, reason) = match &self.table {
            Table::Loading => (DedupeState::Loading, None),
            Table::Ready => (DedupeState::Ready, None),
            Table::Failed(reason) => (DedupeState::Failed, Some(reason)),
        };
        protocol::Publishing {
            in_flight: self.owed as u64,
            dedupe: protocol::Dedupe {
                state,
                reason: reason.cloned(),
                known: self.dedupe.len() as u64,
            },
        }
    }
}

fn size(request: &Publish) -> usize {
    request.frames.iter().map(Vec::len).sum()
}

#[cfg(test)]
mod tests;

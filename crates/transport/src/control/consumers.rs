//! All consumers: who has which, who is silent, what is sent to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use journal::Missing;
use protocol::{
    Ack, Cancelled, Consume, Credit, Credited, Ended, Failure, From, Id, Started, Word, code, reply,
};

use super::consumer::{Consumer, Reading, ended};
use super::events::ControlEvents;
use super::feed::{Feed, Out};
use super::limits;
use super::positions::{Position, Positions, Stored};
use super::publishing::Reply;
use super::router::{Peer, Router, Sent};
use crate::health::Health;
use crate::keys::Member;
use crate::net::{Waker, sleeper};
use crate::tail::Tail;
use crate::worker::Spawn;

/// How many messages one consumer is sent before the next one's turn.
const QUANTUM: usize = 256;

/// What consumers need of the rest of the broker.
pub(super) struct Source {
    pub(super) dir: PathBuf,
    /// The journal's identity.
    pub(super) journal: String,
    /// The numbers that the journal's files lack.
    pub(super) missing: Arc<[Missing]>,
    pub(super) tail: Arc<Tail>,
    pub(super) health: Arc<Health>,
    pub(super) events: Arc<ControlEvents>,
    pub(super) spawn: Arc<dyn Spawn>,
}

/// All consumers of this run.
pub(super) struct Consumers {
    source: Source,
    pub(super) positions: Arc<Positions>,
    /// How long a client may be silent.
    timeout: Duration,
    entries: BTreeMap<u64, Entry>,
    /// Those that have something to send.
    ready: BTreeSet<u64>,
    next: u64,
    /// Requests that turned out to be impossible only when the journal was read.
    pub(super) refused: u64,
}

struct Entry {
    peer: Peer,
    id: Id,
    name: Option<String>,
    feed: Arc<Feed>,
    waker: Arc<Waker>,
    /// For how long nothing was heard of the client although it was listened to.
    silent: Duration,
    /// Whether what it has not acknowledged is held: its name's position is on the disk,
    /// or can't be put there.
    held: bool,
    ended: bool,
}

impl Consumers {
    pub(super) fn new(source: Source, positions: Arc<Positions>, timeout: Duration) -> Self {
        // Clients of an earlier run may still name its consumers.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Self {
            source,
            positions,
            timeout,
            entries: BTreeMap::new(),
            ready: BTreeSet::new(),
            next: u64::try_from(millis).unwrap_or(0).saturating_mul(1000),
            refused: 0,
        }
    }

    /// Starts a consumer; its thread gives the reply.
    pub(super) fn start(
        &mut self,
        peer: &Peer,
        id: &Id,
        request: Consume,
        member: Option<Arc<Member>>,
    ) -> Result<(), Failure> {
        if self.entries.len() >= limits::CONSUMERS {
            let message = format!(
                "there are {} consumers already: cancel one, or wait until a silent one is given up",
                limits::CONSUMERS
            );
            return Err(Failure::new(code::LIMIT, message));
        }
        let kept = self.kept(&request)?;
        let failed =
            |error| Failure::new(code::IO, format!("no consumer could be started: {error}"));
        let sleeper = sleeper().map_err(failed)?;
        let waker = sleeper.waker();
        self.next += 1;
        let handle = self.next;
        let feed = Arc::new(Feed::new(request.credit));
        let name = request.name.clone();
        let consumer = Consumer {
            handle,
            id: id.clone(),
            request,
            member,
            kept,
            dir: self.source.dir.clone(),
            missing: Arc::clone(&self.source.missing),
            tail: Arc::clone(&self.source.tail),
            health: Arc::clone(&self.source.health),
            feed: Arc::clone(&feed),
            events: Arc::clone(&self.source.events),
        };
        let reading = Reading::new(consumer, sleeper);
        // It ends at its next look at the feed when it is closed; nobody waits.
        let spawned = self
            .source
            .spawn
            .spawn("consumer".to_owned(), Box::new(reading));
        drop(spawned.map_err(failed)?);
        let entry = Entry {
            peer: *peer,
            id: id.clone(),
            held: name.is_none(),
            name,
            feed,
            waker,
            silent: Duration::ZERO,
            ended: false,
        };
        self.entries.insert(handle, entry);
        Ok(())
    }

    fn kept(&self, request: &Consume) -> Result<Option<Position>, Failure> {
        let Some(name) = &request.name else {
            return Ok(None);
        };
        self.positions.check_room(name)?;
        match &request.from {
            None | Some(From::Word(Word::After)) => self.positions.get(name),
            Some(_) => Ok(None),
        }
    }

    /// Gives credit to a consumer.
    pub(super) fn credit(&mut self, peer: &Peer, request: &Credit) -> Result<Credited, Failure> {
        let entry = self.entry(peer, request.consumer)?;
        let credit = entry.feed.grant(request.credit, request.received)?;
        entry.waker.wake();
        let consumer = request.consumer;
        Ok(Credited { consumer, credit })
    }

    /// Takes an acknowledged position; the reply comes when it is stored.
    pub(super) fn ack(&mut self, peer: &Peer, id: &Id, request: &Ack) -> Result<(), Failure> {
        let entry = self.entry(peer, request.consumer)?;
        let Some(name) = entry.name.clone() else {
            return Err(Failure::bad(
                "this consumer has no name: positions are kept by name",
            ));
        };
        let crc = entry.feed.acknowledge(request.message_num, entry.ended)?;
        entry.waker.wake();
        let position = Position {
            number: request.message_num,
            crc,
        };
        self.positions.keep(*peer, id.clone(), name, position);
        Ok(())
    }

    fn entry(&mut self, peer: &Peer, handle: u64) -> Result<&mut Entry, Failure> {
        let entry = self.entries.get_mut(&handle);
        entry
            .filter(|entry| entry.peer.connection == peer.connection)
            .ok_or_else(|| unknown(handle))
    }

    /// Ends a consumer because its client wants that.
    pub(super) fn cancel(&mut self, peer: &Peer, handle: u64) -> Result<Cancelled, Failure> {
        self.entry(peer, handle)?;
        self.remove(handle);
        Ok(Cancelled { consumer: handle })
    }

    /// Notes a sign of life of a client.
    pub(super) fn heard(&mut self, peer: &Peer) {
        for entry in self.entries.values_mut() {
            if entry.peer.connection == peer.connection {
                entry.silent = Duration::ZERO;
            }
        }
    }

    /// Tells whether a name is in use.
    pub(super) fn uses(&self, name: &str) -> bool {
        let mut names = self.entries.values().map(|entry| entry.name.as_deref());
        names.any(|used| used == Some(name))
    }

    /// Gives up consumers whose clients are silent, and returns what to tell
    /// them. All clients were listened to for this `time` since the last call.
    pub(super) fn expire(&mut self, time: Duration) -> Vec<Reply> {
        for entry in self.entries.values_mut() {
            entry.silent += time;
        }
        let timeout = self.timeout;
        self.end_where(Ended::Expired, |_, entry| entry.silent > timeout)
    }

    /// Ends all consumers: the broker stops.
    pub(super) fn end(&mut self) -> Vec<Reply> {
        self.end_where(Ended::ShuttingDown, |_, _| true)
    }

    fn end_where(&mut self, reason: Ended, which: impl Fn(u64, &Entry) -> bool) -> Vec<Reply> {
        let of = |(handle, entry): (&u64, &Entry)| which(*handle, entry).then_some(*handle);
        let handles: Vec<u64> = self.entries.iter().filter_map(of).collect();
        let removed = handles
            .into_iter()
            .filter_map(|handle| Some((handle, self.remove(handle)?)));
        let tell = |(handle, entry): (u64, Entry)| {
            let header = ended(&entry.id, handle, reason, entry.feed.position());
            (!entry.ended).then_some((entry.peer, header))
        };
        removed.filter_map(tell).collect()
    }

    fn remove(&mut self, handle: u64) -> Option<Entry> {
        let entry = self.entries.remove(&handle)?;
        self.ready.remove(&handle);
        entry.feed.close();
        entry.waker.wake();
        Some(entry)
    }

    /// Notes that a consumer has something to send.
    pub(super) fn ready(&mut self, handle: u64) {
        if self.entries.contains_key(&handle) {
            self.ready.insert(handle);
        }
    }

    /// Notes that a position was stored, or could not be: who waits for it begins.
    pub(super) fn stored(&mut self, name: &str) {
        for (handle, entry) in &mut self.entries {
            if !entry.held && entry.name.as_deref() == Some(name) {
                entry.held = true;
                self.ready.insert(*handle);
            }
        }
    }

    /// Sends what there is to send; true where connections were full.
    pub(super) fn serve(&mut self, router: &mut Router) -> Served {
        let mut served = Served::Idle;
        for handle in std::mem::take(&mut self.ready) {
            let peer = self.entries.get(&handle).map(|entry| entry.peer);
            let turn = self.serve_one(handle, router);
            if let Some(peer) = peer {
                router.flush(&peer);
            }
            if turn != Served::Idle {
                self.ready.insert(handle);
            }
            served = served.max(turn);
        }
        served
    }

    fn serve_one(&mut self, handle: u64, router: &mut Router) -> Served {
        for _ in 0..QUANTUM {
            let Some(entry) = self.entries.get_mut(&handle) else {
                return Served::Idle;
            };
            let Some(out) = entry.feed.take() else {
                return Served::Idle;
            };
            if let Out::Started(after) = out
                && !entry.is_held(&self.positions, after)
            {
                entry.feed.put_back(out);
                return Served::Idle;
            }
            let sent = match &out {
                Out::Message {
                    number,
                    header,
                    frames,
                    ..
                } => {
                    let sent = router.send(&entry.peer, header, frames);
                    if sent == Sent::Whole {
                        entry.feed.sent(*number);
                    }
                    sent
                }
                out => self.announce(handle, out, router),
            };
            match sent {
                Sent::Whole => {}
                Sent::Full => {
                    if let Some(entry) = self.entries.get(&handle) {
                        entry.feed.put_back(out);
                    }
                    return Served::Full;
                }
                Sent::Gone => {
                    log::debug!("the client of consumer {handle} is gone");
                    drop(self.remove(handle));
                    return Served::Idle;
                }
            }
        }
        Served::More
    }

    /// Tells how a consumer began or ended.
    fn announce(&mut self, handle: u64, out: &Out, router: &mut Router) -> Sent {
        let Some(entry) = self.entries.get_mut(&handle) else {
            return Sent::Whole;
        };
        let peer = entry.peer;
        let header = match out {
            Out::Started(after) => {
                let (consumer, after) = (handle, *after);
                let journal = self.source.journal.clone();
                let started = Started {
                    consumer,
                    after,
                    journal,
                };
                reply(&entry.id, &started)
            }
            Out::Refused(refusal) => refusal.header(&entry.id),
            Out::Ended { header } => header.clone(),
            Out::Message { .. } => return Sent::Whole,
        };
        let sent = router.send(&peer, &header, []);
        if sent != Sent::Whole {
            return sent;
        }
        match out {
            Out::Started(after) => {
                // What is before its beginning may be acknowledged, too: a
                // client that goes on after a break has got it before.
                entry.feed.sent(*after);
                if let Some(name) = entry.name.clone() {
                    self.replace(&name, handle, router);
                }
            }
            Out::Refused(_) => {
                self.refused += 1;
                drop(self.remove(handle));
            }
            // Its client may still acknowledge what it got.
            _ => entry.ended = true,
        }
        Sent::Whole
    }

    /// The newest consumer of a name is the one: an older one is most often
    /// that of a client which has lost its connection.
    fn replace(&mut self, name: &str, handle: u64, router: &mut Router) {
        let older =
            |other: u64, entry: &Entry| other < handle && entry.name.as_deref() == Some(name);
        for (peer, header) in self.end_where(Ended::Replaced, older) {
            router.reply(&peer, &header);
        }
    }

    /// Returns what status tells: those that are connected, and the positions
    /// that are kept for those that are not.
    pub(super) fn status(&self) -> Vec<protocol::Consumer> {
        let last = self.source.tail.current().next.saturating_sub(1);
        let lag = |position: u64| last.saturating_sub(position);
        let mut kept = self.positions.list();
        let mut all = Vec::new();
        for (handle, entry) in &self.entries {
            let stored = entry.name.as_ref().and_then(|name| kept.remove(name));
            let position = entry.feed.position();
            all.push(protocol::Consumer {
                consumer: Some(*handle),
                name: entry.name.clone(),
                connected: true,
                position: Some(position),
                lag: Some(lag(position)),
                acked: acked(stored.as_ref()),
            });
        }
        for (name, stored) in kept {
            let position = acked(Some(&stored));
            all.push(protocol::Consumer {
                consumer: None,
                name: Some(name),
                connected: false,
                position,
                lag: position.map(lag),
                acked: position,
            });
        }
        all
    }
}

impl Entry {
    /// Tells whether the consumer may be told that it has begun: from then on its client
    /// relies on what it has not acknowledged being there, whatever retention removes.
    fn is_held(&mut self, positions: &Positions, after: u64) -> bool {
        if let Some(name) = &self.name
            && !self.held
        {
            self.held = positions.begin(self.peer, self.id.clone(), name.clone(), after);
        }
        self.held
    }
}

fn acked(stored: Option<&Stored>) -> Option<u64> {
    match stored {
        Some(Stored::At(position)) => Some(position.number),
        _ => None,
    }
}

/// How serving went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Served {
    /// All was sent.
    Idle,
    /// A connection was full: it has to be tried again in a moment.
    Full,
    /// There is more to send.
    More,
}

fn unknown(handle: u64) -> Failure {
    let message = format!(
        "there is no consumer {handle} on this connection: it was cancelled, replaced or given up, \
         or the broker was started again; ask for a new one"
    );
    Failure::new(code::UNKNOWN_CONSUMER, message)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

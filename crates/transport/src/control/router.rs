//! The control port as a ROUTER socket: requests in, replies out, nobody waited for.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use log::Level;
use protocol::Peers;
use zmtp::{Role, StreamError};

use super::limits;
use crate::intake::Counters;
use crate::keys::{Keys, Member};
use crate::net::{Ended, Entrance, Inbound, Server, Sleeper, Wanted};
use crate::throttle::log_throttled;

/// How much is read from a client at once: its requests wait in memory until
/// it has taken the replies to those before.
const READ: usize = 64 << 10;
/// How many bytes of a consumer's messages leave together: a call of the system for each
/// message would cost more than all the rest of its way.
const TOGETHER: usize = 32 << 10;

/// Where a reply goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    /// The connection, which no later one is taken for.
    pub(super) connection: u64,
    /// A REQ socket puts an empty frame before what it sends, and wants it back.
    delimiter: bool,
}

/// One request as it came.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) peer: Peer,
    /// The header and the frames behind it.
    pub(super) frames: Vec<Vec<u8>>,
    /// Who has sent it, where a key is needed.
    pub(super) member: Option<Arc<Member>>,
    /// Why it is refused: it was too large to be taken in as a whole.
    pub(super) too_large: Option<StreamError>,
}

/// What became of a message to a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Whole,
    /// The connection is full: the same message has to be sent again.
    Full,
    /// There is no such connection any more.
    Gone,
}

/// All connections of the port, with the requests that have come over them.
pub(super) struct Router {
    server: Server,
    /// By connection, in the order in which they came. Those of a client that
    /// does not take its replies wait, and nothing more is read from it.
    requests: BTreeMap<u64, VecDeque<Incoming>>,
    /// Whose request was given out last.
    last: u64,
    counters: Arc<Counters>,
}

impl Router {
    /// Serves requests whose messages have up to `max_message` bytes;
    /// unfinished ones take up to about `max_unfinished` bytes of memory.
    pub(super) fn new(
        entrance: Entrance,
        max_message: u64,
        max_unfinished: usize,
        counters: Arc<Counters>,
        keys: Option<Arc<Keys>>,
    ) -> Self {
        let most = max_message.saturating_add(protocol::MAX_HEADER as u64);
        Self {
            server: Server::new(entrance, Role::Router, "client", most, max_unfinished)
                .with_small_reads(READ)
                .with_keys(keys),
            requests: BTreeMap::new(),
            last: 0,
            counters,
        }
    }

    /// Waits until there is something to do, or somebody wakes the sleeper,
    /// which has announced its wait; then receives and sends what goes.
    pub(super) fn serve(&mut self, sleeper: &mut Sleeper, timeout: Duration) -> io::Result<()> {
        let requests = &mut self.requests;
        for connection in &mut self.server.connections {
            connection.hold_back(requests.contains_key(&connection.id));
        }
        let wanted = Wanted {
            accept: true,
            room: true,
            timeout: Some(timeout),
        };
        let ended = self
            .server
            .serve(sleeper, wanted, &mut |id, member, message| {
                let request = read(id, member.cloned(), &message);
                requests.entry(id).or_default().push_back(request);
            })?;
        for (connection, end) in ended {
            self.note(connection, &end);
        }
        Ok(())
    }

    /// Returns a request that has come, one client's after the other's.
    pub(super) fn receive(&mut self) -> Option<Incoming> {
        let server = &self.server;
        let takes = |(id, _): &(&u64, &VecDeque<Incoming>)| {
            let client = server.get(**id);
            client.is_none_or(|client| !client.owes_reading())
        };
        let behind = (Bound::Excluded(self.last), Bound::Unbounded);
        let next = self.requests.range(behind).find(takes);
        let (&id, _) = next.or_else(|| self.requests.iter().find(takes))?;
        self.last = id;
        let queue = self.requests.get_mut(&id)?;
        let request = queue.pop_front();
        if queue.is_empty() {
            self.requests.remove(&id);
        }
        request
    }

    /// Sends a reply; keeps it for a while where the client does not read.
    pub(super) fn reply(&mut self, peer: &Peer, header: &str) {
        let Some(connection) = self.server.get_mut(peer.connection) else {
            return;
        };
        if connection.owed() + header.len() > limits::OUTBOX {
            log_throttled!(
                Level::Warn,
                "dropped replies to a client of the control port that does not read them"
            );
            return;
        }
        push(connection, *peer, header, []);
        connection.flush();
    }

    /// Sends a message of a consumer, behind all replies to the same client. A few of
    /// them leave together: what has not left yet does so with [`flush`](Self::flush).
    pub(super) fn send<'a>(
        &mut self,
        peer: &Peer,
        header: &'a str,
        frames: impl IntoIterator<Item = &'a [u8]>,
    ) -> Sent {
        let Some(connection) = self.server.get_mut(peer.connection) else {
            return Sent::Gone;
        };
        if connection.owes_reading() {
            return Sent::Full;
        }
        push(connection, *peer, header, frames);
        if connection.owed() >= TOGETHER {
            connection.flush();
        }
        Sent::Whole
    }

    /// Sends what was gathered for a client.
    pub(super) fn flush(&mut self, peer: &Peer) {
        if let Some(connection) = self.server.get_mut(peer.connection) {
            connection.flush();
        }
    }

    /// Returns what status tells of who is connected.
    pub(super) fn clients(&self, most: usize) -> Peers {
        self.server.visitors().list(most)
    }

    /// Returns which connections there are.
    pub(super) fn connected(&self) -> HashSet<u64> {
        self.server.connections.iter().map(|it| it.id).collect()
    }

    /// Tells whether nothing waits for a client to read.
    pub(super) fn is_flushed(&self) -> bool {
        !self.server.connections.iter().any(Inbound::has_unsent)
    }

    /// Says why a connection has ended, where that is anybody's fault.
    fn note(&mut self, connection: Inbound, end: &Ended) {
        let peer = connection.peer;
        match end {
            Ended::Stream(broken @ StreamError::TooLarge { .. }) => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                log_throttled!(
                    Level::Error,
                    "refused a request of {broken}; its client {peer} was disconnected"
                );
                self.refuse_large(connection, *broken);
            }
            Ended::Handshake(wrong) if wrong.is_lasting() => {
                self.counters.disconnected.fetch_add(1, Ordering::Relaxed);
                if self.counters.strangers.note(peer, "control", wrong) {
                    log::warn!("disconnected the client {peer} of the control port: {wrong}");
                }
            }
            // It was said when it was refused.
            Ended::Refused => {
                self.counters.disconnected.fetch_add(1, Ordering::Relaxed);
            }
            Ended::Revoked => {
                log_throttled!(
                    Level::Warn,
                    "disconnected the client {peer} of the control port: {end}"
                );
            }
            end => log::debug!("client {peer} of the control port: {end}"),
        }
    }

    /// Answers a request that is too large as soon as that was announced, if
    /// its header has come. The connection ends: reading over what follows
    /// would mean to take in, for nothing, as much as the client likes to send.
    fn refuse_large(&mut self, connection: Inbound, broken: StreamError) {
        let mut request = read(
            connection.id,
            connection.member().cloned(),
            connection.whole_frames(),
        );
        request.too_large = Some(broken);
        let queue = self.requests.entry(connection.id).or_default();
        queue.push_back(request);
        self.server.close_soon(connection);
    }
}

/// Splits a request as it stands on the wire into its frames.
fn read(connection: u64, member: Option<Arc<Member>>, message: &[u8]) -> Incoming {
    let mut frames: Vec<Vec<u8>> = zmtp::frames(message).map(<[u8]>::to_vec).collect();
    let delimiter = frames.len() > 1 && frames.first().is_some_and(Vec::is_empty);
    if delimiter {
        frames.remove(0);
    }
    Incoming {
        peer: Peer {
            connection,
            delimiter,
        },
        frames,
        member,
        too_large: None,
    }
}

fn push<'a>(
    connection: &mut Inbound,
    peer: Peer,
    header: &'a str,
    frames: impl IntoIterator<Item = &'a [u8]>,
) {
    let delimiter = peer.delimiter.then_some(&b""[..]);
    let message = delimiter.into_iter().chain([header.as_bytes()]);
    connection.push(message.chain(frames));
}

#[cfg(test)]
mod tests;

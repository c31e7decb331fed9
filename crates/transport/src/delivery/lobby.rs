//! Subscribers that have not finished their handshake: they have no threads, and there
//! are not many of them at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Level;
use zmtp::HandshakeError;

use crate::clock;
use crate::delivery::{Connection, LinkError};
use crate::intake::Counters;
use crate::keys::Keys;
use crate::net::{Item, PeerAddress, Socket};
use crate::throttle::log_throttled;

/// How many there may be. When more come, the oldest one goes: who belongs here needs a
/// few milliseconds.
const MOST: usize = 512;
/// For how long a peer is held whose key is not let in: it may be added later, so that
/// the peer has to go on trying, but each try costs the broker more than the peer.
const HOLD: Duration = Duration::from_secs(5);
/// How often time is looked at while somebody is here.
const TICK: Duration = Duration::from_secs(1);

/// Where subscribers are until they have shown who they are.
#[derive(Debug)]
pub(crate) struct Lobby {
    keys: Option<Arc<Keys>>,
    counters: Arc<Counters>,
    newcomers: Vec<Newcomer>,
}

#[derive(Debug)]
struct Newcomer {
    connection: Connection,
    peer: PeerAddress,
    refused: Option<Instant>,
}

/// A subscriber that has finished its handshake.
pub(crate) type Admitted = (Connection, PeerAddress);

impl Lobby {
    /// Lets nobody through but the owners of these keys, where there are any.
    pub(crate) fn new(keys: Option<Arc<Keys>>, counters: Arc<Counters>) -> Self {
        Self {
            keys,
            counters,
            newcomers: Vec::new(),
        }
    }

    /// Takes in an accepted connection, and greets it.
    pub(crate) fn enter(&mut self, socket: Box<dyn Socket>, peer: PeerAddress) {
        if self.newcomers.len() >= MOST {
            // In the order in which they came.
            let oldest = self.newcomers.remove(0);
            log_throttled!(
                Level::Warn,
                "disconnected the subscriber {}: {MOST} others had not finished their handshake \
                 either",
                oldest.peer
            );
        }
        self.newcomers.push(Newcomer {
            connection: Connection::new(socket, peer).guarded_by(self.keys.as_ref()),
            peer,
            refused: None,
        });
    }

    /// Returns how long to wait at most.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        (!self.newcomers.is_empty()).then_some(TICK)
    }

    /// Returns what to wait for. Those that were refused are left alone.
    pub(crate) fn poll_items(&self) -> impl Iterator<Item = Item<'_>> {
        let heard = self
            .newcomers
            .iter()
            .filter(|newcomer| newcomer.refused.is_none());
        heard.map(|newcomer| newcomer.connection.poll_item())
    }

    /// Goes on with everybody; returns those who are done.
    pub(crate) fn serve(&mut self) -> Vec<Admitted> {
        let mut admitted = Vec::new();
        for mut newcomer in std::mem::take(&mut self.newcomers) {
            if let Some(refused) = newcomer.refused {
                if clock::now() - refused < HOLD {
                    self.newcomers.push(newcomer);
                }
                continue;
            }
            match newcomer.connection.greet() {
                Ok(true) => admitted.push((newcomer.connection, newcomer.peer)),
                Ok(false) => self.newcomers.push(newcomer),
                Err(
                    error @ (LinkError::Handshake(HandshakeError::Curve(_)) | LinkError::Denied(_)),
                ) => {
                    log_throttled!(Level::Warn, "refused {}: {error}", newcomer.peer);
                    newcomer.refused = Some(clock::now());
                    self.newcomers.push(newcomer);
                }
                Err(LinkError::Handshake(wrong)) if wrong.is_lasting() => {
                    let peer = newcomer.peer;
                    if self.counters.strangers.note(peer, "subscribers", &wrong) {
                        log::warn!("subscriber {peer} was disconnected: {wrong}");
                    }
                }
                Err(error) => leave(newcomer.peer, &error),
            }
        }
        admitted
    }
}

/// Says why a subscriber has gone.
pub(crate) fn leave(peer: PeerAddress, error: &LinkError) {
    match error {
        LinkError::Closed => log::debug!("subscriber {peer} left"),
        error => {
            let source = std::error::Error::source(error);
            let cause = source.map_or_else(String::new, |source| format!(": {source}"));
            log_throttled!(
                Level::Warn,
                "subscriber {peer} was disconnected: {error}{cause}"
            );
        }
    }
}

//! Who is connected to a port, for whoever asks for the broker's status.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use protocol::Peers;
use zmtp::Peer;

use super::address::PeerAddress;

use crate::sync::held;

/// All peers of a port that have finished their handshake.
#[derive(Debug, Default)]
pub(crate) struct Visitors(Mutex<BTreeMap<u64, protocol::Peer>>);

impl Visitors {
    /// Notes a peer, by the id of its connection.
    pub(super) fn enter(&self, id: u64, address: PeerAddress, peer: &Peer) {
        let entry = described(address.to_string(), peer);
        self.lock().insert(id, entry);
    }

    /// Forgets a peer that has left.
    pub(super) fn leave(&self, id: u64) {
        self.lock().remove(&id);
    }

    /// Returns how many there are, and what is known of up to `most` of them.
    pub(crate) fn list(&self, most: usize) -> Peers {
        let visitors = self.lock();
        Peers {
            count: visitors.len() as u64,
            list: visitors.values().take(most).cloned().collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, protocol::Peer>> {
        held(self.0.lock())
    }
}

/// Says what is known of a peer since its handshake.
pub(crate) fn described(address: String, peer: &Peer) -> protocol::Peer {
    let (major, minor) = peer.version;
    let mechanism = if peer.key.is_some() { "CURVE" } else { "NULL" };
    protocol::Peer {
        peer: address,
        socket: peer.socket_type.map(|found| found.name().to_owned()),
        protocol: format!("{major}.{minor}"),
        mechanism: mechanism.to_owned(),
        key: peer.key.as_ref().map(|key| key.name.to_string()),
    }
}

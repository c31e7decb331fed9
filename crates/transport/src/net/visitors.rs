//! Who is connected to a port, for whoever asks for the broker's status.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use zmtp::Peer;

/// All peers of a port that have finished their handshake.
#[derive(Debug, Default)]
pub(crate) struct Visitors(Mutex<BTreeMap<u64, Value>>);

impl Visitors {
    /// Notes a peer, by the id of its connection.
    pub(super) fn enter(&self, id: u64, address: SocketAddr, peer: &Peer) {
        let mut entry = described(peer);
        entry["peer"] = address.to_string().into();
        self.lock().insert(id, entry);
    }

    /// Forgets a peer that has left.
    pub(super) fn leave(&self, id: u64) {
        self.lock().remove(&id);
    }

    /// Returns how many there are, and what is known of up to `most` of them.
    pub(crate) fn list(&self, most: usize) -> Value {
        let visitors = self.lock();
        let list: Vec<&Value> = visitors.values().take(most).collect();
        json!({"count": visitors.len(), "list": list})
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says what is known of a peer since its handshake.
pub(crate) fn described(peer: &Peer) -> Value {
    let (major, minor) = peer.version;
    json!({
        "socket": peer.socket_type.map(zmtp::SocketType::name),
        "protocol": format!("{major}.{minor}"),
        "mechanism": if peer.key.is_some() { "CURVE" } else { "NULL" },
        "key": peer.key.as_ref().map(|key| &*key.name),
    })
}

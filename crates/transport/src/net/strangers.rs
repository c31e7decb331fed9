//! Peers that can't be served whatever they do: sockets of the wrong type, mechanisms
//! that are not offered, versions that are too old.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use zmtp::HandshakeError;

use super::address::PeerAddress;

use crate::sync::held;

/// Such a peer comes back many times a second: it is named and counted this often.
const EVERY: Duration = Duration::from_secs(60);
/// Of how many it is known when they were named.
const MOST: usize = 1000;

/// Who was there, and why it was sent away.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    named: Mutex<HashMap<(Option<IpAddr>, String), Instant>>,
    count: AtomicU64,
}

impl Strangers {
    /// Notes that a peer was sent away; true where that is to be said in the log. Its
    /// port is another one each time, so that a machine's sockets of one kind at one
    /// of our ports count as one peer.
    pub(crate) fn note(&self, peer: PeerAddress, ours: &'static str, why: &HandshakeError) -> bool {
        self.note_at(Instant::now(), peer.host(), format!("{ours}: {why}"))
    }

    fn note_at(&self, now: Instant, peer: Option<IpAddr>, why: String) -> bool {
        let mut named = held(self.named.lock());
        if named.len() >= MOST {
            named.retain(|_, at| now.saturating_duration_since(*at) < EVERY);
        }
        let recent = named.get(&(peer, why.clone()));
        if recent.is_some_and(|at| now.saturating_duration_since(*at) < EVERY) {
            return false;
        }
        // Those that do not fit were not named in this minute as far as anybody knows.
        if named.len() < MOST {
            named.insert((peer, why), now);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Returns how many there were, each once a minute.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_is_named_once_a_minute_for_each_reason() {
        let (strangers, now) = (Strangers::default(), Instant::now());
        let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|ip| Some(ip.parse().unwrap()));
        let note = |now, peer, why: &str| strangers.note_at(now, peer, why.to_owned());
        assert!(note(now, a, "PUSH") && note(now, b, "PUSH") && note(now, a, "SUB"));
        assert!(!note(now + EVERY / 2, a, "PUSH"));
        assert_eq!(strangers.count(), 3);
        assert!(note(now + EVERY, a, "PUSH"));
        assert_eq!(strangers.count(), 4);
    }

    #[test]
    fn what_is_known_of_them_is_bounded() {
        let (strangers, now) = (Strangers::default(), Instant::now());
        let a = Some("10.0.0.1".parse().unwrap());
        for number in 0..2 * MOST {
            strangers.note_at(now, a, number.to_string());
        }
        assert_eq!(strangers.named.lock().unwrap().len(), MOST);
        assert!(strangers.note_at(now + EVERY, a, "new".to_owned()));
        assert_eq!(strangers.named.lock().unwrap().len(), 1);
    }
}

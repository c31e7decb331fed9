//! Who is subscribed, for whoever asks for the broker's status.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use zmtp::Peer;

use crate::sync::held;

/// How many bytes of a topic are told.
const LONGEST: usize = 256;

/// All subscribers that are connected.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    entries: Mutex<BTreeMap<u64, Arc<SubscriberInfo>>>,
    next: AtomicU64,
}

/// One subscriber.
#[derive(Debug)]
pub(crate) struct SubscriberInfo {
    /// Its address.
    pub(crate) peer: String,
    /// What it has said of itself.
    pub(crate) introduction: Peer,
    /// The number of the last message that it was sent or that it does not want.
    pub(crate) position: AtomicU64,
    /// What it is subscribed to: a set, as libzmq keeps one for each peer. The
    /// names are shared with whoever serves it.
    topics: Mutex<BTreeSet<Arc<[u8]>>>,
}

/// Takes the entry out when the subscriber leaves.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    id: u64,
    pub(crate) entry: Arc<SubscriberInfo>,
}

impl Registry {
    pub(crate) fn enter(self: &Arc<Self>, peer: String, introduction: Peer) -> Registration {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(SubscriberInfo {
            peer,
            introduction,
            position: AtomicU64::new(0),
            topics: Mutex::default(),
        });
        let mut entries = held(self.entries.lock());
        entries.insert(id, Arc::clone(&entry));
        Registration {
            registry: Arc::clone(self),
            id,
            entry,
        }
    }

    pub(crate) fn list(&self) -> Vec<Arc<SubscriberInfo>> {
        let entries = held(self.entries.lock());
        entries.values().cloned().collect()
    }
}

impl SubscriberInfo {
    pub(crate) fn add(&self, topic: &Arc<[u8]>) {
        self.lock().insert(Arc::clone(topic));
    }

    pub(crate) fn remove(&self, topic: &[u8]) {
        self.lock().remove(topic);
    }

    /// Returns what it is subscribed to, up to `most` topics and of each the
    /// beginning, and how many there are.
    pub(crate) fn topics(&self, most: usize) -> (Vec<String>, usize) {
        let topics = self.lock();
        let text = |topic: &Arc<[u8]>| match topic.get(..LONGEST) {
            Some(beginning) => String::from_utf8_lossy(beginning).into_owned() + "...",
            None => String::from_utf8_lossy(topic).into_owned(),
        };
        (topics.iter().take(most).map(text).collect(), topics.len())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Arc<[u8]>>> {
        held(self.topics.lock())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let entries = self.registry.entries.lock();
        let mut entries = held(entries);
        entries.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_left_is_not_listed() {
        let registry = Arc::new(Registry::default());
        let first = registry.enter("a".to_owned(), Peer::default());
        let second = registry.enter("b".to_owned(), Peer::default());
        drop(first);
        let peers: Vec<_> = registry.list().iter().map(|one| one.peer.clone()).collect();
        assert_eq!(peers, ["b"]);
        drop(second);
        assert!(registry.list().is_empty());
    }

    #[test]
    fn topics_are_a_set_and_long_ones_are_cut() {
        let registry = Arc::new(Registry::default());
        let guest = registry.enter("a".to_owned(), Peer::default());
        let (x, long): (Arc<[u8]>, Arc<[u8]>) = (b"x"[..].into(), vec![b'y'; 60_000].into());
        for topic in [&x, &x, &long, &long] {
            guest.entry.add(topic);
        }
        let cut = "y".repeat(LONGEST) + "...";
        assert_eq!(guest.entry.topics(9), (vec!["x".to_owned(), cut], 2));
        assert_eq!(guest.entry.topics(1), (vec!["x".to_owned()], 2));
        guest.entry.remove(b"x");
        guest.entry.remove(&long);
        assert_eq!(guest.entry.topics(9), (vec![], 0));
    }
}

//! Who is subscribed, for whoever asks for the broker's status.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// All subscribers that are connected.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    entries: Mutex<BTreeMap<u64, Arc<Entry>>>,
    next: AtomicU64,
}

/// One subscriber.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its address.
    pub(crate) peer: String,
    /// The number of the last message that it was sent or that it does not want.
    pub(crate) position: AtomicU64,
    topics: Mutex<Vec<Vec<u8>>>,
}

/// Takes the entry out when the subscriber leaves.
#[derive(Debug)]
pub(crate) struct Guest<'a> {
    roster: &'a Roster,
    id: u64,
    pub(crate) entry: Arc<Entry>,
}

impl Roster {
    pub(crate) fn enter(&self, peer: String) -> Guest<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(Entry {
            peer,
            position: AtomicU64::new(0),
            topics: Mutex::default(),
        });
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(id, Arc::clone(&entry));
        Guest {
            roster: self,
            id,
            entry,
        }
    }

    pub(crate) fn list(&self) -> Vec<Arc<Entry>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.values().cloned().collect()
    }
}

impl Entry {
    pub(crate) fn add(&self, topic: &[u8]) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.push(topic.to_vec());
    }

    pub(crate) fn remove(&self, topic: &[u8]) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = topics.iter().position(|other| other == topic) {
            topics.swap_remove(index);
        }
    }

    /// Returns what it is subscribed to, up to so many topics, and how many
    /// there are.
    pub(crate) fn topics(&self, most: usize) -> (Vec<String>, usize) {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |topic: &Vec<u8>| String::from_utf8_lossy(topic).into_owned();
        (topics.iter().take(most).map(text).collect(), topics.len())
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let entries = self.roster.entries.lock();
        let mut entries = entries.unwrap_or_else(PoisonError::into_inner);
        entries.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_left_is_not_listed() {
        let roster = Roster::default();
        let first = roster.enter("a".to_owned());
        let second = roster.enter("b".to_owned());
        first.entry.add(b"x");
        first.entry.add(b"x");
        first.entry.remove(b"x");
        assert_eq!(first.entry.topics(10), (vec!["x".to_owned()], 1));
        drop(first);
        let peers: Vec<_> = roster.list().iter().map(|one| one.peer.clone()).collect();
        assert_eq!(peers, ["b"]);
        drop(second);
        assert!(roster.list().is_empty());
    }
}

//! Which messages were sent before, by sender and `message_id`.

mod load;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};

pub(super) use self::load::load;

/// A sender and its name for a message, as 128 bits that nobody can foresee:
/// that two of them are the same by chance need not be reckoned with.
pub(super) type Key = u128;

/// Makes keys. Clones make the same ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(RandomState, RandomState);

/// What a message consists of, as 64 bits that nobody can foresee: a name that
/// is used again for another message has another one.
pub(super) type Digest = u64;

/// An acknowledged message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) digest: Digest,
}

/// What the journal knows, in the order of the numbers.
pub(super) type Known = Vec<(Key, Entry)>;

/// The acknowledged messages among the newest ones of the journal.
///
/// The window counts messages of any kind: so it is the same one whether the
/// table was filled message by message or from the journal after a crash.
#[derive(Debug)]
pub(super) struct Dedupe {
    window: u64,
    entries: HashMap<Key, Entry>,
    order: VecDeque<(u64, Key)>,
}

impl Keys {
    pub(super) fn key(&self, sender: &str, id: &str) -> Key {
        let [high, low] = [&self.0, &self.1].map(|state| u128::from(state.hash_one((sender, id))));
        high << 64 | low
    }

    /// Returns the digest of a message's frames.
    pub(super) fn digest<'a>(&self, frames: impl IntoIterator<Item = &'a [u8]>) -> Digest {
        let mut hasher = self.0.build_hasher();
        for frame in frames {
            hasher.write_usize(frame.len());
            hasher.write(frame);
        }
        hasher.finish()
    }
}

impl Dedupe {
    pub(super) fn new(window: u64) -> Self {
        Self {
            window,
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Notes a message; they come in the order of their numbers.
    pub(super) fn add(&mut self, key: Key, entry: Entry) {
        if self.window == 0 {
            return;
        }
        let number = entry.number;
        self.entries.insert(key, entry);
        self.order.push_back((number, key));
        while let Some((oldest, key)) = self.order.front()
            && !self.holds(*oldest, number)
        {
            // The same key may stand for a newer message since.
            if self.entries.get(key).map(|entry| entry.number) == Some(*oldest) {
                self.entries.remove(key);
            }
            self.order.pop_front();
        }
    }

    /// Returns the message that was recorded under this name before, if that is
    /// within the window behind the journal's last number.
    pub(super) fn find(&self, key: Key, last: u64) -> Option<Entry> {
        let entry = self.entries.get(&key).copied();
        entry.filter(|entry| self.holds(entry.number, last))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn holds(&self, number: u64, last: u64) -> bool {
        number.saturating_add(self.window) > last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        Entry { number, digest: 7 }
    }

    #[test]
    fn a_message_is_known_within_the_window_and_not_beyond() {
        let keys = Keys::default();
        let mut dedupe = Dedupe::new(10);
        dedupe.add(keys.key("a", "1"), entry(5));
        assert_eq!(dedupe.find(keys.clone().key("a", "1"), 5), Some(entry(5)));
        assert_eq!(dedupe.find(keys.key("a", "1"), 14), Some(entry(5)));
        assert_eq!(dedupe.find(keys.key("a", "1"), 15), None);
        assert_eq!(dedupe.find(keys.key("b", "1"), 5), None);
        assert_eq!(dedupe.find(keys.key("a1", ""), 5), None);
    }

    #[test]
    fn memory_is_bounded_by_the_window() {
        let keys = Keys::default();
        let mut dedupe = Dedupe::new(100);
        for number in 1..=10_000 {
            dedupe.add(keys.key("a", &number.to_string()), entry(number));
        }
        assert_eq!((dedupe.len(), dedupe.order.len()), (100, 100));
        assert!(dedupe.find(keys.key("a", "9901"), 10_000).is_some());
        let mut off = Dedupe::new(0);
        off.add(7, entry(1));
        assert_eq!((off.len(), off.find(7, 1)), (0, None));
    }

    #[test]
    fn a_name_that_is_used_again_beyond_the_window_stands_for_the_newer_message() {
        let mut dedupe = Dedupe::new(2);
        dedupe.add(7, entry(1));
        dedupe.add(7, entry(3));
        dedupe.add(8, entry(4));
        assert_eq!(dedupe.find(7, 4), Some(entry(3)));
    }

    #[test]
    fn messages_that_differ_in_anything_have_different_digests() {
        let keys = Keys::default();
        let messages: [&[&[u8]]; 5] = [
            &[b"t", b"{}"],
            &[b"t", b"{ }"],
            &[b"u", b"{}"],
            &[b"t", b"{", b"}"],
            &[b"t", b"{}", b""],
        ];
        let digest = |frames: &&[&[u8]]| keys.digest(frames.iter().copied());
        let digests: std::collections::BTreeSet<Digest> = messages.iter().map(digest).collect();
        assert_eq!(digests.len(), messages.len());
        assert_eq!(digest(&messages[0]), digest(&messages[0]));
    }
}

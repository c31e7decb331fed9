//! Which messages were sent before, by sender and `message_id`.

mod load;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

pub(super) use self::load::load;

/// A sender and its name for a message, as 128 bits that nobody can foresee:
/// that two of them are the same by chance need not be reckoned with.
pub(super) type Key = u128;

/// Makes keys. Clones make the same ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(RandomState, RandomState);

/// What the journal knows, in the order of the numbers.
pub(super) type Known = Vec<(u64, Key)>;

/// The acknowledged messages among the newest ones of the journal.
///
/// The window counts messages of any kind: so it is the same one whether the
/// table was filled message by message or from the journal after a crash.
#[derive(Debug)]
pub(super) struct Dedupe {
    window: u64,
    numbers: HashMap<Key, u64>,
    order: VecDeque<(u64, Key)>,
}

impl Keys {
    pub(super) fn key(&self, sender: &str, id: &str) -> Key {
        let [high, low] = [&self.0, &self.1].map(|state| u128::from(state.hash_one((sender, id))));
        high << 64 | low
    }
}

impl Dedupe {
    pub(super) fn new(window: u64) -> Self {
        Self {
            window,
            numbers: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Notes a message; they come in the order of their numbers.
    pub(super) fn add(&mut self, number: u64, key: Key) {
        if self.window == 0 {
            return;
        }
        self.numbers.insert(key, number);
        self.order.push_back((number, key));
        while let Some((oldest, key)) = self.order.front()
            && !self.holds(*oldest, number)
        {
            // The same key may stand for a newer message since.
            if self.numbers.get(key) == Some(oldest) {
                self.numbers.remove(key);
            }
            self.order.pop_front();
        }
    }

    /// Returns the number of a message that was recorded before, if that is
    /// within the window behind the journal's last number.
    pub(super) fn number(&self, key: Key, last: u64) -> Option<u64> {
        let number = self.numbers.get(&key).copied();
        number.filter(|number| self.holds(*number, last))
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    fn holds(&self, number: u64, last: u64) -> bool {
        number.saturating_add(self.window) > last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_within_the_window_and_not_beyond() {
        let keys = Keys::default();
        let mut dedupe = Dedupe::new(10);
        dedupe.add(5, keys.key("a", "1"));
        assert_eq!(dedupe.number(keys.clone().key("a", "1"), 5), Some(5));
        assert_eq!(dedupe.number(keys.key("a", "1"), 14), Some(5));
        assert_eq!(dedupe.number(keys.key("a", "1"), 15), None);
        assert_eq!(dedupe.number(keys.key("b", "1"), 5), None);
        assert_eq!(dedupe.number(keys.key("a1", ""), 5), None);
    }

    #[test]
    fn memory_is_bounded_by_the_window() {
        let keys = Keys::default();
        let mut dedupe = Dedupe::new(100);
        for number in 1..=10_000 {
            dedupe.add(number, keys.key("a", &number.to_string()));
        }
        assert_eq!((dedupe.len(), dedupe.order.len()), (100, 100));
        assert!(dedupe.number(keys.key("a", "9901"), 10_000).is_some());
        let mut off = Dedupe::new(0);
        off.add(1, 7);
        assert_eq!((off.len(), off.number(7, 1)), (0, None));
    }

    #[test]
    fn a_name_that_is_used_again_beyond_the_window_stands_for_the_newer_message() {
        let mut dedupe = Dedupe::new(2);
        dedupe.add(1, 7);
        dedupe.add(3, 7);
        dedupe.add(4, 8);
        assert_eq!(dedupe.number(7, 4), Some(3));
    }
}

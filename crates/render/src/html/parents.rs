//! Which message has which name, and where it is.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many of the last ones are remembered.
const MOST: usize = if cfg!(test) { 4 } else { 1 << 17 };

/// A message's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The page; there may be only one.
    pub(super) page: u64,
    /// Which of all messages it is.
    pub(super) count: u64,
    /// Its number, where that is known.
    pub(super) number: Option<u64>,
}

/// Messages by their names.
#[derive(Debug, Default)]
pub(super) struct Parents {
    places: HashMap<u64, Place>,
    order: VecDeque<u64>,
}

impl Parents {
    pub(super) fn insert(&mut self, id: &str, place: Place) {
        let key = key(id);
        // Of equal names the first one counts.
        if self.places.contains_key(&key) {
            return;
        }
        self.places.insert(key, place);
        self.order.push_back(key);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<Place> {
        self.places.get(&key(id)).copied()
    }
}

fn key(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_names_are_remembered() {
        let mut parents = Parents::default();
        let place = |count, number| Place {
            page: 1,
            count,
            number: Some(number),
        };
        for number in 0..6 {
            parents.insert(&number.to_string(), place(number, 7));
            parents.insert(&number.to_string(), place(99, 9));
        }
        assert_eq!(
            (parents.get("1"), parents.get("5")),
            (None, Some(place(5, 7)))
        );
        assert_eq!(parents.places.len(), MOST);
    }
}

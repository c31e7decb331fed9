//! Counts for each name, of which there may be too many.

use std::collections::HashMap;

use super::hash::hash;
use crate::fields::Tags;
use crate::intern::{Handle, Places, Recent};

/// How many different names are told apart; the others are counted together.
pub(super) const NAMES: usize = if cfg!(test) { 8 } else { 10_000 };
/// Longer names are cut before they are told apart.
const LENGTH: usize = 1_000;

/// What is counted for each of many names.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) entries: Vec<Entry>,
    index: HashMap<Box<[u8]>, usize>,
    recent: Recent,
    places: Places<usize>,
    /// Where the names of whole lists stand.
    lists: Places<Box<[usize]>>,
    pub(super) others: Count,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: Box<[u8]>,
    pub(super) count: Count,
}

/// Messages of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) messages: u64,
    pub(super) bytes: u64,
    /// The earliest and the latest time, in milliseconds since 1970.
    pub(super) times: Option<(i64, i64)>,
}

impl Names {
    /// Counts a name that may have a handle.
    #[inline(always)]
    pub(super) fn add(&mut self, name: &[u8], handle: Handle, count: Count) {
        let known = self.places.get(handle);
        match known.and_then(|at| self.entries.get_mut(*at)) {
            Some(entry) => entry.count.merge(count),
            None => self.add_new(name, handle, count),
        }
    }

    #[cold]
    fn add_new(&mut self, name: &[u8], handle: Handle, count: Count) {
        if let Some(at) = self.add_name(name, count) {
            self.places.set(handle, at);
        }
    }

    /// Counts each name of a list that may have a handle.
    #[inline(always)]
    pub(super) fn add_list(&mut self, list: &Tags<'_>, handle: Handle, count: Count) {
        match self.lists.get(handle) {
            Some(places) => {
                for at in places {
                    if let Some(entry) = self.entries.get_mut(*at) {
                        entry.count.merge(count);
                    }
                }
            }
            None => self.add_new_list(list, handle, count),
        }
    }

    #[cold]
    fn add_new_list(&mut self, list: &Tags<'_>, handle: Handle, count: Count) {
        let places: Vec<_> = list.iter().map(|name| self.add_name(name, count)).collect();
        if let Some(places) = places.into_iter().collect() {
            self.lists.set(handle, places);
        }
    }

    /// Counts a name, and returns where it stands unless it is over the limit.
    pub(super) fn add_name(&mut self, name: &[u8], count: Count) -> Option<usize> {
        let at = self.place(name.get(..LENGTH).unwrap_or(name));
        let entry = at.and_then(|at| self.entries.get_mut(at));
        entry
            .map_or(&mut self.others, |entry| &mut entry.count)
            .merge(count);
        at
    }

    /// Finds a name, or makes room for it as long as there is any.
    fn place(&mut self, name: &[u8]) -> Option<usize> {
        let is_at = |at: usize| {
            let known = self.entries.get(at);
            known.is_some_and(|entry| *entry.name == *name)
        };
        if let Some(at) = self.recent.find(name, is_at) {
            return Some(at);
        }
        let at = match self.index.get(name) {
            Some(at) => *at,
            None if self.entries.len() >= NAMES => return None,
            None => {
                let at = self.entries.len();
                self.index.insert(name.into(), at);
                self.entries.push(Entry {
                    name: name.into(),
                    count: Count::default(),
                });
                at
            }
        };
        self.recent.set(name, at);
        Some(at)
    }

    pub(super) fn merge(&mut self, other: Self) {
        for Entry { name, count } in other.entries {
            self.add_name(&name, count);
        }
        self.others.merge(other.others);
    }

    /// Returns the entries, those with most messages first, then by name.
    pub(super) fn by_count(&self) -> Vec<&Entry> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by(|a, b| {
            let messages = b.count.messages.cmp(&a.count.messages);
            messages.then_with(|| a.name.cmp(&b.name))
        });
        entries
    }
}

impl Entry {
    pub(super) fn hash(&self) -> u64 {
        hash(&self.name)
    }

    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

impl Count {
    /// A single message.
    pub(super) fn one(bytes: u64, time: Option<i64>) -> Self {
        Self {
            messages: 1,
            bytes,
            times: time.map(|time| (time, time)),
        }
    }

    #[inline]
    fn merge(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (times, other) => times.or(other),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_names_are_counted_together() {
        let mut names = Names::default();
        for round in 0..2 {
            for name in 0..NAMES + 3 {
                names.add_name(name.to_string().as_bytes(), Count::one(10, Some(round)));
            }
        }
        assert_eq!(names.by_count().len(), NAMES);
        assert_eq!(names.others.messages, 6);
        let first = names.by_count()[0];
        let times = Some((0, 1));
        let expected = Count {
            messages: 2,
            bytes: 20,
            times,
        };
        assert_eq!((first.name(), first.count), ("0".to_owned(), expected));
    }
}

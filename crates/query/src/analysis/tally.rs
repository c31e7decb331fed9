//! How often names occur.

use std::collections::HashMap;

use crate::intern::{Handle, Places, Recent};

/// How often each name occurs.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    names: Vec<(Box<str>, u64)>,
    index: HashMap<Box<str>, usize>,
    recent: Recent,
    places: Places<usize>,
}

impl Tally {
    /// Counts a name.
    pub fn add(&mut self, name: &[u8]) {
        self.add_many(name, 1);
    }

    /// Counts a name several times.
    pub fn add_many(&mut self, name: &[u8], count: u64) {
        let at = self.place(name);
        self.names[at].1 += count;
    }

    /// Counts a name that may have a handle.
    #[inline(always)]
    pub(super) fn add_known(&mut self, name: &[u8], handle: Handle) {
        let known = self.places.get(handle);
        match known.and_then(|at| self.names.get_mut(*at)) {
            Some((_, count)) => *count += 1,
            None => self.add_new(name, handle),
        }
    }

    #[cold]
    fn add_new(&mut self, name: &[u8], handle: Handle) {
        let at = self.place(name);
        self.names[at].1 += 1;
        self.places.set(handle, at);
    }

    /// Finds a name, or makes room for it.
    fn place(&mut self, name: &[u8]) -> usize {
        let is_at = |at: usize| {
            let known = self.names.get(at);
            known.is_some_and(|(known, _)| known.as_bytes() == name)
        };
        if let Some(at) = self.recent.find(name, is_at) {
            return at;
        }
        let at = self.find_or_add(&String::from_utf8_lossy(name));
        self.recent.set(name, at);
        at
    }

    fn find_or_add(&mut self, name: &str) -> usize {
        if let Some(at) = self.index.get(name) {
            return *at;
        }
        let at = self.names.len();
        self.names.push((name.into(), 0));
        self.index.insert(name.into(), at);
        at
    }

    /// Adds the counts of another tally.
    pub fn merge(&mut self, other: &Self) {
        for (name, count) in &other.names {
            self.add_many(name.as_bytes(), *count);
        }
    }

    /// Returns names and counts in the order of the names.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&str, u64)> {
        let names = self.names.iter();
        let mut counts: Vec<_> = names.map(|(name, count)| (&**name, *count)).collect();
        counts.sort_unstable();
        counts
    }

    /// Returns names and counts, the largest count first, and by name where
    /// counts are equal.
    #[must_use]
    pub fn by_count(&self) -> Vec<(&str, u64)> {
        let mut counts = self.by_name();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

impl PartialEq for Tally {
    fn eq(&self, other: &Self) -> bool {
        self.by_name() == other.by_name()
    }
}

impl Eq for Tally {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_is_sorted_by_count_and_then_by_name() {
        let mut tally = Tally::default();
        for name in ["b", "c", "a", "c", "d", "d", "d"] {
            tally.add(name.as_bytes());
        }
        assert_eq!(tally.by_count(), [("d", 3), ("c", 2), ("a", 1), ("b", 1)]);
        assert_eq!(tally.by_name(), [("a", 1), ("b", 1), ("c", 2), ("d", 3)]);
    }
}

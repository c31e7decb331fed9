//! Counts for each name, of which there may be too many.

use std::collections::HashMap;

use super::replies::hash;

/// So many different names are told apart; the others are counted together.
pub(super) const NAMES: usize = if cfg!(test) { 8 } else { 10_000 };
/// Longer names are cut before they are told apart.
const LENGTH: usize = 1_000;
const SLOTS: usize = 64;

/// What is counted for each of many names.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) entries: Vec<Entry>,
    index: HashMap<Box<[u8]>, usize>,
    /// Where the name stands that had the same slot last: names are few, and
    /// the same ones come again and again.
    recent: [u16; SLOTS],
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
    pub(super) fn add(&mut self, name: &[u8], bytes: u64, time: Option<i64>) {
        let count = Count {
            messages: 1,
            bytes,
            times: time.map(|time| (time, time)),
        };
        self.add_count(name.get(..LENGTH).unwrap_or(name), count);
    }

    pub(super) fn add_count(&mut self, name: &[u8], count: Count) {
        let slot = slot(name);
        let recent = self.recent.get(slot).map_or(0, |at| usize::from(*at));
        match self.entries.get_mut(recent) {
            Some(entry) if *entry.name == *name => entry.count.merge(count),
            _ => self.add_rare(name, count, slot),
        }
    }

    #[cold]
    fn add_rare(&mut self, name: &[u8], count: Count, slot: usize) {
        let at = match self.index.get(name) {
            Some(at) => *at,
            None if self.entries.len() >= NAMES => return self.others.merge(count),
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
        if let Some(entry) = self.entries.get_mut(at) {
            entry.count.merge(count);
        }
        if let (Some(recent), Ok(at)) = (self.recent.get_mut(slot), u16::try_from(at)) {
            *recent = at;
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for Entry { name, count } in other.entries {
            self.add_count(&name, count);
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
    fn merge(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (times, other) => times.or(other),
        };
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            index: HashMap::new(),
            recent: [0; SLOTS],
            others: Count::default(),
        }
    }
}

/// Chooses a name's slot by its length and its ends.
fn slot(name: &[u8]) -> usize {
    let end = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or(0));
    (name.len() * 31 + end(name.first()) * 7 + end(name.last())) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_names_are_counted_together() {
        let mut names = Names::default();
        for round in 0..2 {
            for name in 0..NAMES + 3 {
                names.add(name.to_string().as_bytes(), 10, Some(round));
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

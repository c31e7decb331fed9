//! Which messages a subscriber wants.

use std::collections::{BTreeMap, HashMap};

/// A set of topic prefixes, as a ZeroMQ subscriber has one.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    topics: HashMap<Vec<u8>, Topic>,
    /// How many topics there are of each length: a message's topic is looked
    /// up once per length, however many topics there are.
    lengths: BTreeMap<usize, usize>,
    /// What the empty topic covers, if it is in the set.
    all_since: Option<u64>,
    /// How much memory the topics take, about.
    memory: usize,
}

/// What a topic takes besides its own bytes.
const OVERHEAD: usize = 128;

/// Returns about how many bytes of memory a topic takes.
pub(crate) fn memory_of(topic: &[u8]) -> usize {
    topic.len() + OVERHEAD
}

#[derive(Debug, Clone, Copy)]
struct Topic {
    /// How often the subscriber has subscribed to it.
    count: usize,
    /// The number of the first record that was delivered for it.
    since: u64,
}

impl Topics {
    /// Adds a topic, all of whose records from `since` on have been delivered
    /// or are about to be.
    pub(crate) fn add(&mut self, topic: Vec<u8>, since: u64) {
        let length = topic.len();
        let mut new = false;
        let entry = self.topics.entry(topic).or_insert_with(|| {
            new = true;
            Topic { count: 0, since }
        });
        entry.count += 1;
        entry.since = entry.since.min(since);
        if length == 0 {
            self.all_since = Some(entry.since);
        }
        if new {
            self.memory += length + OVERHEAD;
            *self.lengths.entry(length).or_insert(0) += 1;
        }
    }

    /// Subscribes once more to a topic that is in the set; false if it is not.
    pub(crate) fn add_again(&mut self, topic: &[u8]) -> bool {
        self.topics
            .get_mut(topic)
            .map(|topic| topic.count += 1)
            .is_some()
    }

    /// Takes one subscription to a topic back; false if there is none.
    pub(crate) fn remove(&mut self, topic: &[u8]) -> bool {
        let Some(entry) = self.topics.get_mut(topic) else {
            return false;
        };
        entry.count -= 1;
        if entry.count == 0 {
            self.topics.remove(topic);
            self.memory -= memory_of(topic);
            if topic.is_empty() {
                self.all_since = None;
            }
            if let Some(count) = self.lengths.get_mut(&topic.len()) {
                *count -= 1;
                if *count == 0 {
                    self.lengths.remove(&topic.len());
                }
            }
        }
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// Returns about how many bytes of memory the set takes.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// Moves all topics of another set into this one, with what they cover.
    pub(crate) fn absorb(&mut self, other: Self) {
        for (topic, Topic { count, since }) in other.topics {
            for _ in 0..count {
                self.add(topic.clone(), since);
            }
        }
    }

    /// Tells whether a message with this number and first frame belongs to a
    /// topic that covers it.
    pub(crate) fn matches(&self, number: u64, first_frame: &[u8]) -> bool {
        // Most subscribers want everything: that needs no look-up.
        if self.all_since.is_some_and(|since| since <= number) {
            return true;
        }
        self.lengths
            .keys()
            .take_while(|length| **length <= first_frame.len())
            .any(|length| {
                let prefix = first_frame.get(..*length).unwrap_or_default();
                self.topics
                    .get(prefix)
                    .is_some_and(|topic| topic.since <= number)
            })
    }
}

/// What a subscriber is to get now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) topics: &'a Topics,
    /// What it gets anyway.
    pub(crate) without: Option<&'a Topics>,
}

impl Wanted<'_> {
    /// Tells whether a message with this number and first frame is among it.
    pub(crate) fn has(&self, number: u64, first_frame: &[u8]) -> bool {
        let excluded = |without: &Topics| without.matches(number, first_frame);
        self.topics.matches(number, first_frame) && !self.without.is_some_and(excluded)
    }

    /// Tells whether every message from `number` on is among it, so that
    /// nobody needs to look at their topics.
    pub(crate) fn has_all_from(&self, number: u64) -> bool {
        self.topics.all_since.is_some_and(|since| since <= number)
            && self.without.is_none_or(Topics::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_a_prefix_and_the_empty_one_matches_all() {
        let mut topics = Topics::default();
        topics.add(b"claude".to_vec(), 1);
        assert!(topics.matches(1, b"claude_design"));
        assert!(topics.matches(1, b"claude"));
        assert!(!topics.matches(1, b"claud"));
        assert!(!topics.matches(1, b""));
        topics.add(Vec::new(), 5);
        assert!(topics.matches(5, b""));
        assert!(
            !topics.matches(4, b"gemini"),
            "it does not cover what came before"
        );
    }

    #[test]
    fn a_topic_stays_until_it_was_dropped_as_often_as_it_was_added() {
        let mut topics = Topics::default();
        topics.add(b"a".to_vec(), 1);
        assert!(topics.add_again(b"a"));
        assert!(topics.remove(b"a"));
        assert!(topics.matches(1, b"ab"));
        assert!(topics.remove(b"a"));
        assert!(topics.is_empty() && !topics.matches(1, b"ab"));
        assert_eq!(topics.memory(), 0);
        assert!(!topics.remove(b"a") && !topics.add_again(b"a"));
    }
    #[test]
    fn everything_is_wanted_only_where_nothing_is_left_out() {
        let (mut all, mut some) = (Topics::default(), Topics::default());
        all.add(Vec::new(), 5);
        let without = Topics::default();
        let wanted = |topics, without| Wanted { topics, without };
        assert!(wanted(&all, None).has_all_from(5) && !wanted(&all, None).has_all_from(4));
        assert!(wanted(&all, Some(&without)).has_all_from(5));
        some.add(b"a".to_vec(), 1);
        assert!(!wanted(&some, None).has_all_from(5));
        assert!(!wanted(&all, Some(&some)).has_all_from(5));
        assert!(wanted(&all, Some(&some)).has(5, b"b"));
        assert!(!wanted(&all, Some(&some)).has(5, b"a"));
    }
}

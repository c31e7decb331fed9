//! Which messages a subscriber wants.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;

/// A set of topic prefixes, as a ZeroMQ subscriber has one: a topic is in it or
/// not, however often it was asked for. libzmq's clients send every SUBSCRIBE
/// and only the last CANCEL, and its XPUB keeps a set for each peer.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    topics: HashMap<Arc<[u8]>, Hold>,
    /// How many topics there are of each length: a message's topic is looked
    /// up once per length, however many topics there are.
    lengths: BTreeMap<usize, usize>,
    /// How many topics are [`Hold::Left`].
    left: usize,
    /// How much memory the topics take, about.
    memory: usize,
}

/// Why a topic is in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// The subscriber wants it.
    Wanted,
    /// The subscriber has dropped it, but still wants the same messages for a
    /// wider topic that has not been caught up.
    Left,
}

/// What a topic takes besides its own bytes.
const OVERHEAD: usize = 128;

/// Returns about how many bytes of memory a topic takes.
pub(crate) fn memory_of(topic: &[u8]) -> usize {
    topic.len() + OVERHEAD
}

impl Topics {
    /// Adds a topic, or wants it again.
    pub(crate) fn add(&mut self, topic: Arc<[u8]>) {
        self.insert(topic, Hold::Wanted);
    }

    fn insert(&mut self, topic: Arc<[u8]>, hold: Hold) {
        let (length, memory) = (topic.len(), memory_of(&topic));
        match self.topics.entry(topic) {
            Entry::Occupied(mut there) => {
                // Whoever wants it has the last word.
                if hold == Hold::Wanted && there.insert(hold) == Hold::Left {
                    self.left -= 1;
                }
            }
            Entry::Vacant(free) => {
                free.insert(hold);
                self.left += usize::from(hold == Hold::Left);
                self.memory += memory;
                *self.lengths.entry(length).or_insert(0) += 1;
            }
        }
    }

    pub(crate) fn contains(&self, topic: &[u8]) -> bool {
        self.topics.contains_key(topic)
    }

    /// Takes a topic out; false if it was not in.
    pub(crate) fn remove(&mut self, topic: &[u8]) -> bool {
        let Some(hold) = self.topics.remove(topic) else {
            return false;
        };
        self.left -= usize::from(hold == Hold::Left);
        self.memory -= memory_of(topic);
        if let Some(count) = self.lengths.get_mut(&topic.len()) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&topic.len());
            }
        }
        true
    }

    /// Notes that a topic of the set is wanted for the sake of a wider one only.
    pub(crate) fn leave(&mut self, topic: &[u8]) {
        if let Some(hold) = self.topics.get_mut(topic)
            && *hold == Hold::Wanted
        {
            *hold = Hold::Left;
            self.left += 1;
        }
    }

    /// Takes out those topics that were left and are needed no more.
    pub(crate) fn drop_left(&mut self, needed: impl Fn(&[u8]) -> bool) {
        if self.left == 0 {
            return;
        }
        let left = self.topics.iter().filter(|(_, hold)| **hold == Hold::Left);
        let over = left.filter(|(topic, _)| !needed(topic));
        let over: Vec<Arc<[u8]>> = over.map(|(topic, _)| Arc::clone(topic)).collect();
        for topic in over {
            self.remove(&topic);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// Returns about how many bytes of memory the set takes.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// Moves all topics of another set into this one.
    pub(crate) fn absorb(&mut self, other: Self) {
        for (topic, hold) in other.topics {
            self.insert(topic, hold);
        }
    }

    /// Tells whether a message with this first frame belongs to a topic of the
    /// set, or all messages of a topic of this name do.
    pub(crate) fn matches(&self, first_frame: &[u8]) -> bool {
        // Most subscribers want everything: that needs no look-up.
        if self.has_all() {
            return true;
        }
        self.lengths
            .keys()
            .take_while(|length| **length <= first_frame.len())
            .any(|length| {
                let prefix = first_frame.get(..*length).unwrap_or_default();
                self.topics.contains_key(prefix)
            })
    }

    fn has_all(&self) -> bool {
        self.lengths
            .first_key_value()
            .is_some_and(|(length, _)| *length == 0)
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
    /// Tells whether a message with this first frame is among it.
    pub(crate) fn has(&self, first_frame: &[u8]) -> bool {
        let excluded = |without: &Topics| without.matches(first_frame);
        self.topics.matches(first_frame) && !self.without.is_some_and(excluded)
    }

    /// Tells whether every message is among it, so that nobody needs to look at
    /// their topics.
    pub(crate) fn has_all(&self) -> bool {
        self.topics.has_all() && self.without.is_none_or(Topics::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(names: &[&str]) -> Topics {
        let mut topics = Topics::default();
        for name in names {
            topics.add(name.as_bytes().into());
        }
        topics
    }

    #[test]
    fn a_topic_is_a_prefix_and_the_empty_one_matches_all() {
        let claude = topics(&["claude"]);
        assert!(claude.matches(b"claude_design") && claude.matches(b"claude"));
        assert!(!claude.matches(b"claud") && !claude.matches(b""));
        let all = topics(&["claude", ""]);
        assert!(all.matches(b"") && all.matches(b"gemini"));
    }

    #[test]
    fn a_topic_is_in_the_set_or_not_however_often_it_was_asked_for() {
        let mut topics = topics(&["a", "a"]);
        assert!(topics.contains(b"a") && topics.matches(b"ab"));
        assert_eq!(topics.memory(), memory_of(b"a"));
        assert!(topics.remove(b"a") && !topics.remove(b"a"));
        assert!(topics.is_empty() && !topics.matches(b"ab"));
        assert_eq!(topics.memory(), 0);
    }

    #[test]
    fn topics_that_were_left_stay_while_they_are_needed_or_are_wanted_again() {
        let mut topics = topics(&["a", "b", "c"]);
        for topic in [b"a", b"b", b"a"] {
            topics.leave(topic);
        }
        topics.leave(b"not there");
        topics.drop_left(|_| true);
        assert!(topics.matches(b"a") && topics.matches(b"b"));
        let mut other = Topics::default();
        other.add(b"b"[..].into());
        other.leave(b"b");
        topics.add(b"b"[..].into());
        topics.absorb(other);
        topics.drop_left(|topic| topic != b"a");
        topics.drop_left(|_| false);
        assert!(!topics.contains(b"a") && topics.contains(b"b") && topics.contains(b"c"));
        assert_eq!(topics.memory(), 2 * memory_of(b"b"));
    }

    #[test]
    fn everything_is_wanted_only_where_nothing_is_left_out() {
        let (all, some, none) = (topics(&[""]), topics(&["a"]), Topics::default());
        let wanted = |topics, without| Wanted { topics, without };
        assert!(wanted(&all, None).has_all() && wanted(&all, Some(&none)).has_all());
        assert!(!wanted(&some, None).has_all());
        assert!(!wanted(&all, Some(&some)).has_all());
        assert!(wanted(&all, Some(&some)).has(b"b"));
        assert!(!wanted(&all, Some(&some)).has(b"a"));
    }
}

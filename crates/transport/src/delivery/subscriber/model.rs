//! What a subscriber must get, told in the plainest words: sets of numbers.

use std::collections::{BTreeMap, BTreeSet};

/// The names that messages and topics have in these tests.
pub(super) const NAMES: [&str; 5] = ["", "a", "ab", "abc", "b"];

/// What one subscriber has asked for and got.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Its topics; `None` while one waits for its replay, else the number of the
    /// first message that it brings.
    topics: BTreeMap<&'static str, Option<u64>>,
    /// For each name of a message: since when it is wanted without a break.
    wanted: BTreeMap<&'static str, Stretch>,
}

/// A time in which some topic or other covers a name.
#[derive(Debug, Default)]
struct Stretch {
    /// From this message on all must come.
    from: Option<u64>,
    got: BTreeSet<u64>,
}

impl Model {
    /// A topic that is covered brings what the widest one that covers it brings;
    /// another one waits.
    pub(super) fn subscribe(&mut self, topic: &'static str) {
        if self.topics.contains_key(topic) {
            return;
        }
        let covering = self
            .topics
            .iter()
            .filter(|(known, _)| topic.starts_with(**known));
        let since = covering.filter_map(|(_, since)| *since).min();
        self.topics.insert(topic, since);
        self.look();
    }

    pub(super) fn unsubscribe(&mut self, topic: &'static str) {
        self.topics.remove(topic);
        self.look();
    }

    /// The replay of what waits begins with this message.
    pub(super) fn replay(&mut self, first: u64) {
        for since in self.topics.values_mut() {
            since.get_or_insert(first);
        }
        self.look();
    }

    /// Begins and ends stretches as the topics are now.
    fn look(&mut self) {
        for name in NAMES {
            let covering = self
                .topics
                .iter()
                .filter(|(topic, _)| name.starts_with(**topic));
            let mut covering = covering.map(|(_, since)| *since).peekable();
            if covering.peek().is_none() {
                self.wanted.remove(name);
                continue;
            }
            let stretch = self.wanted.entry(name).or_default();
            stretch.from = covering.flatten().chain(stretch.from).min();
        }
    }

    /// A message has come.
    pub(super) fn receive(&mut self, number: u64, name: &str) {
        let Some(stretch) = self.wanted.get_mut(name) else {
            panic!("message {number} of {name:?} came uncalled for");
        };
        let last = stretch.got.last().copied().unwrap_or(0);
        assert!(
            stretch.got.insert(number),
            "message {number} of {name:?} came twice"
        );
        assert!(last < number, "{number} of {name:?} came behind {last}");
    }

    /// All has come that there is, which is this.
    pub(super) fn finish(&self, recorded: &BTreeMap<u64, &'static str>) {
        for (number, name) in recorded {
            let stretch = self.wanted.get(name);
            if let Some(Stretch {
                from: Some(from),
                got,
            }) = stretch
            {
                assert!(
                    number < from || got.contains(number),
                    "message {number} of {name:?} never came"
                );
            }
        }
    }
}

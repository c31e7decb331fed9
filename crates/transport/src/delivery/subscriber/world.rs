//! Clients beside their models, served from what is committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::Model;
use super::*;
use crate::testing::MemoryLink;

/// One client, and what it should have got.
pub(super) struct Peer {
    pub(super) subscriber: Subscriber,
    pub(super) link: MemoryLink,
    pub(super) model: Model,
    /// How many messages that are on their way the model was told of.
    pub(super) told: usize,
}

/// What the journal holds and who reads it.
pub(super) struct World {
    pub(super) tail: Arc<Tail>,
    pub(super) peers: Vec<Peer>,
    /// By their numbers, those that are recorded and can be read.
    pub(super) recorded: BTreeMap<u64, &'static str>,
    pub(super) names: BTreeMap<u64, &'static str>,
    pub(super) history: u64,
}

fn parse(message: &str) -> (&str, u64) {
    let (name, number) = message.rsplit_once(' ').unwrap();
    (name, number.parse().unwrap())
}

impl Peer {
    pub(super) fn new(history: u64) -> Self {
        Self {
            subscriber: Subscriber::new(history),
            link: MemoryLink::default(),
            model: Model::default(),
            told: 0,
        }
    }

    /// What has left the cursors cannot be called back.
    pub(super) fn tell_what_is_on_its_way(&mut self) {
        let mut seen = MemoryLink::default();
        seen.send(&self.subscriber.outgoing.unsent(), true).unwrap();
        for message in seen.sent.iter().skip(self.told) {
            let (name, number) = parse(message);
            self.model.receive(number, name);
        }
        self.told = seen.sent.len();
    }

    /// Lets it be served until it needs something.
    pub(super) fn serve(&mut self, tail: &Tail, names: &BTreeMap<u64, &str>) {
        loop {
            let waited = !self.subscriber.waiting.is_empty();
            let window = tail.window(self.subscriber.history).first;
            let asked = self.subscriber.asked.as_ref();
            let first = asked.map_or(window, |asked| window.min(asked.number() + 1));
            let turn = self.subscriber.turn(tail, &mut self.link).unwrap();
            if waited && self.subscriber.waiting.is_empty() {
                self.model.replay(first);
            }
            for message in std::mem::take(&mut self.link.sent) {
                let (name, number) = parse(&message);
                assert!(
                    number < tail.head().next,
                    "{number} was seen before its fsync"
                );
                assert_eq!(names.get(&number).copied(), Some(name));
                match self.told.checked_sub(1) {
                    Some(left) => self.told = left,
                    None => self.model.receive(number, name),
                }
            }
            if turn != Turn::More {
                break;
            }
        }
    }
}

impl World {
    pub(super) fn serve(&mut self) {
        for peer in &mut self.peers {
            peer.serve(&self.tail, &self.names);
        }
    }

    /// Somebody connects at this very moment, and everybody is served.
    pub(super) fn look(&mut self) {
        let mut new = Peer::new(self.history);
        new.model.subscribe("");
        new.subscriber
            .apply(Subscription::Add([][..].into()))
            .unwrap();
        new.subscriber.quiet_is_over(true);
        new.serve(&self.tail, &self.names);
        new.model.finish(&self.recorded);
        self.serve();
    }
}

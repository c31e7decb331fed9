//! A SUB socket.

use std::collections::BTreeMap;

use super::super::wire::Wire;
use super::super::world::{World, draw};
use super::{TOPICS, id_of};

pub(in crate::simulation) struct Subscriber {
    wire: Option<Wire>,
    /// Its topics, each with the number from which on nothing may be missing.
    topics: BTreeMap<&'static str, u64>,
    /// Topics whose subscription has left and may not have been read yet.
    written: Vec<String>,
    /// What it got: numbers in their order.
    got: Vec<u64>,
    /// How often messages with a topic were not wanted for a while.
    breaks: BTreeMap<&'static str, usize>,
    /// Whether it changes its topics later on.
    changes: bool,
    has_changed: bool,
}

impl Subscriber {
    pub(super) fn new(changes: bool) -> Self {
        Self {
            wire: None,
            topics: BTreeMap::new(),
            written: Vec::new(),
            got: Vec::new(),
            breaks: BTreeMap::new(),
            changes,
            has_changed: false,
        }
    }

    pub(super) fn leave(&mut self, world: &World) {
        self.check(world);
        self.wire = None;
        self.topics.clear();
        self.written.clear();
        self.got.clear();
        self.breaks.clear();
        self.has_changed = false;
    }

    pub(super) fn act(&mut self, world: &World) {
        let ending = world.is_ending.get();
        if self.wire.is_none() {
            if !ending {
                self.connect(world);
            }
            return;
        }
        match draw(12) {
            0 if draw(20) == 0 && !ending => self.leave(world),
            1 if self.changes && !ending => self.subscribe(),
            2 if self.changes && !ending && draw(2) == 0 => self.unsubscribe(),
            3..5 => self.read(world, 1 + draw(500)),
            _ => self.read(world, usize::MAX),
        }
        self.write(world);
    }

    fn connect(&mut self, world: &World) {
        let capacity = [300, 5_000, 200_000][draw(3)];
        let door = &world.doors.borrow().subscribers;
        self.wire = Wire::connect(door, "SUB", capacity);
        self.subscribe();
    }

    fn subscribe(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        let topic = ["", TOPICS[0], TOPICS[1], TOPICS[2]][draw(4)];
        if self.topics.contains_key(topic) {
            return;
        }
        wire.queue_message(&[format!("\u{1}{topic}").as_bytes()]);
        wire.mark(topic.to_owned());
        self.has_changed |= !self.topics.is_empty();
        self.topics.insert(topic, u64::MAX);
    }

    fn unsubscribe(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        let Some(topic) = self.topics.keys().copied().nth(draw(self.topics.len())) else {
            return;
        };
        wire.queue_message(&[format!("\0{topic}").as_bytes()]);
        self.topics.remove(topic);
        self.has_changed = true;
        let wanted = |name: &str| self.topics.keys().any(|prefix| name.starts_with(prefix));
        for name in TOPICS {
            if name.starts_with(topic) && !wanted(name) {
                *self.breaks.entry(name).or_default() += 1;
            }
        }
    }

    fn write(&mut self, world: &World) {
        let Some(wire) = &mut self.wire else { return };
        self.written
            .extend(wire.write(usize::MAX).unwrap_or_default());
        if !wire.is_read() {
            return;
        }
        // What is recorded after the broker has read it is not missed.
        let next = world.model.borrow().last() + 1;
        for topic in self.written.drain(..) {
            // What a wider topic has brought and will bring is its own, too.
            let wider = self
                .topics
                .iter()
                .filter(|(name, _)| topic.starts_with(**name));
            let covered = wider.map(|(_, from)| *from).min().unwrap_or(u64::MAX);
            let found = self.topics.iter_mut().find(|(name, _)| **name == topic);
            if let Some((_, from)) = found {
                *from = next.min(covered);
            }
        }
    }

    fn read(&mut self, world: &World, most: usize) {
        let Some(wire) = &mut self.wire else { return };
        let Some(messages) = wire.read(most) else {
            assert!(
                !wire.is_ready() || world.may_disconnect(),
                "a subscriber was disconnected that had done nothing"
            );
            return self.leave(world);
        };
        let mut model = world.model.borrow_mut();
        for frames in messages {
            let topic = std::str::from_utf8(&frames[0]).unwrap();
            let number = model.seen(topic, &id_of(&frames[1]));
            // What it wants no more may have been on its way.
            let wanted = self.topics.keys().any(|prefix| topic.starts_with(prefix));
            assert!(
                wanted || self.has_changed,
                "{topic} was never subscribed to"
            );
            // After each break the topic is like a new one, with a history.
            let breaks = self.breaks.get(topic).copied().unwrap_or(0);
            let before = self.got.iter().filter(|got| **got == number).count();
            assert!(before <= breaks, "{number} came again: {:?}", self.got);
            self.got.push(number);
            world.counts.borrow_mut().deliveries += 1;
        }
    }

    pub(super) fn read_rest(&mut self, world: &World) {
        self.read(world, usize::MAX);
    }

    /// Where its topics have not changed, what came is a stretch of the journal.
    fn check(&self, world: &World) {
        if self.has_changed || self.topics.len() != 1 {
            return;
        }
        let model = world.model.borrow();
        for (topic, from) in &self.topics {
            let all = model.matching(0, &[topic]);
            let (Some(first), Some(last)) = (self.got.first(), self.got.last()) else {
                continue;
            };
            // What is gone may have come before that.
            let is_there = |one: &u64| !model.is_gone(*one) || self.got.contains(one);
            let between = |one: &u64| (first..=last).contains(&one) && is_there(one);
            let stretch: Vec<u64> = all.iter().copied().filter(between).collect();
            assert_eq!(self.got, stretch, "something is missing of {topic:?}");
            let bound = all.iter().copied().find(|one| one >= from);
            assert!(
                bound.is_none_or(|bound| *first <= bound),
                "{topic:?} begins with {first}, and was asked for before {bound:?}"
            );
        }
    }

    /// Everything was delivered: nothing that it asked for is missing.
    pub(super) fn check_settled(&mut self, world: &World) {
        self.read(world, usize::MAX);
        if self.wire.is_none() {
            return;
        }
        let model = world.model.borrow();
        for (topic, from) in self.topics.iter().filter(|(_, from)| **from != u64::MAX) {
            for number in model.matching(*from, &[topic]) {
                assert!(
                    self.got.contains(&number),
                    "{number} of {topic:?}, asked for from {from} on, did not come: {:?}",
                    self.got
                );
            }
        }
        drop(model);
        self.check(world);
    }
}

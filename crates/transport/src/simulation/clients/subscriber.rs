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
    /// Whether it asks for more topics later on.
    widens: bool,
}

impl Subscriber {
    pub(super) fn new(widens: bool) -> Self {
        Self {
            wire: None,
            topics: BTreeMap::new(),
            written: Vec::new(),
            got: Vec::new(),
            widens,
        }
    }

    pub(super) fn leave(&mut self, world: &World) {
        self.check(world);
        self.wire = None;
        self.topics.clear();
        self.written.clear();
        self.got.clear();
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
            1 if self.widens && !ending && draw(4) == 0 => self.subscribe(),
            2..5 => self.read(world, 1 + draw(500)),
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
        self.topics.insert(topic, u64::MAX);
    }

    fn write(&mut self, world: &World) {
        let Some(wire) = &mut self.wire else { return };
        self.written.extend(wire.write(usize::MAX).unwrap_or_default());
        if !wire.is_read() {
            return;
        }
        // What is recorded after the broker has read it is not missed.
        let next = world.model.borrow().last() + 1;
        for topic in self.written.drain(..) {
            let found = self.topics.iter_mut().find(|(name, _)| **name == topic);
            if let Some((_, from)) = found {
                *from = next;
            }
        }
    }

    fn read(&mut self, world: &World, most: usize) {
        let Some(wire) = &mut self.wire else { return };
        let Some(messages) = wire.read(most) else {
            return self.leave(world);
        };
        let mut model = world.model.borrow_mut();
        for frames in messages {
            let topic = std::str::from_utf8(&frames[0]).unwrap();
            let number = model.seen(topic, &id_of(&frames[1]));
            let wanted = self.topics.keys().any(|prefix| topic.starts_with(prefix));
            assert!(wanted, "{topic} was never subscribed to");
            assert!(!self.got.contains(&number), "{number} came twice");
            self.got.push(number);
            world.counts.borrow_mut().deliveries += 1;
        }
    }

    pub(super) fn read_rest(&mut self, world: &World) {
        self.read(world, usize::MAX);
    }

    /// What came is without gaps, in order; with one topic it is a stretch.
    fn check(&self, world: &World) {
        let model = world.model.borrow();
        for (topic, from) in &self.topics {
            let all = model.matching(0, &[topic]);
            let got: Vec<u64> = self.got.iter().copied().collect();
            let of_topic: Vec<u64> = got.into_iter().filter(|one| all.contains(one)).collect();
            let single = self.topics.len() == 1;
            if single {
                assert!(
                    of_topic.is_sorted(),
                    "{topic:?} is out of order: {of_topic:?}"
                );
            }
            let (Some(first), Some(last)) = (of_topic.iter().min(), of_topic.iter().max()) else {
                continue;
            };
            if single {
                let stretch: Vec<u64> = all
                    .iter()
                    .copied()
                    .filter(|one| (first..=last).contains(&one))
                    .collect();
                assert_eq!(of_topic, stretch, "something is missing of {topic:?}");
                let bound = all.iter().copied().find(|one| one >= from);
                assert!(
                    bound.is_none_or(|bound| *first <= bound),
                    "{topic:?} begins with {first}, and was asked for before {bound:?}"
                );
            }
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

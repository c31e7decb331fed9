//! A DEALER socket at the control port: it publishes and wants to know, and
//! consumes under a name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::wire::Wire;
use super::super::world::{World, draw};
use super::{TOPICS, id_of, payload};

pub(in crate::simulation) struct Requester {
    name: String,
    wire: Option<Wire>,
    next: u64,
    /// Messages that were not acknowledged, by id.
    unanswered: BTreeMap<String, (String, Vec<u8>)>,
    /// Messages that were acknowledged.
    known: Vec<String>,
    /// Requests to record another message under a name that is taken.
    reused: BTreeMap<u64, String>,
    /// The request to forget the name.
    forgets: Option<u64>,
    /// Which of them are on their way, by the request's id.
    asked: BTreeMap<u64, String>,
    consumer: Option<Consumer>,
    /// The last position that the broker has said to be stored, and the highest
    /// that it was told.
    stored: u64,
    told: u64,
}

struct Consumer {
    id: u64,
    handle: Option<u64>,
    last: Option<u64>,
    credit: usize,
    ended: bool,
}

impl Requester {
    pub(super) fn new(index: usize) -> Self {
        Self {
            name: format!("r{index}"),
            wire: None,
            next: 0,
            unanswered: BTreeMap::new(),
            known: Vec::new(),
            reused: BTreeMap::new(),
            forgets: None,
            asked: BTreeMap::new(),
            consumer: None,
            stored: 0,
            told: 0,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.wire.as_ref().is_some_and(Wire::is_busy) || !self.asked.is_empty()
    }

    pub(super) fn leave(&mut self) {
        self.wire = None;
        self.consumer = None;
        self.asked.clear();
        self.reused.clear();
        if self.forgets.take().is_some() {
            // It may be forgotten or not.
            self.stored = 0;
        }
    }

    pub(super) fn act(&mut self, world: &World) {
        let ending = world.is_ending.get();
        let Some(wire) = &mut self.wire else {
            if !ending {
                let capacity = [500, 5_000, 200_000][draw(3)];
                let door = &world.doors.borrow().requests;
                self.wire = Wire::connect(door, "DEALER", capacity);
            }
            return;
        };
        if wire
            .write(if draw(3) == 0 {
                1 + draw(99)
            } else {
                usize::MAX
            })
            .is_none()
        {
            return self.leave();
        }
        match draw(12) {
            0 if draw(20) == 0 && !ending => self.leave(),
            1 if !ending => self.publish(),
            2 if !ending => self.publish_again(world),
            3 if !ending => self.consume(),
            4 if !ending => self.give_credit(),
            5 if !ending => self.acknowledge(),
            7 if draw(4) == 0 && !ending => self.reuse(),
            8 if draw(4) == 0 && !ending => self.forget(),
            6 if draw(4) == 0 && !ending => {
                let _id = self.request(json!({"op": "status"}), &[]);
            }
            _ => self.read(
                world,
                if draw(3) == 0 {
                    1 + draw(300)
                } else {
                    usize::MAX
                },
            ),
        }
    }

    fn request(&mut self, mut header: Value, frames: &[&[u8]]) -> Option<u64> {
        self.next += 1;
        header["id"] = self.next.into();
        let header = header.to_string();
        let message: Vec<&[u8]> = std::iter::once(header.as_bytes())
            .chain(frames.iter().copied())
            .collect();
        self.wire.as_mut()?.queue_message(&message);
        Some(self.next)
    }

    fn publish(&mut self) {
        let id = format!("{}-{}", self.name, self.next);
        let size = if draw(8) == 0 { draw(20_000) } else { draw(50) };
        let payload = payload(&self.name, &id, size);
        let topic = TOPICS[draw(TOPICS.len())].to_owned();
        self.unanswered.insert(id.clone(), (topic, payload));
        self.send(id);
    }

    fn send(&mut self, id: String) {
        let (topic, payload) = self.unanswered[&id].clone();
        let frames: [&[u8]; 2] = [topic.as_bytes(), &payload];
        if let Some(request) = self.request(json!({"op": "publish"}), &frames) {
            self.asked.insert(request, id);
        }
    }

    /// Sends something again of which it has heard nothing, or that was refused.
    fn publish_again(&mut self, world: &World) {
        if self.unanswered.is_empty() {
            return;
        }
        let index = draw(self.unanswered.len());
        if let Some(id) = self.unanswered.keys().nth(index).cloned() {
            world.model.borrow_mut().retry(&id);
            self.send(id);
        }
    }

    /// Gives a name that is taken to another message.
    fn reuse(&mut self) {
        if self.known.is_empty() {
            return;
        }
        let id = self.known[draw(self.known.len())].clone();
        let payload = payload(&self.name, &id, 51);
        let frames: [&[u8]; 2] = [b"other", &payload];
        if let Some(request) = self.request(json!({"op": "publish"}), &frames) {
            self.reused.insert(request, id);
        }
    }

    /// Acknowledges, cancels and forgets its name, without waiting in between.
    fn forget(&mut self) {
        if self.forgets.is_some() {
            return;
        }
        let Some(Consumer {
            handle: Some(handle),
            ..
        }) = self.consumer
        else {
            return;
        };
        self.acknowledge();
        self.request(json!({"op": "cancel", "consumer": handle}), &[]);
        self.forgets = self.request(json!({"op": "forget", "name": self.name}), &[]);
        self.consumer = None;
    }

    fn consume(&mut self) {
        if self.forgets.is_some() {
            return;
        }
        if self
            .consumer
            .as_ref()
            .is_some_and(|consumer| !consumer.ended)
        {
            return;
        }
        let credit = 1 + draw(5);
        let request = json!({"op": "consume", "name": self.name, "credit": credit});
        self.consumer = self.request(request, &[]).map(|id| Consumer {
            id,
            handle: None,
            last: None,
            credit,
            ended: false,
        });
    }

    fn give_credit(&mut self) {
        let Some(consumer) = &mut self.consumer else {
            return;
        };
        let Some(handle) = consumer.handle else {
            return;
        };
        let received = consumer.last.unwrap_or(0);
        let credit = draw(6);
        consumer.credit += credit;
        let request =
            json!({"op": "credit", "consumer": handle, "credit": credit, "received": received});
        self.request(request, &[]);
    }

    fn acknowledge(&mut self) {
        let Some(Consumer {
            handle: Some(handle),
            last: Some(last),
            ..
        }) = self.consumer
        else {
            return;
        };
        self.told = self.told.max(last);
        self.request(
            json!({"op": "ack", "consumer": handle, "message_num": last}),
            &[],
        );
    }

    fn read(&mut self, world: &World, most: usize) {
        let Some(wire) = &mut self.wire else { return };
        let Some(messages) = wire.read(most) else {
            return self.leave();
        };
        for frames in messages {
            let header: Value = serde_json::from_slice(&frames[0]).unwrap();
            match header["type"].as_str().unwrap() {
                "message" => self.take(world, &header, &frames[1..]),
                "end" => self.end(world, &header),
                kind => self.answer(world, kind == "error", &header),
            }
        }
    }

    pub(super) fn read_rest(&mut self, world: &World) {
        self.read(world, usize::MAX);
    }

    fn answer(&mut self, world: &World, is_error: bool, header: &Value) {
        let id = header["id"].as_u64().unwrap();
        if let Some(message) = self.asked.remove(&id) {
            let mut model = world.model.borrow_mut();
            if !is_error {
                model.acknowledge(&message, header["message_num"].as_u64().unwrap());
                self.unanswered.remove(&message);
                self.known.push(message);
                world.counts.borrow_mut().acknowledged += 1;
            } else if header["recorded"] == json!(false) {
                assert_ne!(header["code"], "id_reused", "{header}");
                // Another try of the same may be on its way.
                if !self.asked.values().any(|other| *other == message) {
                    model.refuse(&message);
                }
            }
            return;
        }
        if let Some(message) = self.reused.remove(&id) {
            assert!(is_error, "{message} stood for another message: {header}");
            if header["code"] == "id_reused" {
                let number = world.model.borrow().number_of(&message);
                assert_eq!(header["message_num"].as_u64(), number);
            }
            return;
        }
        if self.forgets == Some(id) {
            assert!(!is_error, "{header}");
            self.forgets = None;
            (self.stored, self.told) = (0, 0);
            return;
        }
        let of_consumer = self.consumer.as_mut().filter(|one| one.id == id);
        if let Some(consumer) = of_consumer {
            assert!(!is_error, "no consumer is refused: {header}");
            consumer.handle = header["consumer"].as_u64();
            let after = header["after"].as_u64().unwrap();
            assert!(
                (self.stored..=self.told.max(self.stored)).contains(&after),
                "{} goes on behind {after}, stored was {}",
                self.name,
                self.stored
            );
            consumer.last = Some(after);
        } else if header.get("message_num").is_some() && !is_error {
            self.stored = header["message_num"].as_u64().unwrap();
        }
    }

    fn take(&mut self, world: &World, header: &Value, frames: &[Vec<u8>]) {
        let number = header["message_num"].as_u64().unwrap();
        let mut model = world.model.borrow_mut();
        let topic = std::str::from_utf8(&frames[0]).unwrap();
        assert_eq!(model.seen(topic, &id_of(&frames[1])), number);
        let Some(consumer) = &mut self.consumer else {
            return;
        };
        if consumer.handle != header["consumer"].as_u64() {
            return;
        }
        let before = consumer.last.unwrap();
        let next = model.matching(before + 1, &[""]).first().copied();
        assert_eq!(
            next,
            Some(number),
            "{} got {number} behind {before}",
            self.name
        );
        consumer.last = Some(number);
        consumer.credit = consumer.credit.checked_sub(1).expect("there was credit");
        world.counts.borrow_mut().consumed += 1;
    }

    fn end(&mut self, world: &World, header: &Value) {
        if let Some(consumer) = &mut self.consumer
            && consumer.handle == header["consumer"].as_u64()
        {
            // In the end it says nothing any more.
            let expired = header["reason"] == "expired";
            assert!(
                !expired || world.is_ending.get(),
                "it was heard of all the time"
            );
            consumer.ended = true;
        }
    }

    /// All requests were answered, and what it has credit for has come.
    pub(super) fn check_settled(&self, world: &World) {
        if self.wire.is_none() {
            return;
        }
        assert!(self.asked.is_empty(), "{:?} were not answered", self.asked);
        if let Some(Consumer {
            last: Some(last),
            credit: 1..,
            ended: false,
            ..
        }) = self.consumer
        {
            let missing = world.model.borrow().matching(last + 1, &[""]);
            assert!(
                missing.is_empty(),
                "{} did not get {missing:?} behind {last}",
                self.name
            );
        }
    }
}

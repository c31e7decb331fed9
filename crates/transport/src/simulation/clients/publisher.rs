//! A PUB socket.

use super::super::wire::Wire;
use super::super::world::{World, draw};
use super::{TOPICS, payload};

pub(in crate::simulation) struct Publisher {
    name: String,
    wire: Option<Wire>,
    /// Tells this connection from the others.
    connection: u64,
    sent: u32,
}

impl Publisher {
    pub(super) fn new(index: usize) -> Self {
        Self {
            name: format!("p{index}"),
            wire: None,
            connection: index as u64 * 1_000_000,
            sent: 0,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.wire.as_ref().is_some_and(Wire::is_busy)
    }

    pub(super) fn leave(&mut self) {
        self.wire = None;
    }

    pub(super) fn act(&mut self, world: &World) {
        let ending = world.is_ending.get();
        let Some(wire) = &mut self.wire else {
            if !ending {
                self.connection += 1;
                let capacity = [100, 5_000, 200_000][draw(3)];
                let door = &world.doors.borrow().publishers;
                self.wire = Wire::connect(door, "PUB", capacity);
            }
            return;
        };
        if wire.read(usize::MAX).is_none() {
            return self.leave();
        }
        match draw(10) {
            // It leaves in order: what it has written arrives.
            0 if draw(20) == 0 && !ending => self.leave(),
            1..4 if !ending => self.publish(world),
            _ => self.write(world),
        }
    }

    fn publish(&mut self, world: &World) {
        let Some(wire) = &mut self.wire else { return };
        // Where memory is short, unfinished messages take turns, and who stalls in
        // one for too long is sent away.
        let largest = match world.plan.memory {
            1_048_576.. => 60_000,
            _ => 28_000,
        };
        for _ in 0..=draw(4) {
            let size = match draw(12) {
                0 | 1 => draw(largest),
                2..5 => draw(3_000),
                _ => draw(60),
            };
            let id = format!("{}-{}", self.name, self.sent);
            self.sent += 1;
            let topic = TOPICS[draw(TOPICS.len())];
            let payload = payload(&self.name, &id, size);
            // Some say more behind the payload.
            let more = vec![b'm'; draw(300)];
            match draw(4) {
                0 => wire.queue_message(&[topic.as_bytes(), &payload, &more]),
                _ => wire.queue_message(&[topic.as_bytes(), &payload]),
            }
            wire.mark(id);
        }
    }

    fn write(&mut self, world: &World) {
        let Some(wire) = &mut self.wire else { return };
        let most = match draw(3) {
            0 => 1 + draw(200),
            1 => wire.rest_of_frame(),
            _ => usize::MAX,
        };
        let Some(arrived) = wire.write(most) else {
            return self.leave();
        };
        let mut model = world.model.borrow_mut();
        for id in arrived {
            model.arrive(self.connection, &id);
            world.counts.borrow_mut().messages += 1;
        }
        // Whoever has said all leaves: the last bytes come together with the end.
        let is_done = !wire.has_unsent();
        if is_done && draw(20) == 0 {
            self.leave();
        }
    }
}

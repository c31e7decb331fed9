//! Clients as agents are: they publish in pieces, stall, leave in the middle.

mod publisher;
mod requester;
mod subscriber;

use self::publisher::Publisher;
use self::requester::Requester;
use self::subscriber::Subscriber;
use super::Plan;
use super::world::World;

pub(super) const TOPICS: [&str; 3] = ["a", "ab", "b"];

/// Makes a payload of a message, about `size` bytes long.
fn payload(sender: &str, id: &str, size: usize) -> Vec<u8> {
    let filling = "x".repeat(size);
    format!("{{\"sender_id\":\"{sender}\",\"message_id\":\"{id}\",\"content\":\"{filling}\"}}")
        .into_bytes()
}

/// Returns the id that stands in a payload.
fn id_of(payload: &[u8]) -> String {
    let text = std::str::from_utf8(payload).unwrap();
    let behind = text.split("\"message_id\":\"").nth(1).unwrap();
    behind.split('"').next().unwrap().to_owned()
}

/// One client.
pub(super) enum Client {
    Publisher(Publisher),
    Subscriber(Subscriber),
    Requester(Requester),
}

impl Client {
    pub(super) fn all(plan: &Plan, rng: &mut fastrand::Rng) -> Vec<Self> {
        let publishers = 0..plan.publishers;
        let subscribers = 0..plan.subscribers;
        let requesters = 0..plan.requesters;
        let mut all: Vec<Self> = publishers
            .map(|index| Self::Publisher(Publisher::new(index)))
            .collect();
        all.extend(subscribers.map(|_| Self::Subscriber(Subscriber::new(rng.bool()))));
        all.extend(requesters.map(|index| Self::Requester(Requester::new(index))));
        all
    }

    /// Does one thing.
    pub(super) fn act(&mut self, world: &World) {
        match self {
            Self::Publisher(publisher) => publisher.act(world),
            Self::Subscriber(subscriber) => subscriber.act(world),
            Self::Requester(requester) => requester.act(world),
        }
    }

    /// Tells whether something of it is under way.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Publisher(publisher) => publisher.is_busy(),
            Self::Subscriber(_) => false,
            Self::Requester(requester) => requester.is_busy(),
        }
    }

    /// Reads what a broker that has stopped has sent.
    pub(super) fn read_rest(&mut self, world: &World) {
        match self {
            Self::Publisher(_) => {}
            Self::Subscriber(subscriber) => subscriber.read_rest(world),
            Self::Requester(requester) => requester.read_rest(world),
        }
    }

    /// Notices that its connection is gone.
    pub(super) fn broker_is_gone(&mut self, world: &World) {
        match self {
            Self::Publisher(publisher) => publisher.leave(),
            Self::Subscriber(subscriber) => subscriber.leave(world),
            Self::Requester(requester) => requester.leave(),
        }
    }

    /// Nothing is under way any more: it must have got all that it should.
    pub(super) fn check_settled(&mut self, world: &World) {
        match self {
            Self::Publisher(_) => {}
            Self::Subscriber(subscriber) => subscriber.check_settled(world),
            Self::Requester(requester) => requester.check_settled(world),
        }
    }
}

//! Consumers at work: their threads take turns when a test says so.

use std::io;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::control::events::Event;
use crate::control::positions::Storing;
use crate::control::testing::{Door, Far};
use crate::testing::Bench;
use crate::worker::{Next, Spawned, Worker};

/// How long clients may be silent here.
pub(super) const TIMEOUT: Duration = Duration::from_secs(100);

/// A journal, a control port and its consumers.
pub(super) struct World {
    pub(super) bench: Bench,
    pub(super) door: Door,
    pub(super) consumers: Consumers,
    pub(super) workers: Arc<Workers>,
    events: Arc<ControlEvents>,
    storing: Storing,
    _sleeper: crate::net::Sleeper,
}

/// What would be threads of their own.
#[derive(Default)]
pub(super) struct Workers(Mutex<Vec<Box<dyn Worker>>>);

impl Workers {
    /// Returns how many are not over.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Lets all of them do what there is to do.
    fn turn(&self) {
        let goes_on = |worker: &mut Box<dyn Worker>| loop {
            match worker.turn() {
                Next::More => {}
                Next::Idle => return true,
                Next::Done => return false,
            }
        };
        self.0.lock().unwrap().retain_mut(goes_on);
    }
}

impl Spawn for Workers {
    fn spawn(&self, _: String, worker: Box<dyn Worker>) -> io::Result<Box<dyn Spawned>> {
        self.0.lock().unwrap().push(worker);
        Ok(Box::new(Unwatched))
    }
}

/// Nobody waits for a consumer's thread.
struct Unwatched;

impl Spawned for Unwatched {
    fn is_done(&self) -> bool {
        unreachable!("nobody asks")
    }

    fn join(self: Box<Self>) {
        unreachable!("nobody waits")
    }
}

impl World {
    /// A journal with as many messages as there are topics.
    pub(super) fn new(topics: &[&str]) -> Self {
        let mut bench = Bench::new(10);
        bench.record(topics);
        let workers = Arc::new(Workers::default());
        let sleeper = sleeper().unwrap();
        let events = Arc::new(ControlEvents::new(sleeper.waker()));
        let source = Source {
            dir: bench.dir.path().to_owned(),
            journal: "here".to_owned(),
            missing: Arc::default(),
            tail: Arc::clone(&bench.tail),
            health: Arc::default(),
            events: Arc::clone(&events),
            spawn: Arc::clone(&workers) as _,
        };
        let positions = Arc::new(Positions::open(bench.dir.path()));
        let told = Arc::clone(&events);
        let storing = Storing::new(&positions, move |orders, result| {
            told.post(Event::Positions(orders, result));
        });
        Self {
            bench,
            door: Door::new(1 << 20),
            consumers: Consumers::new(source, positions, TIMEOUT),
            workers,
            events,
            storing,
            _sleeper: sleeper,
        }
    }

    /// Asks for a consumer, and returns its handle.
    pub(super) fn start(&mut self, peer: &Peer, request: Value) -> Result<u64, Failure> {
        let request = serde_json::from_value(request).unwrap();
        self.consumers.start(peer, &7.into(), request, None)?;
        Ok(self.consumers.next)
    }

    /// Does what there is to do but to store positions.
    pub(super) fn run(&mut self) -> Served {
        loop {
            self.workers.turn();
            let events = self.events.take();
            let quiet = events.is_empty();
            for event in events {
                match event {
                    Event::Ready(handle) => self.consumers.ready(handle),
                    Event::Positions(orders, _) => {
                        orders.iter().for_each(|it| self.consumers.stored(&it.name));
                    }
                    _ => unreachable!("nobody else is here"),
                }
            }
            let served = self.consumers.serve(&mut self.door.router);
            if quiet && served != Served::More {
                return served;
            }
        }
    }

    /// Puts positions on the disk, and does what there is to do then.
    pub(super) fn store(&mut self) {
        while self.storing.turn() == Next::More {}
        self.run();
    }

    /// Does what there is to do, and returns what that client was told.
    pub(super) fn heard(&mut self, far: &mut Far, peer: &Peer) -> Vec<String> {
        self.run();
        // This comes behind all that was sent before it.
        self.door.router.reply(peer, r#"{"type":"enough"}"#);
        let told = std::iter::from_fn(|| match far.header() {
            header if header["type"] == "enough" => None,
            header => Some(in_short(&header)),
        });
        told.collect()
    }
}

/// Says in a few words what a client is told.
fn in_short(header: &Value) -> String {
    match header["type"].as_str().unwrap() {
        "reply" => format!("began after {}", header["after"]),
        "message" => format!("message {}", header["message_num"]),
        "end" => format!("{} {}", header["reason"], header["message_num"]).replace('"', ""),
        _ => header["code"].as_str().unwrap().to_owned(),
    }
}

pub(super) fn ack(consumer: u64, message_num: u64) -> Ack {
    Ack {
        consumer,
        message_num,
    }
}

pub(super) fn credit(consumer: u64, credit: u64, received: u64) -> Credit {
    Credit {
        consumer,
        credit,
        received,
    }
}

/// Begins at the start where nothing is kept for the name.
pub(super) fn named(name: &str) -> Value {
    json!({"name": name, "initial": "start", "credit": 10})
}

pub(super) fn told(replies: &[Reply]) -> Vec<String> {
    let headers = replies.iter().map(|(_, header)| header);
    headers
        .map(|header| in_short(&serde_json::from_str(header).unwrap()))
        .collect()
}

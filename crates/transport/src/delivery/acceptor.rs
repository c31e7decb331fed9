//! Port 5556: accepts subscribers and serves each on a thread of its own.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use log::Level;

use crate::delivery::{Connection, Delivery, Lobby, Served};
use crate::net::{Entrance, Events, Item, PeerAddress, Sleeper, Waker, poll};
use crate::throttle::log_throttled;
use crate::worker::{Next, Spawn, Spawned, Worker, run};

/// How long accepting rests when the system has no more file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// The thread that accepts connections, and owns those that serve them.
pub(crate) struct Acceptor {
    entrance: Entrance,
    delivery: Arc<Delivery>,
    sleeper: Sleeper,
    spawn: Arc<dyn Spawn>,
    subscribers: Vec<Box<dyn Spawned>>,
    /// Those whose handshake is under way.
    lobby: Lobby,
    accepted: u64,
    /// Set while the system has no more file descriptors.
    exhausted: bool,
}

impl Acceptor {
    /// Returns what makes it look whether the broker stops.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.sleeper.waker()
    }

    pub(crate) fn new(
        entrance: Entrance,
        delivery: Arc<Delivery>,
        sleeper: Sleeper,
        spawn: Arc<dyn Spawn>,
    ) -> Self {
        Self {
            entrance,
            lobby: Lobby::new(delivery.keys.clone(), Arc::clone(&delivery.counters)),
            delivery,
            sleeper,
            spawn,
            subscribers: Vec::new(),
            accepted: 0,
            exhausted: false,
        }
    }

    /// Accepts until the broker stops, then joins all subscribers' threads.
    pub(crate) fn run(mut self) {
        run(&mut self);
        drop(self.entrance);
        self.subscribers.into_iter().for_each(Spawned::join);
    }

    fn serve(&mut self, link: Connection, peer: PeerAddress) {
        let name = format!("subscriber-{}", self.accepted);
        self.accepted += 1;
        let served = Served::new(&self.delivery, link, peer);
        let spawned = served.and_then(|served| self.spawn.spawn(name, Box::new(served)));
        match spawned {
            Ok(subscriber) => self.subscribers.push(subscriber),
            Err(error) => log_throttled!(
                Level::Error,
                "refused subscriber {peer}: no thread: {error}"
            ),
        }
    }
}

impl Worker for Acceptor {
    /// Goes on with the handshakes, and accepts a connection, if there is one.
    fn turn(&mut self) -> Next {
        self.sleeper.about_to_sleep();
        self.subscribers.retain(|subscriber| !subscriber.is_done());
        self.exhausted = false;
        if !self.delivery.phase.is_running() {
            return Next::Done;
        }
        for (link, peer) in self.lobby.serve() {
            self.serve(link, peer);
        }
        match self.entrance.accept() {
            Ok((socket, peer)) => {
                self.lobby.enter(socket, peer);
                Next::More
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Next::Idle,
            Err(error) if is_exhausted(&error) => {
                log_throttled!(
                    Level::Error,
                    "cannot accept another subscriber now: {error}"
                );
                self.exhausted = true;
                Next::Idle
            }
            // A client that gave up while it waited in the queue.
            Err(error) => {
                log::debug!("a connection was not accepted: {error}");
                Next::More
            }
        }
    }

    /// Waits for a connection, for those whose handshake is under way, or only for
    /// time to pass.
    fn wait(&mut self) {
        let mut items = vec![Item::new(&self.sleeper, Events::READ)];
        if !self.exhausted {
            items.extend(self.entrance.poll_items());
        }
        items.extend(self.lobby.poll_items());
        let pause = self.exhausted.then_some(EXHAUSTED);
        let timeout = pause.into_iter().chain(self.lobby.timeout()).min();
        if let Err(error) = poll(&mut items, timeout) {
            log::debug!("polling for subscribers: {error}");
        }
        self.sleeper.awake();
    }
}

/// Tells whether the system has run out of something that may come back.
/// Without a rest, accepting would be tried again and again at full speed.
fn is_exhausted(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::Interrupted
    )
}

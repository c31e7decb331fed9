//! Port 5558: acknowledged publishing, durable consumers, status, archive now.
//!
//! One thread owns the connections and waits for nobody: messages go to
//! intake through the [`PublishQueue`](crate::pending::PublishQueue), consumers read
//! on threads of their own, positions are written by another one, and all of
//! them answer by [`events`]. What clients may say is in `docs/protocol.md`.

mod aside;
mod begin;
mod consumer;
mod consumers;
mod dedupe;
mod events;
mod feed;
mod handle;
mod limits;
mod moment;
mod newest;
mod origins;
mod positions;
mod publishing;
mod replace;
mod request;
mod rights;
mod router;
mod sequences;
mod start;
mod status;
#[cfg(test)]
mod testing;
mod walk;

use std::io;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use self::consumers::{Consumers, Served};
use self::dedupe::Keys;
pub(crate) use self::events::ControlEvents;
use self::events::Event;
pub use self::origins::{OriginsError, origins_file, origins_known_through};
pub(crate) use self::positions::highest as highest_position;
pub use self::positions::{NamedPosition, named_positions};
use self::publishing::{Publishing, Reply};
use self::router::Router;
pub(crate) use self::start::{Parts, publish_queue};
pub(crate) use self::status::Facts;
use crate::clock;
use crate::net::{Sleeper, Waker};
use crate::pending::Outcome;
use crate::recorder::{ArchiveRequest, Queue};
use crate::shutdown::Phase;
use crate::worker::{Next, Spawn, Spawned, Worker, run};

/// How many requests are taken before replies are looked after.
const QUANTUM: usize = 256;
/// How often silent consumers are looked for.
const TICK: Duration = Duration::from_secs(1);
/// How often it is looked whether all replies have left when the broker stops.
const RETRY: Duration = Duration::from_millis(10);
/// How soon a journal that could not be read is tried again.
const RELOAD: Duration = Duration::from_secs(5);

/// How far the thread is.
#[derive(Debug, Clone, Copy)]
enum Stage {
    New,
    Serving,
    /// Nothing more is recorded; until this time what has arrived is answered.
    LastCall(Instant),
    /// Until this time replies leave.
    Flushing(Instant),
}

/// The thread that owns the control port's connections.
pub(crate) struct Control {
    router: Router,
    sleeper: Sleeper,
    events: Arc<ControlEvents>,
    phase: Arc<Phase>,
    intake: Arc<Waker>,
    queue: Arc<Queue>,
    archive: mpsc::Sender<ArchiveRequest>,
    publishing: Publishing,
    consumers: Consumers,
    storing: Option<Box<dyn Spawned>>,
    storing_origins: origins::Storing,
    spawn: Arc<dyn Spawn>,
    stage: Stage,
    facts: Facts,
    keys: Keys,
    /// Whose names nobody else may say to be the sender of a message.
    strict: Option<Arc<crate::keys::Keys>>,
    window: u64,
    reload: Option<Instant>,
    looked: Instant,
    /// Requests that got an error at once.
    refused: u64,
    /// Why the system does not let it wait.
    failed: Option<io::Error>,
}

impl Control {
    /// Returns what wakes the thread.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.sleeper.waker()
    }

    /// Returns by what other threads tell it something.
    pub(crate) fn events(&self) -> Arc<ControlEvents> {
        Arc::clone(&self.events)
    }

    /// Serves requests until the broker has recorded all that it will.
    pub(crate) fn run(mut self) -> io::Result<()> {
        run(&mut self);
        self.positions_end();
        self.failed.map_or(Ok(()), Err)
    }

    /// Does what there is to do, and then waits for more.
    fn advance(&mut self) -> io::Result<Next> {
        match self.stage {
            Stage::New => {
                self.load();
                if origins::is_there(&self.facts.dir) {
                    self.publishing.read_origins();
                    self.load_origins_if_wanted();
                }
                self.stage = Stage::Serving;
            }
            Stage::Serving if self.phase.is_recording() => self.serve()?,
            Stage::Serving => self.stage = Stage::LastCall(clock::now() + limits::LINGER),
            Stage::LastCall(until) => {
                if !self.take_last(until)? {
                    self.end();
                    self.stage = Stage::Flushing(clock::now() + limits::LINGER);
                }
            }
            Stage::Flushing(until) => {
                if self.router.is_flushed() || clock::now() >= until {
                    return Ok(Next::Done);
                }
                self.sleeper.about_to_sleep();
                self.router.serve(&mut self.sleeper, RETRY)?;
            }
        }
        Ok(Next::More)
    }

    fn serve(&mut self) -> io::Result<()> {
        let more = self.receive();
        self.read_events();
        let served = self.consumers.serve(&mut self.router);
        self.housekeeping(more);
        self.wait(more || served != Served::Idle)
    }

    /// Takes requests; true where there may be more.
    fn receive(&mut self) -> bool {
        for _ in 0..QUANTUM {
            match self.router.receive() {
                Some(incoming) => self.handle(incoming),
                None => return false,
            }
        }
        true
    }

    /// Acts on what other threads tell.
    fn read_events(&mut self) {
        for event in self.events.take() {
            match event {
                Event::Outcome(ack, outcome) => self.settle(ack, &outcome),
                Event::Known(known) => {
                    if let Err(reason) = &known {
                        log::error!(
                            "the journal can't be read, so repeated messages can't be recognised: {reason}"
                        );
                        self.reload = Some(clock::now() + RELOAD);
                    }
                    let replies = self.publishing.know(known);
                    self.intake.wake();
                    self.send(replies);
                }
                Event::Origins(kept) => {
                    if let Err(reason) = &kept {
                        log::error!("other journals' messages can't be taken: {reason}");
                    }
                    let replies = self.publishing.know_origins(kept);
                    self.intake.wake();
                    self.send(replies);
                }
                Event::OriginsStored(stored) => self.storing_origins.done(stored),
                Event::Ready(handle) => self.consumers.ready(handle),
                Event::Positions(orders, result) => {
                    for order in orders {
                        if order.what.position().is_some() {
                            self.consumers.stored(&order.name);
                        }
                        if let Some(header) = status::positions(&order, &result) {
                            self.router.reply(&order.peer, &header);
                        }
                    }
                }
                // Who asked may have stopped waiting.
                Event::Status(reply) => drop(reply.send(self.status())),
                Event::Archived(peer, id, result) => {
                    self.router.reply(&peer, &status::archived(&id, result));
                }
            }
        }
    }

    fn settle(&mut self, ack: u64, outcome: &Outcome) {
        let replies = self.publishing.settle(ack, outcome);
        self.send(replies);
    }

    fn send(&mut self, replies: impl IntoIterator<Item = Reply>) {
        for (peer, header) in replies {
            self.router.reply(&peer, &header);
        }
    }

    /// Does what time makes due. Clients are silent only where all that came
    /// from them was read; `more` says that something is left.
    fn housekeeping(&mut self, more: bool) {
        let stalled = self.publishing.refuse_stalled();
        self.send(stalled);
        if self.reload.is_some_and(|due| due <= clock::now()) {
            self.reload = None;
            self.load();
        }
        self.store_origins();
        let time = clock::now().duration_since(self.looked);
        if time < TICK || more {
            return;
        }
        self.looked = clock::now();
        // A broker that was paused counts no more than a moment of the pause.
        let expired = self.consumers.expire(time.min(2 * TICK));
        self.send(expired);
        self.publishing.sequences.keep(&self.router.connected());
    }

    /// Waits until there is something to do, or looks at the connections alone
    /// where there is.
    fn wait(&mut self, busy: bool) -> io::Result<()> {
        let quiet = self.events.announce(&self.sleeper, &self.phase);
        let timeout = match quiet && !busy {
            true => TICK,
            false => Duration::ZERO,
        };
        self.router.serve(&mut self.sleeper, timeout)
    }

    /// Takes what has arrived when nothing more is recorded: acknowledgements are
    /// stored, and messages are refused, so that their senders know. False where
    /// there is no more, or no more time.
    fn take_last(&mut self, until: Instant) -> io::Result<bool> {
        self.sleeper.about_to_sleep();
        self.router.serve(&mut self.sleeper, Duration::ZERO)?;
        let Some(incoming) = self.router.receive() else {
            return Ok(false);
        };
        self.handle(incoming);
        while clock::now() < until && self.receive() {}
        Ok(clock::now() < until)
    }

    /// Answers all who still wait.
    fn end(&mut self) {
        self.positions_end();
        self.read_events();
        let (publishing, consumers) = (self.publishing.end(), self.consumers.end());
        self.send(publishing);
        self.send(consumers);
    }

    fn positions_end(&mut self) {
        self.consumers.positions.end();
        if let Some(storing) = self.storing.take() {
            storing.join();
        }
    }
}

impl Worker for Control {
    fn turn(&mut self) -> Next {
        self.advance().unwrap_or_else(|error| {
            self.failed = Some(error);
            Next::Done
        })
    }

    /// Connections are waited for within each turn.
    fn wait(&mut self) {}
}

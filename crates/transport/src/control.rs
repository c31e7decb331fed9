//! Port 5558: acknowledged publishing, durable consumers, status, archive now.
//!
//! One thread owns the connections and waits for nobody: messages go to
//! intake through the [`PublishQueue`](crate::pending::PublishQueue), consumers read
//! on threads of their own, positions are written by another one, and all of
//! them answer by [`events`]. What clients may say is in `docs/protocol.md`.

mod begin;
mod consumer;
mod consumers;
mod dedupe;
mod events;
mod feed;
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
mod walk;

use std::io;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use protocol::{Failure, Id, Nothing, Request, code, reply};

use self::consumers::{Consumers, Served};
use self::dedupe::Keys;
pub(crate) use self::events::ControlEvents;
use self::events::Event;
pub use self::origins::{OriginsError, origins_file, origins_known_through};
pub(crate) use self::positions::highest as highest_position;
pub use self::positions::{NamedPosition, named_positions};
use self::publishing::{Publish, Publishing, Reply};
use self::request::parse;
use self::router::{Incoming, Peer, Router};
pub(crate) use self::start::{Parts, publish_queue};
pub(crate) use self::status::Facts;
use crate::clock;
use crate::keys::Member;
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

    fn handle(&mut self, incoming: Incoming) {
        let Incoming {
            peer,
            mut frames,
            member,
            too_large,
        } = incoming;
        self.consumers.heard(&peer);
        if frames.is_empty() {
            let message = "a request begins with a header frame".to_owned();
            return self.refuse(&peer, &Id::Unknown, Failure::bad(message));
        }
        let header = frames.remove(0);
        let (id, request) = parse(&header);
        if let Some(broken) = too_large {
            let refusal = Failure::new(code::TOO_LARGE, format!("{broken}; nothing was recorded"));
            return self.refuse(&peer, &id, refusal.not_recorded());
        }
        let request = match request {
            Ok(request) if frames.is_empty() || matches!(request, Request::Publish(_)) => request,
            Ok(_) => {
                let message = "only a publish request has frames behind its header";
                return self.refuse(&peer, &id, Failure::bad(message));
            }
            Err(refusal) => return self.refuse(&peer, &id, refusal),
        };
        if frames.is_empty() && matches!(request, Request::Publish(_)) {
            return self.refuse(&peer, &id, no_frames());
        }
        let strict = self.strict.as_deref();
        if let Some(member) = &member
            && let Err(refusal) = rights::check(member, &request, &frames, strict)
        {
            return self.refuse(&peer, &id, refusal);
        }
        if let Request::Publish(publish) = request {
            let key_name = member.map(|member| Arc::clone(&member.name));
            return self.publish(Publish {
                peer,
                id,
                frames,
                key_name,
                origin: publish.origin.map(Arc::new),
                sequence: publish.sequence,
            });
        }
        match self.act(&peer, &id, request, member) {
            Ok(Some(header)) => self.router.reply(&peer, &header),
            Ok(None) => {}
            Err(refusal) => self.refuse(&peer, &id, refusal),
        }
    }

    fn refuse(&mut self, peer: &Peer, id: &Id, refusal: Failure) {
        self.refused += 1;
        self.router.reply(peer, &refusal.header(id));
    }

    /// Does what is asked for; `None` where the reply comes later.
    fn act(
        &mut self,
        peer: &Peer,
        id: &Id,
        request: Request,
        member: Option<Arc<Member>>,
    ) -> Result<Option<String>, Failure> {
        Ok(Some(match request {
            Request::Hello(_) => {
                let sequence = self.publishing.sequences.begin(peer.connection);
                reply(id, &self.facts.hello(sequence))
            }
            Request::Ping | Request::Publish(_) => reply(id, &Nothing {}),
            Request::Origins => {
                let header = self.publishing.origins(peer, id);
                self.load_origins_if_wanted();
                return Ok(header);
            }
            Request::Credit(request) => reply(id, &self.consumers.credit(peer, &request)?),
            Request::Cancel(request) => reply(id, &self.consumers.cancel(peer, request.consumer)?),
            Request::Status => reply(id, &self.status()),
            Request::Consume(request) => {
                self.consumers.start(peer, id, *request, member)?;
                return Ok(None);
            }
            Request::Ack(request) => {
                self.consumers.ack(peer, id, &request)?;
                return Ok(None);
            }
            Request::Forget(request) => {
                self.forget(peer, id, request.name)?;
                return Ok(None);
            }
            Request::Archive(request) => {
                self.archive(peer, id, request.label)?;
                return Ok(None);
            }
        }))
    }

    fn publish(&mut self, request: Publish) {
        if !self.phase.is_running() {
            let reply = self.publishing.publish_no_more(&request);
            return self.send([reply]);
        }
        let reply = self.publishing.publish(request);
        self.load_origins_if_wanted();
        self.intake.wake();
        self.send(reply);
    }

    fn forget(&mut self, peer: &Peer, id: &Id, name: String) -> Result<(), Failure> {
        if self.consumers.uses(&name) {
            let message = format!("{name} is being used by a consumer: cancel that first");
            return Err(Failure::bad(message));
        }
        let positions = &self.consumers.positions;
        positions.forget(*peer, id.clone(), name);
        Ok(())
    }

    fn archive(&mut self, peer: &Peer, id: &Id, label: Option<String>) -> Result<(), Failure> {
        let events = Arc::clone(&self.events);
        let (peer, id) = (*peer, id.clone());
        let request = ArchiveRequest {
            label,
            reply: Box::new(move |result| events.post(Event::Archived(peer, id, result))),
        };
        let stopped = |_| Failure::new(code::SHUTTING_DOWN, "the broker is shutting down");
        self.archive.send(request).map_err(stopped)?;
        self.queue.nudge();
        Ok(())
    }

    fn status(&self) -> protocol::Status {
        self.facts.status(
            self.publishing.status(),
            self.consumers.status(),
            self.router.clients(status::LISTED),
            self.refused + self.publishing.refused + self.consumers.refused,
        )
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

    /// Reads the journal for messages that may be sent again, on a thread of
    /// its own: a large window must not keep the broker from starting.
    fn load(&mut self) {
        if self.window == 0 {
            return;
        }
        let (dir, keys) = (self.facts.dir.clone(), self.keys.clone());
        let next = self.facts.tail.current().next;
        let oldest = next.saturating_sub(self.window).max(1);
        let read = move || {
            dedupe::load(&dir, oldest, next, &keys)
                .map_err(|error| format!("{error}: {}", error.source))
        };
        self.aside("known", read, Event::Known);
    }

    /// Does what takes long on a thread of its own, and has itself told what comes of it.
    fn aside<T: 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
        event: fn(Result<T, String>) -> Event,
    ) {
        let events = Arc::clone(&self.events);
        let work = Aside(Some(Box::new(move || events.post(event(work())))));
        if let Err(error) = self.spawn.spawn(name.to_owned(), Box::new(work)) {
            self.events.post(event(Err(error.to_string())));
        }
    }

    /// Reads the journal for how far other journals' messages are recorded, on a thread
    /// of its own, once somebody needs to know.
    fn load_origins_if_wanted(&mut self) {
        if !self.publishing.wants_origins() {
            return;
        }
        let dir = self.facts.dir.clone();
        let next = self.facts.tail.current().next;
        let read = move || origins::load(&dir, next).map_err(|error| error.to_string());
        self.aside("origins", read, Event::Origins);
    }

    /// Stores how far other journals' messages are recorded when a session was closed:
    /// it may be removed then, and need not be read at the next start.
    fn store_origins(&mut self) {
        if !self.publishing.knows_origins() || !self.storing_origins.looks(clock::now()) {
            return;
        }
        let current = self.facts.tail.current();
        let kept = self.publishing.origins_kept(current.next.saturating_sub(1));
        if !self.storing_origins.begins(kept.through, current.first) {
            return;
        }
        let dir = self.facts.dir.clone();
        let store = move || {
            origins::store(&dir, &kept).map_err(|error| error.to_string())?;
            Ok(kept.through)
        };
        self.aside("origins", store, Event::OriginsStored);
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

/// A thread that does one thing.
struct Aside(Option<Box<dyn FnOnce() + Send>>);

impl Worker for Aside {
    fn turn(&mut self) -> Next {
        if let Some(work) = self.0.take() {
            work();
        }
        Next::Done
    }

    fn wait(&mut self) {}
}

fn no_frames() -> Failure {
    let message = "a publish request has the message's frames behind the header: topic and payload";
    Failure::bad(message).not_recorded()
}

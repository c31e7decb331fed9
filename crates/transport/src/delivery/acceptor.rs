//! Port 5556: accepts subscribers and serves each on a thread of its own.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use log::Level;

use crate::delivery::{
    Connection, LinkError, Lobby, Registration, Registry, Service, Subscriber, SubscriberSlot,
    Turn, TurnError, Watch, leave,
};
use crate::intake::Counters;
use crate::keys::Keys;
use crate::listeners::Listening;
use crate::net::{Entrance, Events, Item, PeerAddress, Sleeper, Waker, poll, sleeper};
use crate::shutdown::Phase;
use crate::tail::Tail;
use crate::throttle::log_throttled;
use crate::worker::{Next, Spawn, Spawned, Worker, run};

/// How long a subscriber that is idle sleeps at most.
const IDLE: Duration = Duration::from_secs(60);
/// A subscriber that does not read makes no event; only the broker's end needs
/// to be noticed.
const STUCK: Duration = Duration::from_millis(250);
/// A pause is waited for to its end, not to a millisecond before it.
const MOMENT: Duration = Duration::from_millis(1);
/// How long accepting rests when the system has no more file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// What all subscribers' threads share.
pub(crate) struct Delivery {
    pub(crate) tail: Arc<Tail>,
    pub(crate) phase: Arc<Phase>,
    /// How many of the session's newest messages a new subscription gets.
    pub(crate) history: u64,
    /// How many subscribers are connected.
    pub(crate) connected: AtomicUsize,
    /// Who they are.
    pub(crate) registry: Arc<Registry>,
    /// Whose keys are let in; `None` where none are needed.
    pub(crate) keys: Option<Arc<Keys>>,
    pub(crate) counters: Arc<Counters>,
}

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

/// Serves one subscriber until it leaves or the broker stops.
struct Served {
    delivery: Arc<Delivery>,
    peer: PeerAddress,
    slot: Arc<SubscriberSlot>,
    sleeper: Sleeper,
    /// What is waited for behind an idle turn.
    watch: Option<Watch>,
    /// Whether others may serve it meanwhile.
    asleep: bool,
    /// Why the system does not let it wait.
    failed: Option<io::Error>,
    /// Whom new records are told.
    listening: Option<Listening>,
    registration: Option<Registration>,
}

impl Served {
    fn new(delivery: &Arc<Delivery>, link: Connection, peer: PeerAddress) -> io::Result<Self> {
        let sleeper = sleeper()?;
        log::debug!("subscriber {peer} connected");
        delivery.connected.fetch_add(1, Ordering::Relaxed);
        let registration = delivery
            .registry
            .enter(peer.to_string(), link.introduction().clone());
        let slot = Arc::new(SubscriberSlot::new(
            link,
            Subscriber::new(delivery.history),
            Arc::clone(&registration.entry),
            sleeper.waker(),
        ));
        let listening = Listening::new(&delivery.tail, Arc::clone(&slot) as _);
        Ok(Self {
            delivery: Arc::clone(delivery),
            peer,
            slot,
            sleeper,
            watch: None,
            asleep: false,
            failed: None,
            listening: Some(listening),
            registration: Some(registration),
        })
    }

    fn advance(&mut self) -> Result<Next, TurnError> {
        if std::mem::take(&mut self.asleep) {
            self.sleeper.awake();
        }
        if let Some(error) = self.failed.take() {
            return Err(LinkError::from(error).into());
        }
        let phase = &self.delivery.phase;
        if phase.is_closing() {
            return Ok(Next::Done);
        }
        let slot = Arc::clone(&self.slot);
        let mut service = slot.lock();
        service.link.check_key()?;
        let watch = match service.advance(&self.delivery.tail)? {
            Turn::More => return Ok(Next::More),
            Turn::Full => service.link.watch(true, STUCK),
            Turn::Quiet(pause) => service.link.watch(false, pause + MOMENT),
            // The broker stops, and all has left for the subscriber.
            Turn::Idle if !phase.is_recording() => return Ok(Next::Done),
            Turn::Idle => return Ok(self.sleep(service)),
        };
        self.watch = Some(watch);
        Ok(Next::Idle)
    }

    /// Is about to sleep until something is recorded, asked for, or over.
    /// Meanwhile the subscriber may be served by others.
    fn sleep(&mut self, mut service: MutexGuard<'_, Service>) -> Next {
        self.sleeper.about_to_sleep();
        self.asleep = true;
        // What came before the announcement has woken nobody.
        let delivery = &self.delivery;
        if !delivery.phase.is_recording() || !service.subscriber.is_up_to_date(&delivery.tail) {
            return Next::More;
        }
        service.idle = true;
        self.watch = Some(service.link.watch(false, IDLE));
        Next::Idle
    }

    fn end(&self, result: Result<(), TurnError>) -> Next {
        let peer = self.peer;
        match result {
            Ok(()) => log::debug!("subscriber {peer} was sent everything"),
            Err(TurnError::Link(error)) => leave(peer, &error),
            Err(error) => {
                let source = std::error::Error::source(&error);
                let cause = source.map_or_else(String::new, |source| format!(": {source}"));
                log_throttled!(
                    Level::Warn,
                    "subscriber {peer} was disconnected: {error}{cause}"
                );
            }
        }
        Next::Done
    }
}

impl Worker for Served {
    fn turn(&mut self) -> Next {
        match self.advance() {
            Ok(Next::Done) => self.end(Ok(())),
            Ok(next) => next,
            Err(error) => self.end(Err(error)),
        }
    }

    fn wait(&mut self) {
        if let Some(watch) = self.watch.take() {
            self.failed = watch.wait(&self.sleeper).err();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // First it is not told of new records any more, then it is gone.
        drop(self.listening.take());
        drop(self.registration.take());
        self.delivery.tail.prune();
        self.delivery.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

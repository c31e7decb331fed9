//! Port 5556: accepts subscribers and serves each on a thread of its own.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use log::Level;
use zmq::PollItem;

use crate::connection::Connection;
use crate::intake::Counters;
use crate::keys::Keys;
use crate::link::LinkError;
use crate::lobby::{Admitted, Lobby, leave};
use crate::platform::raw;
use crate::roster::{Entry, Roster};
use crate::shutdown::Phase;
use crate::station::{Service, Station};
use crate::subscriber::{Subscriber, Turn, TurnError};
use crate::tail::Tail;
use crate::throttle::log_throttled;
use crate::waker::{Sleeper, sleeper};

/// A subscriber that is idle wakes up so often at the latest.
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
    pub(crate) roster: Roster,
    /// Whose keys are let in; `None` where none are needed.
    pub(crate) keys: Option<Arc<Keys>>,
    pub(crate) counters: Arc<Counters>,
}

/// The thread that accepts connections, and owns those that serve them.
pub(crate) struct Acceptor {
    pub(crate) listener: TcpListener,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) sleeper: Sleeper,
}

impl Acceptor {
    /// Accepts until the broker stops, then joins all subscribers' threads.
    pub(crate) fn run(mut self) {
        let (ended, endings) = mpsc::channel();
        let mut threads: HashMap<u64, JoinHandle<()>> = HashMap::new();
        let mut lobby = Lobby::new(
            self.delivery.keys.clone(),
            Arc::clone(&self.delivery.counters),
        );
        let mut admitted = Vec::new();
        for id in 0.. {
            let reap = || reap(&endings, &mut threads);
            let Some((link, peer)) = self.accept(&mut lobby, &mut admitted, reap) else {
                break;
            };
            let delivery = Arc::clone(&self.delivery);
            let (ended, acceptor) = (ended.clone(), self.sleeper.waker());
            let name = format!("subscriber-{id}");
            let spawned = std::thread::Builder::new().name(name).spawn(move || {
                delivery.serve(link, peer);
                // The acceptor outlives its threads but for a panic of its own.
                let _told = ended.send(id);
                acceptor.wake();
            });
            match spawned {
                Ok(thread) => drop(threads.insert(id, thread)),
                Err(error) => log_throttled!(
                    Level::Error,
                    "refused subscriber {peer}: no thread: {error}"
                ),
            }
        }
        drop(self.listener);
        threads.into_values().for_each(join);
    }

    /// Returns the next connection on which the handshake is done; `None` when the
    /// broker stops. Further ones are `admitted` already.
    fn accept(
        &mut self,
        lobby: &mut Lobby,
        admitted: &mut Vec<Admitted>,
        mut reap: impl FnMut(),
    ) -> Option<Admitted> {
        loop {
            self.sleeper.about_to_sleep();
            reap();
            if !self.delivery.phase.is_running() {
                return None;
            }
            if admitted.is_empty() {
                admitted.extend(lobby.serve());
            }
            if let Some(next) = admitted.pop() {
                return Some(next);
            }
            match self.listener.accept() {
                Ok((stream, peer)) => lobby.enter(stream, peer),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(lobby, None),
                Err(error) if is_exhausted(&error) => {
                    log_throttled!(
                        Level::Error,
                        "cannot accept another subscriber now: {error}"
                    );
                    self.wait(lobby, Some(EXHAUSTED));
                }
                // A client that gave up while it waited in the queue.
                Err(error) => log::debug!("a connection was not accepted: {error}"),
            }
        }
    }

    /// Waits for a connection, for those whose handshake is under way, or only for
    /// time to pass.
    fn wait(&mut self, lobby: &Lobby, pause: Option<Duration>) {
        let mut items = vec![PollItem::from_fd(self.sleeper.fd(), zmq::POLLIN)];
        if pause.is_none() {
            items.push(PollItem::from_fd(raw(&self.listener), zmq::POLLIN));
        }
        items.extend(lobby.poll_items());
        let timeout = pause.into_iter().chain(lobby.timeout()).min();
        let timeout = timeout.map_or(-1, |time| i64::try_from(time.as_millis()).unwrap_or(-1));
        if let Err(error) = zmq::poll(&mut items, timeout) {
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

/// Joins the threads that have ended.
fn reap(endings: &mpsc::Receiver<u64>, threads: &mut HashMap<u64, JoinHandle<()>>) {
    endings
        .try_iter()
        .filter_map(|id| threads.remove(&id))
        .for_each(join);
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        log::error!("a subscriber's thread panicked; the others go on");
    }
}

impl Delivery {
    /// Serves one subscriber until it leaves or the broker stops.
    fn serve(&self, link: Connection, peer: SocketAddr) {
        self.connected.fetch_add(1, Ordering::Relaxed);
        log::debug!("subscriber {peer} connected");
        let guest = self
            .roster
            .enter(peer.to_string(), link.introduction().clone());
        let result = self.try_serve(link, Arc::clone(&guest.entry));
        drop(guest);
        self.tail.prune();
        self.connected.fetch_sub(1, Ordering::Relaxed);
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
    }

    fn try_serve(&self, link: Connection, entry: Arc<Entry>) -> Result<(), TurnError> {
        let mut sleeper = sleeper().map_err(LinkError::from)?;
        let subscriber = Subscriber::new(self.history);
        let station = Arc::new(Station::new(link, subscriber, entry, sleeper.waker()));
        let listening = self.tail.listeners.add(Arc::clone(&station) as _);
        let result = self.run(&station, &mut sleeper);
        drop(listening);
        result
    }

    fn run(&self, station: &Station, sleeper: &mut Sleeper) -> Result<(), TurnError> {
        while !self.phase.is_closing() {
            let mut service = station.lock();
            service.link.check_key()?;
            let watch = match service.advance(&self.tail)? {
                Turn::More => continue,
                Turn::Full => service.link.watch(true, STUCK),
                Turn::Quiet(pause) => service.link.watch(false, pause + MOMENT),
                // The broker stops, and all has left for the subscriber.
                Turn::Idle if !self.phase.is_recording() => break,
                Turn::Idle => {
                    self.sleep(service, sleeper)?;
                    continue;
                }
            };
            drop(service);
            watch.wait(sleeper)?;
        }
        Ok(())
    }

    /// Sleeps until something is recorded, asked for, or over. Meanwhile the
    /// subscriber may be served by others.
    fn sleep(
        &self,
        mut service: MutexGuard<'_, Service>,
        sleeper: &mut Sleeper,
    ) -> Result<(), LinkError> {
        sleeper.about_to_sleep();
        // What came before the announcement has woken nobody.
        if self.phase.is_recording() && service.subscriber.is_up_to_date(&self.tail) {
            service.idle = true;
            let watch = service.link.watch(false, IDLE);
            drop(service);
            watch.wait(sleeper)?;
        }
        sleeper.awake();
        Ok(())
    }
}

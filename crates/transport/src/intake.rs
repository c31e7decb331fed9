//! Receives what publishers send, and encodes it.

mod collector;
mod favour;
mod last_call;
mod publisher;
mod sift;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use log::Level;
use zmq::{PollEvents, PollItem};
use zmtp::StreamError;

pub(crate) use self::collector::{Collector, Counters};
pub use self::last_call::Unread;

use self::favour::Favour;
use self::last_call::{LastCall, QUIET, report_unfinished, unread};
use self::publisher::{Ended, Publisher, READ};
use crate::health::Health;
use crate::letterbox::Letterbox;
use crate::platform::raw;
use crate::shutdown::Phase;
use crate::throttle::log_throttled;
use crate::waker::Sleeper;

/// While somebody shakes hands, or memory is short, the time is looked at this
/// often; and a longer pause of the broker counts as this much of a
/// publisher's silence.
const TICK: Duration = Duration::from_secs(1);
/// How long accepting rests when the system has no more file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// What intake needs of the rest of the broker.
pub(crate) struct Parts {
    pub(crate) listener: TcpListener,
    pub(crate) phase: Arc<Phase>,
    pub(crate) sleeper: Sleeper,
    pub(crate) collector: Collector,
    pub(crate) health: Arc<Health>,
    /// Messages from the control port.
    pub(crate) letters: Arc<Letterbox>,
    pub(crate) max_message: u64,
    /// How many bytes of unfinished messages may be in memory.
    pub(crate) max_unfinished: usize,
    /// For how long a broker that stops takes in what has arrived.
    pub(crate) stop_timeout: Duration,
}

/// The thread that owns the publishers' connections.
pub(crate) struct Intake {
    parts: Parts,
    publishers: Vec<Publisher>,
    favour: Favour,
    /// Until when no connection is accepted.
    rests_until: Option<Instant>,
    /// When publishers were asked last.
    asked: Instant,
    /// Set while the broker stops.
    last_call: Option<LastCall>,
}

/// What polling has found.
struct Ready {
    accept: bool,
    /// Publisher by publisher; `None` for one that was not asked for bytes.
    publishers: Vec<Found>,
    /// How much time counts as silence of those that gave nothing.
    time: Duration,
    /// Whose large message alone goes on.
    favoured: Option<usize>,
}

/// What polling has found of one publisher.
#[derive(Clone, Copy)]
struct Found {
    /// What it was asked for.
    asked: PollEvents,
    ready: PollEvents,
}

impl Intake {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            favour: Favour::new(parts.max_unfinished),
            parts,
            publishers: Vec::new(),
            rests_until: None,
            asked: Instant::now(),
            last_call: None,
        }
    }

    /// Receives until the broker stops; then takes in what has arrived, so
    /// that a message which was sent in time is not lost. Returns what could
    /// not be taken in.
    pub(crate) fn run(mut self) -> io::Result<Option<Unread>> {
        let mut scratch = vec![0; 2 * READ];
        loop {
            if self.last_call.is_none() && !self.parts.phase.is_running() {
                self.last_call = Some(LastCall::new(self.parts.stop_timeout));
            }
            let ready = self.wait()?;
            if ready.accept {
                self.accept();
            }
            self.receive(&ready, &mut scratch);
            self.parts.collector.add_letters(&self.parts.letters);
            self.parts.collector.record();
            if self.is_over() {
                report_unfinished(&self.publishers);
                return Ok(unread(&self.publishers, &mut scratch));
            }
        }
    }

    /// Tells whether the broker stops and all that has arrived was taken in, or
    /// no more of it can be.
    fn is_over(&mut self) -> bool {
        let Some(last_call) = &mut self.last_call else {
            return false;
        };
        let queue = &self.parts.collector.queue;
        let drained = self.publishers.iter().all(Publisher::is_drained);
        // Nothing is recorded any more, or not before somebody makes room.
        let stuck = queue.has_ended() || (queue.is_full() && self.parts.health.is_stalled());
        stuck
            || (drained && self.parts.letters.is_empty())
            || last_call.is_over(&self.publishers)
    }

    fn is_stopping(&self) -> bool {
        self.last_call.is_some()
    }

    /// Waits for connections, bytes, a wake-up, or for time to pass.
    fn wait(&mut self) -> io::Result<Ready> {
        self.parts.sleeper.about_to_sleep();
        let favoured = self.favour.choose(&self.publishers);
        let interests = self.interests(favoured);
        let accepting =
            !self.is_stopping() && self.rests_until.is_none_or(|until| until <= Instant::now());
        let mut items = vec![PollItem::from_fd(self.parts.sleeper.fd(), zmq::POLLIN)];
        if accepting {
            items.push(PollItem::from_fd(raw(&self.parts.listener), zmq::POLLIN));
        }
        let others = items.len();
        let publishers = self.publishers.iter().zip(&interests);
        items.extend(publishers.filter_map(|(publisher, &interest)| {
            // A connection that is held back is left out: polling would return
            // at once for one that the peer has ended.
            let item = PollItem::from_fd(raw(&publisher.stream), interest);
            (!interest.is_empty()).then_some(item)
        }));
        let timeout = self.timeout(accepting);
        match zmq::poll(&mut items, timeout) {
            Ok(_) | Err(zmq::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut found = items.iter().skip(others).map(PollItem::get_revents);
        let publishers = interests.iter().map(|&asked| {
            let ready = match asked.is_empty() {
                true => PollEvents::empty(),
                false => found.next().unwrap_or(PollEvents::empty()),
            };
            Found { asked, ready }
        });
        let publishers = publishers.collect();
        let accept = accepting && items.get(1).is_some_and(PollItem::is_readable);
        self.parts.sleeper.awake();
        let now = Instant::now();
        let time = now.duration_since(self.asked).min(TICK);
        self.asked = now;
        Ok(Ready {
            accept,
            publishers,
            time,
            favoured,
        })
    }

    /// In milliseconds; -1 is for ever.
    fn timeout(&self, accepting: bool) -> i64 {
        let queue = &self.parts.collector.queue;
        let waiting = |it: &Publisher| !it.is_ready() || it.owes_reading();
        let patient = || self.publishers.iter().any(waiting) || self.is_short_of_memory();
        let timeout = match () {
            () if !self.parts.phase.is_running() && !self.is_stopping() => Duration::ZERO,
            () if !self.parts.letters.is_empty() && !queue.is_full() => Duration::ZERO,
            () if self.is_stopping() => QUIET,
            () if !accepting => EXHAUSTED,
            () if patient() => TICK,
            () => return -1,
        };
        i64::try_from(timeout.as_millis()).unwrap_or(-1)
    }

    fn is_short_of_memory(&self) -> bool {
        self.favour.is_needed(&self.publishers)
    }

    /// Decides from whom bytes are taken now. Who is left out feels it: that is
    /// how back-pressure comes to publishers.
    fn interests(&self, favoured: Option<usize>) -> Vec<PollEvents> {
        let full = self.parts.collector.queue.is_full();
        let takes = |(index, publisher): (usize, &Publisher)| {
            let goes_on = !publisher.is_large() || favoured.is_none_or(|other| other == index);
            let has_room = !publisher.is_ready() || (!full && goes_on);
            let may_read = has_room && !publisher.owes_reading() && !publisher.is_drained();
            events(may_read, publisher.has_unsent())
        };
        self.publishers.iter().enumerate().map(takes).collect()
    }

    fn accept(&mut self) {
        self.rests_until = None;
        loop {
            match self.parts.listener.accept() {
                Ok((stream, peer)) => match Publisher::new(stream, peer) {
                    Ok(mut publisher) => {
                        // It is heard first: what goes wrong now is seen then.
                        publisher.flush();
                        self.publishers.push(publisher);
                    }
                    Err(error) => log::debug!("a publisher was not accepted: {error}"),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    log_throttled!(Level::Error, "cannot accept another publisher now: {error}");
                    self.rests_until = Some(Instant::now() + EXHAUSTED);
                    return;
                }
            }
        }
    }

    /// Reads once from everybody who has sent something.
    fn receive(&mut self, ready: &Ready, scratch: &mut [u8]) {
        self.parts.collector.read_clock();
        let mut ended = Vec::new();
        let late = self.late(ready);
        for (index, publisher) in self.publishers.iter_mut().enumerate() {
            let Some(found) = ready.publishers.get(index) else {
                // It was accepted since.
                continue;
            };
            let max_message = self.parts.max_message;
            let result = match &late {
                Some((holder, _)) if *holder == index => continue,
                _ => serve(
                    publisher,
                    *found,
                    max_message,
                    scratch,
                    &mut self.parts.collector,
                ),
            };
            match result {
                Ok(true) => {}
                Ok(false) => gave_nothing(publisher, *found, ready.time, self.last_call.is_some()),
                Err(end) => ended.push((index, end)),
            }
            if let Err(end) = publisher.check_patience() {
                ended.push((index, end));
            }
        }
        ended.extend(late);
        ended.sort_by_key(|(index, _)| *index);
        ended.dedup_by_key(|(index, _)| *index);
        for (index, end) in ended.into_iter().rev() {
            let publisher = self.publishers.swap_remove(index);
            self.note(&publisher, &end);
        }
    }

    /// Returns the publisher that keeps others waiting for too long.
    fn late(&mut self, ready: &Ready) -> Option<(usize, Ended)> {
        let favoured = ready.favoured?;
        let asked = ready.publishers.get(favoured)?.asked;
        if !asked.contains(zmq::POLLIN) {
            return None;
        }
        let result = self
            .favour
            .asked(&mut self.publishers, favoured, ready.time);
        result.err().map(|end| (favoured, end))
    }

    /// Says why a connection has ended, where that is anybody's fault.
    fn note(&self, publisher: &Publisher, end: &Ended) {
        let peer = publisher.peer;
        match end {
            Ended::Left => {
                log::debug!("publisher {peer} left");
                if publisher.held() > 0 && publisher.is_ready() {
                    log_throttled!(
                        Level::Warn,
                        "publisher {peer} left in the middle of a message, of which {} bytes \
                         had come",
                        publisher.held()
                    );
                }
            }
            Ended::Stream(broken @ StreamError::TooLarge { .. }) => {
                let what = format_args!("{broken}; its publisher {peer} was disconnected");
                self.parts.collector.refuse(what);
            }
            end => {
                let counters = &self.parts.collector.counters;
                counters.disconnected.fetch_add(1, Ordering::Relaxed);
                log_throttled!(Level::Error, "disconnected the publisher {peer}: {end}");
            }
        }
    }
}

/// Does for one publisher what it is ready for; returns whether bytes came.
fn serve(
    publisher: &mut Publisher,
    found: Found,
    max_message: u64,
    scratch: &mut [u8],
    collector: &mut Collector,
) -> Result<bool, Ended> {
    if found.ready.contains(zmq::POLLOUT) {
        publisher.flush();
    }
    // An error shows when it is read, behind what came before it.
    if found.ready.intersects(zmq::POLLIN | zmq::POLLERR) {
        return publisher.receive(max_message, scratch, &mut |message| collector.add(message));
    }
    Ok(false)
}

/// Notes that nothing came from a publisher, which counts against it only
/// where it was asked.
fn gave_nothing(publisher: &mut Publisher, found: Found, time: Duration, stopping: bool) {
    if !found.asked.is_empty() && found.ready.is_empty() {
        publisher.gave_nothing(time);
    }
    if stopping && found.asked.contains(zmq::POLLIN) {
        publisher.found_empty();
    }
}

fn events(read: bool, write: bool) -> PollEvents {
    let mut events = PollEvents::empty();
    if read {
        events |= zmq::POLLIN;
    }
    if write {
        events |= zmq::POLLOUT;
    }
    events
}

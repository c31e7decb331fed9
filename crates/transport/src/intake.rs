//! Receives what publishers send, and encodes it.

mod collector;
mod publisher;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use log::Level;
use zmq::{PollEvents, PollItem};
use zmtp::StreamError;

pub(crate) use self::collector::{Collector, Counters};

use self::publisher::{Ended, Publisher, READ};
use crate::letterbox::Letterbox;
use crate::platform::raw;
use crate::shutdown::Phase;
use crate::throttle::log_throttled;
use crate::waker::Sleeper;

/// How long a broker that stops takes in what keeps coming.
const LAST_CALL: Duration = Duration::from_secs(1);
/// When nothing has come for so long, all has arrived.
const QUIET: Duration = Duration::from_millis(50);
/// While somebody shakes hands, or memory is short, the time is looked at so often.
const TICK: Duration = Duration::from_secs(1);
/// How long a publisher may leave a message unfinished while others wait for
/// the memory that it takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long accepting rests when the system has no more file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// The thread that owns the publishers' connections.
pub(crate) struct Intake {
    pub(crate) listener: TcpListener,
    pub(crate) phase: Arc<Phase>,
    pub(crate) sleeper: Sleeper,
    pub(crate) collector: Collector,
    /// Messages from the control port.
    pub(crate) letters: Arc<Letterbox>,
    pub(crate) max_message: u64,
    /// How many bytes of unfinished messages may be in memory.
    pub(crate) max_unfinished: usize,
    pub(crate) publishers: Vec<Publisher>,
    /// Until when no connection is accepted.
    pub(crate) rests_until: Option<Instant>,
}

/// What polling has found, publisher by publisher.
struct Ready {
    accept: bool,
    publishers: Vec<PollEvents>,
}

impl Intake {
    /// Receives until the broker stops; then takes in what has arrived, so
    /// that a message which was sent in time is not lost.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut scratch = vec![0; 2 * READ];
        let mut last_call: Option<Instant> = None;
        loop {
            if last_call.is_none() && !self.phase.is_running() {
                last_call = Some(Instant::now() + LAST_CALL);
            }
            let ready = self.wait(last_call.is_some())?;
            if ready.accept {
                self.accept();
            }
            let received = self.receive(&ready.publishers, &mut scratch);
            let came = self.collector.add_letters(&self.letters) || received;
            self.collector.record();
            let over = |end| !came || Instant::now() >= end;
            if last_call.is_some_and(over) {
                return Ok(());
            }
        }
    }

    /// Waits for connections, bytes, a wake-up, or for time to pass.
    fn wait(&mut self, stopping: bool) -> io::Result<Ready> {
        self.sleeper.about_to_sleep();
        let interests = self.interests();
        let accepting = !stopping && self.rests_until.is_none_or(|until| until <= Instant::now());
        let mut items = vec![PollItem::from_fd(self.sleeper.fd(), zmq::POLLIN)];
        if accepting {
            items.push(PollItem::from_fd(raw(&self.listener), zmq::POLLIN));
        }
        let others = items.len();
        let publishers = self.publishers.iter().zip(&interests);
        items.extend(publishers.filter_map(|(publisher, &interest)| {
            // A connection that is held back is left out: polling would return
            // at once for one that the peer has ended.
            let item = PollItem::from_fd(raw(&publisher.stream), interest);
            (!interest.is_empty()).then_some(item)
        }));
        let timeout = self.timeout(stopping, accepting);
        match zmq::poll(&mut items, timeout) {
            Ok(_) | Err(zmq::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut found = items.iter().skip(others).map(PollItem::get_revents);
        let publishers = interests.iter().map(|interest| match interest.is_empty() {
            true => PollEvents::empty(),
            false => found.next().unwrap_or(PollEvents::empty()),
        });
        let ready = Ready {
            publishers: publishers.collect(),
            accept: accepting && items.get(1).is_some_and(PollItem::is_readable),
        };
        self.sleeper.awake();
        Ok(ready)
    }

    /// In milliseconds; -1 is for ever.
    fn timeout(&self, stopping: bool, accepting: bool) -> i64 {
        let waiting = self
            .publishers
            .iter()
            .any(|publisher| !publisher.is_ready());
        let timeout = match () {
            () if !self.phase.is_running() && !stopping => Duration::ZERO,
            () if !self.letters.is_empty() && !self.collector.queue.is_full() => Duration::ZERO,
            () if stopping => QUIET,
            () if !accepting => EXHAUSTED,
            () if waiting || self.is_short_of_memory() => TICK,
            () => return -1,
        };
        i64::try_from(timeout.as_millis()).unwrap_or(-1)
    }

    /// Decides from whom bytes are taken now. Who is left out feels it: that is
    /// how back-pressure comes to publishers.
    fn interests(&self) -> Vec<PollEvents> {
        let full = self.collector.queue.is_full();
        let favoured = self.favoured();
        let takes = |(index, publisher): (usize, &Publisher)| {
            let may_read = if publisher.is_ready() {
                !full && (!publisher.is_large() || favoured.is_none_or(|other| other == index))
            } else {
                true
            };
            events(may_read, publisher.has_unsent())
        };
        self.publishers.iter().enumerate().map(takes).collect()
    }

    fn is_short_of_memory(&self) -> bool {
        let held: usize = self.publishers.iter().map(Publisher::held).sum();
        held >= self.max_unfinished
    }

    /// While unfinished messages take all the memory that they may, only the
    /// longest of them goes on: so each comes to its end, one after the other.
    fn favoured(&self) -> Option<usize> {
        if !self.is_short_of_memory() {
            return None;
        }
        let publishers = self.publishers.iter().enumerate();
        let longest = publishers.max_by_key(|(_, publisher)| publisher.held());
        longest.map(|(index, _)| index)
    }

    fn accept(&mut self) {
        self.rests_until = None;
        loop {
            match self.listener.accept() {
                Ok((stream, peer)) => match Publisher::new(stream, peer) {
                    Ok(mut publisher) => {
                        // It is heard first: what goes wrong now is seen then.
                        drop(publisher.flush());
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

    /// Reads once from everybody who has sent something; false where nobody has.
    fn receive(&mut self, ready: &[PollEvents], scratch: &mut [u8]) -> bool {
        self.collector.read_clock();
        let mut came = false;
        let mut ended = Vec::new();
        let late = self.late();
        for (index, publisher) in self.publishers.iter_mut().enumerate() {
            let ready = ready.get(index).copied().unwrap_or(PollEvents::empty());
            let result = if late == Some(index) {
                Err(Ended::Unfinished)
            } else {
                serve(
                    publisher,
                    ready,
                    self.max_message,
                    scratch,
                    &mut self.collector,
                )
            };
            match result {
                Ok(read) => came |= read,
                Err(end) => ended.push((index, end)),
            }
        }
        for (index, end) in ended.into_iter().rev() {
            let publisher = self.publishers.swap_remove(index);
            self.note(&publisher, &end);
        }
        came
    }

    /// Returns the publisher who keeps others waiting and sends nothing.
    fn late(&self) -> Option<usize> {
        let favoured = self.favoured()?;
        let publisher = self.publishers.get(favoured)?;
        let waits = !self.collector.queue.is_full() && publisher.last_read().elapsed() > PATIENCE;
        waits.then_some(favoured)
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
                self.collector.refuse(what);
            }
            end => {
                let counters = &self.collector.counters;
                counters.disconnected.fetch_add(1, Ordering::Relaxed);
                log_throttled!(Level::Error, "disconnected the publisher {peer}: {end}");
            }
        }
    }
}

/// Does for one publisher what it is ready for; returns whether bytes came.
fn serve(
    publisher: &mut Publisher,
    ready: PollEvents,
    max_message: u64,
    scratch: &mut [u8],
    collector: &mut Collector,
) -> Result<bool, Ended> {
    if ready.contains(zmq::POLLOUT) {
        publisher.flush()?;
    }
    if ready.intersects(zmq::POLLIN | zmq::POLLERR) {
        return publisher.receive(max_message, scratch, &mut |message| collector.add(message));
    }
    publisher.check_handshake()?;
    Ok(false)
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

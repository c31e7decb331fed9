//! Receives what publishers send, and encodes it.

mod announce;
mod collector;
mod last_call;

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use log::Level;
use zmtp::StreamError;

pub(crate) use self::collector::{Collector, Counters};
pub use self::last_call::Unread;

use self::announce::announce;
use self::last_call::{LastCall, report_unfinished, unread};
use crate::health::Health;
use crate::net::{Ended, Inbound, READ, Server, Sleeper};
use crate::pending::PublishQueue;
use crate::shutdown::Phase;
use crate::throttle::log_throttled;

/// What intake needs of the rest of the broker.
pub(crate) struct Parts {
    pub(crate) server: Server,
    pub(crate) phase: Arc<Phase>,
    pub(crate) sleeper: Sleeper,
    pub(crate) collector: Collector,
    pub(crate) health: Arc<Health>,
    /// Messages from the control port.
    pub(crate) publishes: Arc<PublishQueue>,
    /// For how long a broker that stops takes in what has arrived.
    pub(crate) stop_timeout: Duration,
}

/// The thread that owns the publishers' connections.
pub(crate) struct Intake {
    parts: Parts,
    /// Set while the broker stops.
    last_call: Option<LastCall>,
}

impl Intake {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts,
            last_call: None,
        }
    }

    /// Receives until the broker stops; then takes in what has arrived, so
    /// that a message which was sent in time is not lost. Returns what could
    /// not be taken in.
    pub(crate) fn run(mut self) -> io::Result<Option<Unread>> {
        loop {
            if let ControlFlow::Break(unread) = self.turn()? {
                return Ok(unread);
            }
        }
    }

    /// Waits until there is something to do, and does it once; it is over when
    /// the broker stops and all that had arrived was taken in.
    pub(crate) fn turn(&mut self) -> io::Result<ControlFlow<Option<Unread>>> {
        if self.last_call.is_none() && !self.parts.phase.is_running() {
            self.last_call = Some(LastCall::new(self.parts.stop_timeout));
            self.parts.server.begin_draining();
        }
        self.receive()?;
        self.parts.collector.add_pending(&self.parts.publishes);
        // A commit takes as long as the disk wants, and nobody is answered meanwhile.
        let publishers = &self.parts.server.connections;
        match publishers.iter().any(Inbound::asks_for_heartbeats) {
            true => self.parts.collector.hand_on(),
            false => self.parts.collector.record(),
        }
        if !self.is_over() {
            return Ok(ControlFlow::Continue(()));
        }
        let publishers = &self.parts.server.connections;
        report_unfinished(publishers);
        let unread = unread(publishers, READ);
        Ok(ControlFlow::Break(unread))
    }

    /// Waits until there is something to receive or to do, and receives it.
    fn receive(&mut self) -> io::Result<()> {
        let Parts {
            server,
            sleeper,
            collector,
            phase,
            publishes,
            ..
        } = &mut self.parts;
        let stopping = self.last_call.is_some();
        let wanted = announce(sleeper, &collector.queue, publishes, phase, stopping);
        let mut clock_is_read = false;
        let ended = server.serve(sleeper, wanted, &mut |_, member, message| {
            if !clock_is_read {
                collector.read_clock();
                clock_is_read = true;
            }
            collector.add(member, message);
        })?;
        if !clock_is_read {
            collector.read_clock();
        }
        for (publisher, end) in &ended {
            self.note(publisher, end);
        }
        Ok(())
    }

    /// Tells whether the broker stops and all that has arrived was taken in, or
    /// no more of it can be.
    fn is_over(&mut self) -> bool {
        let Some(last_call) = &mut self.last_call else {
            return false;
        };
        let queue = &self.parts.collector.queue;
        let publishers = &self.parts.server.connections;
        let drained = publishers.iter().all(Inbound::is_drained);
        // Nothing is recorded any more, or not before somebody makes room.
        let stuck = queue.has_ended() || (queue.is_full() && self.parts.health.is_stalled());
        stuck || (drained && self.parts.publishes.is_empty()) || last_call.is_over(publishers)
    }

    /// Says why a connection has ended, where that is anybody's fault.
    fn note(&self, publisher: &Inbound, end: &Ended) {
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
            Ended::Handshake(wrong) if wrong.is_lasting() => {
                let counters = &self.parts.collector.counters;
                counters.disconnected.fetch_add(1, Ordering::Relaxed);
                if counters.strangers.note(peer, "publishers", wrong) {
                    log::error!("disconnected the publisher {peer}: {end}");
                }
            }
            // It was said when it was refused.
            Ended::Refused => {
                let counters = &self.parts.collector.counters;
                counters.disconnected.fetch_add(1, Ordering::Relaxed);
            }
            end => {
                let counters = &self.parts.collector.counters;
                counters.disconnected.fetch_add(1, Ordering::Relaxed);
                log_throttled!(Level::Error, "disconnected the publisher {peer}: {end}");
            }
        }
    }
}

#[cfg(test)]
mod tests;

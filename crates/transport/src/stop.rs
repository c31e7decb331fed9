//! The order in which a broker ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use journal::{Archived, IoError};

use crate::assembly::Shared;
use crate::config::OnStop;
use crate::intake::Unread;

/// How long subscribers are given to take what they have not got when the
/// broker stops. What they miss they get from the journal next time.
const DRAIN: Duration = Duration::from_secs(2);

/// How a broker has ended.
#[derive(Debug)]
pub struct Stopped {
    /// How many messages were recorded in this run.
    pub recorded: u64,
    /// How many messages were refused because they were too large.
    pub refused: u64,
    /// How many publishers were disconnected because they did not speak ZeroMQ
    /// as a publisher does.
    pub disconnected: u64,
    /// What had arrived and could not be taken in before the time was up.
    pub unread: Option<Unread>,
    /// What became of the session.
    pub session: LastSession,
}

/// What became of the session that was being written when a broker ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum LastSession {
    /// It was archived.
    Archived(Archived),
    /// It is continued next time, as was asked for.
    Continued {
        /// How many records it holds.
        records: u64,
    },
    /// Nothing was in it.
    Empty,
    /// It could not be archived, and is continued next time.
    Kept(IoError),
    /// Recording had failed; what is in it is continued next time.
    Broken,
}

/// The parts of a broker at work. Each of these returns when the part has ended,
/// which it does by itself when it notices the phase.
pub(crate) trait Running {
    /// Returns what could not be taken in.
    fn end_intake(&mut self) -> Option<Unread>;

    /// Returns whether everything was recorded.
    fn end_recorder(&mut self) -> bool;

    fn end_control(&mut self);

    /// Lets subscribers get what they have not got, for at most this time.
    fn drain_delivery(&mut self, time: Duration);

    fn end_delivery(&mut self);
}

/// Stops in order: takes in what has arrived, records it, gives subscribers
/// time to take what they have not got, and archives the session.
pub(crate) fn stop(shared: &Shared, running: &mut impl Running) -> Stopped {
    let Shared { phase, tail, .. } = shared;
    phase.stop_intake();
    shared.intake_waker.wake();
    shared.acceptor_waker.wake();
    let unread = running.end_intake();
    shared.publishes.close();
    shared.queue.end();
    let all_recorded = running.end_recorder();
    phase.finish_delivery();
    shared.control_waker.wake();
    running.end_control();
    tail.listeners.wake_all();
    running.drain_delivery(DRAIN);
    phase.close();
    tail.listeners.wake_all();
    running.end_delivery();
    let session = match all_recorded {
        true => last_session(shared),
        false => LastSession::Broken,
    };
    Stopped {
        recorded: shared.recorded.load(Ordering::Relaxed),
        refused: shared.counters.refused.load(Ordering::Relaxed),
        disconnected: shared.counters.disconnected.load(Ordering::Relaxed),
        unread,
        session,
    }
}

fn last_session(shared: &Shared) -> LastSession {
    let records = shared.recording.session().records;
    if shared.on_stop == OnStop::Keep && records > 0 {
        return LastSession::Continued { records };
    }
    match shared.recording.finish() {
        Ok(Some(archived)) => LastSession::Archived(archived),
        Ok(None) => LastSession::Empty,
        Err(error) => LastSession::Kept(error),
    }
}

#[cfg(test)]
mod tests;

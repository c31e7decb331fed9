//! How does the rest of the process look at a running broker?

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::Status;

use crate::control::ControlEvents;
use crate::health::{CommitTimes, Health};
use crate::intake::Counters;
use crate::tail::Tail;

/// Looks at a broker from another thread.
#[derive(Clone)]
pub struct Monitor {
    pub(crate) events: Arc<ControlEvents>,
    pub(crate) health: Arc<Health>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) tail: Arc<Tail>,
}

/// How much came in and went out since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Messages taken from publishers, acknowledged ones among them.
    pub received_messages: u64,
    /// Their bytes on the wire.
    pub received_bytes: u64,
    /// Messages handed to subscribers' connections: one that went to three counts thrice.
    pub delivered_messages: u64,
    /// Their bytes on the wire.
    pub delivered_bytes: u64,
}

impl Monitor {
    /// Returns what a client is told that asks for the status; `None` where the thread
    /// that knows does not answer within this time, or has ended.
    #[must_use]
    pub fn status(&self, patience: Duration) -> Option<Status> {
        self.events.status(patience)
    }

    /// Tells whether the recorder lives: it has done a turn within this time, which should
    /// be some seconds, or it waits for the disk, which no restart makes answer.
    #[must_use]
    pub fn recorder_lives(&self, patience: Duration) -> bool {
        self.health.is_alive(patience)
    }

    /// Tells whether the disk is waited for at the moment.
    #[must_use]
    pub fn waits_for_disk(&self) -> bool {
        self.health.is_at_disk()
    }

    /// Returns how much came in and went out.
    #[must_use]
    pub fn flow(&self) -> Flow {
        let (counters, delivered) = (&self.counters, &self.tail.delivered);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Flow {
            received_messages: read(&counters.received),
            received_bytes: read(&counters.received_bytes),
            delivered_messages: read(&delivered.messages),
            delivered_bytes: read(&delivered.bytes),
        }
    }

    /// Returns how long commits took.
    #[must_use]
    pub fn commit_times(&self) -> CommitTimes {
        self.health.commit_times()
    }
}

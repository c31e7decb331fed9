//! How does the rest of the process look at a running broker?

use std::sync::Arc;
use std::time::Duration;

use protocol::Status;

use crate::control::ControlEvents;
use crate::health::{CommitTimes, Health};

/// Looks at a broker from another thread.
#[derive(Clone)]
pub struct Monitor {
    pub(crate) events: Arc<ControlEvents>,
    pub(crate) health: Arc<Health>,
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

    /// Returns how long commits took.
    #[must_use]
    pub fn commit_times(&self) -> CommitTimes {
        self.health.commit_times()
    }
}

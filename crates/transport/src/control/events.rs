//! What other threads tell the control thread.

use std::time::Duration;

use journal::{Archived, IoError};
use protocol::{Id, Status};

use super::dedupe::Known;
use super::origins::Kept;
use super::positions::Order;
use super::router::Peer;
use crate::net::{Sleeper, Waker};
use crate::pending::Outcome;
use crate::shutdown::Phase;
use crate::sync::{Arc, Mutex, MutexGuard, held, mpsc};

/// Something that has happened on another thread.
pub(super) enum Event {
    /// What became of a published message.
    Outcome(u64, Outcome),
    /// Which messages the journal knows, or why it can't be read.
    Known(Result<Known, String>),
    /// How far other journals' messages are recorded, or why that can't be read.
    Origins(Result<Kept, String>),
    /// That is stored up to a record, or not.
    OriginsStored(Result<u64, String>),
    /// A consumer has something to send.
    Ready(u64),
    /// Positions are on stable storage, or a name is forgotten, or not.
    Positions(Vec<Order>, Result<(), String>),
    /// This process wants to know what clients can ask for with `status`.
    Status(mpsc::Sender<Status>),
    /// An archive request is done.
    Archived(Peer, Id, Result<Option<Archived>, IoError>),
}

/// Where the control thread gets its event.
pub(crate) struct ControlEvents {
    event: Mutex<Vec<Event>>,
    waker: Arc<Waker>,
}

impl ControlEvents {
    pub(super) fn new(waker: Arc<Waker>) -> Self {
        Self {
            event: Mutex::default(),
            waker,
        }
    }

    /// Asks for the broker's status, and waits for it for at most this time.
    pub(crate) fn status(&self, patience: Duration) -> Option<Status> {
        let (reply, answer) = mpsc::channel();
        self.post(Event::Status(reply));
        answer.recv_timeout(patience).ok()
    }

    pub(super) fn post(&self, event: Event) {
        self.lock().push(event);
        self.waker.wake();
    }

    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.lock())
    }

    /// Announces the control thread's wait, and tells whether there is nothing to do
    /// before that. What comes later ends the wait.
    pub(super) fn announce(&self, sleeper: &Sleeper, phase: &Phase) -> bool {
        sleeper.about_to_sleep();
        // What came before the announcement has woken nobody.
        self.lock().is_empty() && phase.is_recording()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        held(self.event.lock())
    }
}

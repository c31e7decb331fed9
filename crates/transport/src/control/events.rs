//! What other threads tell the control thread.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use journal::{Archived, IoError};
use protocol::{Id, Status};

use super::dedupe::Known;
use super::origins::Kept;
use super::positions::Order;
use super::router::Peer;
use crate::intake::Outcome;
use crate::net::Waker;

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
        self.event
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
        self.waker.wake();
    }

    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.event.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.event
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }
}

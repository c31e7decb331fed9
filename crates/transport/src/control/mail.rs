//! What other threads tell the control thread.

use std::sync::{Arc, Mutex, PoisonError};

use journal::{Archived, IoError};
use serde_json::Value;

use super::dedupe::Known;
use super::positions::Order;
use super::router::Peer;
use crate::letterbox::Outcome;
use crate::waker::Waker;

/// Something that has happened on another thread.
pub(super) enum Mail {
    /// What became of a published message.
    Outcome(u64, Outcome),
    /// Which messages the journal knows, or why it can't be read.
    Known(Result<Known, String>),
    /// A consumer has something to send.
    Ready(u64),
    /// Positions are on stable storage, or a name is forgotten, or not.
    Positions(Vec<Order>, Result<(), String>),
    /// An archive request is done.
    Archived(Peer, Value, Result<Option<Archived>, IoError>),
}

/// Where the control thread gets its mail.
pub(super) struct Mailbox {
    mail: Mutex<Vec<Mail>>,
    waker: Arc<Waker>,
}

impl Mailbox {
    pub(super) fn new(waker: Arc<Waker>) -> Self {
        Self {
            mail: Mutex::default(),
            waker,
        }
    }

    pub(super) fn post(&self, mail: Mail) {
        self.mail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(mail);
        self.waker.wake();
    }

    pub(super) fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.mail.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }
}

//! How far it is, for whoever looks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use crate::sync::held;

/// Counters of a running bridge.
#[derive(Debug, Default)]
pub struct Progress {
    /// What goes out.
    pub outbound: Outbound,
    inbound: Mutex<BTreeMap<String, Inbound>>,
}

/// What goes out.
#[derive(Debug, Default)]
pub struct Outbound {
    /// The last number that the stream has.
    pub stored: AtomicU64,
    /// The last number that was read from the journal.
    pub read: AtomicU64,
    /// Messages on their way.
    pub in_flight: AtomicU64,
    /// Messages sent once more after a doubt.
    pub again: AtomicU64,
    /// How often the stream was asked how far it is, after a doubt.
    pub doubts: AtomicU64,
    /// When the oldest message that the stream lacks was recorded, in seconds since 1970;
    /// 0 where it lacks none that was read.
    pub waiting_since: AtomicI64,
    /// Whether nothing can be shipped at the moment.
    pub stalled: AtomicBool,
    last_error: Mutex<Option<String>>,
}

/// What comes in of one journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inbound {
    /// The last number that is recorded here.
    pub recorded: u64,
    /// The last number that was looked at in the stream.
    pub seen: u64,
    /// Messages recorded here by this run.
    pub messages: u64,
    /// How often it began again, behind what is recorded here.
    pub restarts: u64,
    /// What is wrong now.
    pub last_error: Option<String>,
}

impl Outbound {
    /// Notes what went wrong.
    pub(crate) fn fail(&self, reason: &impl ToString) {
        *lock(&self.last_error) = Some(reason.to_string());
        self.stalled.store(true, Ordering::Relaxed);
    }

    /// Notes that it goes on.
    pub(crate) fn go_on(&self) {
        self.stalled.store(false, Ordering::Relaxed);
    }

    /// Returns what went wrong last.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        lock(&self.last_error).clone()
    }
}

impl Progress {
    /// Returns what comes in, by the names of the journals.
    #[must_use]
    pub fn inbound(&self) -> BTreeMap<String, Inbound> {
        lock(&self.inbound).clone()
    }

    pub(crate) fn note_inbound(&self, origin: &str, note: impl FnOnce(&mut Inbound)) {
        note(lock(&self.inbound).entry(origin.to_owned()).or_default());
    }
}

/// A thread that panicked has changed one number or none.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    held(mutex.lock())
}

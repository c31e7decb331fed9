//! How the recording is doing.
//!
//! Requests are answered with what was found out last, see [`looking`](crate::looking).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::sync::held;

/// Nobody wants to know any more who has not asked for this long.
const INTEREST: Duration = Duration::from_secs(30);
/// The newest message is so young where recording goes on, as far as one can tell from
/// its age.
pub(crate) const FRESH: i64 = 60;

/// What was found out last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// What the broker says, if it answers and records here.
    pub(crate) broker: Option<Told>,
    /// What was counted last, if that is over.
    pub(crate) counted: Option<Counted>,
}

/// What a broker says.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) is_recording: bool,
    /// Why not.
    pub(crate) stalled: Option<String>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    pub(crate) open_questions: u64,
    pub(crate) damaged_lines: u64,
    pub(crate) altered_messages: u64,
    /// Messages of the last minute.
    pub(crate) new: u64,
}

/// What is known, and whether somebody wants to know it.
#[derive(Debug)]
pub(crate) struct Health {
    /// Where the broker answers requests.
    pub(crate) control: Option<String>,
    begun: Instant,
    state: Mutex<HealthState>,
    changed: Condvar,
}

#[derive(Debug)]
struct HealthState {
    known: Known,
    asked: Instant,
}

impl Health {
    pub(crate) fn new(control: Option<String>) -> Self {
        let now = Instant::now();
        let state = HealthState {
            known: Known::default(),
            asked: now,
        };
        Self {
            control,
            begun: now,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Tells what is known, and that somebody wants to know more.
    pub(crate) fn known(&self) -> Known {
        let mut state = self.state();
        state.asked = Instant::now();
        let known = state.known.clone();
        drop(state);
        self.changed.notify_all();
        known
    }

    /// Tells whether the server is too young to have seen a minute's messages.
    pub(crate) fn is_young(&self) -> bool {
        self.begun.elapsed() < Duration::from_secs(60)
    }

    /// Notes what the broker said, if it answered.
    pub(crate) fn note_broker(&self, told: Option<Told>) {
        self.state().known.broker = told;
    }

    /// Notes what was counted.
    pub(crate) fn note_counted(&self, counted: Counted) {
        self.state().known.counted = Some(counted);
    }

    /// Wakes the thread, for it to see that it is to end.
    pub(crate) fn wake(&self) {
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, HealthState> {
        // Each change leaves it whole.
        held(self.state.lock())
    }

    /// Waits for a while, and then until somebody wants to know; false where it is over.
    pub(crate) fn wait(&self, period: Duration, stop: &AtomicBool) -> bool {
        let end = Instant::now() + period;
        let mut state = self.state();
        loop {
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            let is_wanted = state.asked.elapsed() < INTEREST;
            if left.is_zero() && is_wanted {
                return true;
            }
            // Nobody may ask for a day.
            let left = if left.is_zero() { INTEREST } else { left };
            let woken = self.changed.wait_timeout(state, left);
            state = held(woken).0;
        }
    }
}

//! How recording is doing: what status tells, and what refuses requests.

mod histogram;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use crate::clock;
use crate::sync::held;

pub use self::histogram::CommitTimes;
use self::histogram::Histogram;

/// A commit that takes longer than this counts as a stall.
const SLOW: Duration = Duration::from_secs(5);

/// Why nothing is recorded at the moment, and since when.
#[derive(Debug, Clone)]
pub(crate) struct Stall {
    pub(crate) reason: String,
    pub(crate) since: SystemTime,
}

/// What the recorder tells of itself, for whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Health {
    state: Mutex<HealthState>,
    /// How long commits took: one write and one fsync each.
    commits: Histogram,
    /// Bytes of all lines recorded in this run.
    bytes: AtomicU64,
    /// Stretches of damage that were passed over while reading.
    damage: AtomicU64,
    /// When the recorder's thread was last seen between two turns.
    turn: Mutex<Option<Instant>>,
    /// How many are closing a session, which waits for the disk as a commit does.
    closing: AtomicU64,
}

#[derive(Debug, Default)]
struct HealthState {
    stall: Option<Stall>,
    /// When the commit under way began.
    committing: Option<(Instant, SystemTime)>,
    last_commit: Option<Instant>,
}

impl Health {
    /// Notes that a commit begins.
    pub(crate) fn begin(&self) {
        self.lock().committing = Some((clock::now(), SystemTime::now()));
    }

    /// Notes that it is done, and that there is no stall any more.
    pub(crate) fn committed(&self, bytes: u64) {
        let now = clock::now();
        let mut state = self.lock();
        if let Some((began, _)) = state.committing.take() {
            self.commits.add(now.saturating_duration_since(began));
        }
        state.last_commit = Some(now);
        state.stall = None;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that the recorder has done a turn: one comes at least each second, also
    /// where nothing is to be recorded, unless the disk holds it up.
    pub(crate) fn turned(&self) {
        *held(self.turn.lock()) = Some(clock::now());
    }

    /// Does what closes a session.
    pub(crate) fn closing<T>(&self, close: impl FnOnce() -> T) -> T {
        self.closing.fetch_add(1, Ordering::Relaxed);
        let done = close();
        self.closing.fetch_sub(1, Ordering::Relaxed);
        done
    }

    /// Tells whether the disk is waited for.
    pub(crate) fn is_at_disk(&self) -> bool {
        self.closing.load(Ordering::Relaxed) > 0 || self.lock().committing.is_some()
    }

    /// Tells whether the recorder does its turns, or is held up by nothing but the disk.
    pub(crate) fn is_alive(&self, patience: Duration) -> bool {
        let turn = *held(self.turn.lock());
        let is_young = |turn| clock::now().saturating_duration_since(turn) < patience;
        turn.is_some_and(is_young) || self.is_at_disk()
    }

    /// Notes why nothing is recorded; the first reason in a row counts.
    pub(crate) fn stalled(&self, reason: &str) {
        let mut state = self.lock();
        state.committing = None;
        state.stall.get_or_insert_with(|| Stall {
            reason: reason.to_owned(),
            since: SystemTime::now(),
        });
    }

    /// Tells whether the disk is known to take nothing at the moment.
    pub(crate) fn is_stalled(&self) -> bool {
        self.lock().stall.is_some()
    }

    /// Tells why nothing is recorded at the moment, also where a commit only
    /// takes very long.
    pub(crate) fn stall(&self) -> Option<Stall> {
        let state = self.lock();
        let took = |began| clock::now().saturating_duration_since(began);
        let slow = state.committing.filter(|(began, _)| took(*began) > SLOW);
        let slow = slow.map(|(began, since)| Stall {
            reason: format!(
                "the disk has not answered for {} seconds",
                took(began).as_secs()
            ),
            since,
        });
        state.stall.clone().or(slow)
    }

    /// Returns how long ago the last commit was done.
    pub(crate) fn last_commit(&self) -> Option<Duration> {
        let last = self.lock().last_commit?;
        Some(clock::now().saturating_duration_since(last))
    }

    pub(crate) fn percentiles(&self) -> Option<protocol::Commits> {
        self.commits.percentiles()
    }

    pub(crate) fn commit_times(&self) -> CommitTimes {
        self.commits.times()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Notes a stretch of damage that was passed over.
    pub(crate) fn passed_over(&self) {
        self.damage.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn damage(&self) -> u64 {
        self.damage.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, HealthState> {
        held(self.state.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_lives_while_it_does_its_turns_or_waits_for_the_disk() {
        let health = Health::default();
        let long = Duration::from_secs(3600);
        assert!(!health.is_alive(long), "it has not begun");
        health.turned();
        assert!(health.is_alive(long));
        assert!(!health.is_alive(Duration::ZERO), "it hangs");
        // However long the disk takes.
        health.begin();
        assert!(health.is_at_disk() && health.is_alive(Duration::ZERO));
        health.committed(1);
        assert!(!health.is_at_disk() && !health.is_alive(Duration::ZERO));
        health.closing(|| assert!(health.is_alive(Duration::ZERO)));
        assert!(!health.is_alive(Duration::ZERO));
    }

    #[test]
    fn a_stall_lasts_until_something_is_recorded_and_keeps_its_first_reason() {
        let health = Health::default();
        health.begin();
        health.stalled("disk full");
        health.stalled("still full");
        assert!(health.is_stalled());
        assert_eq!(health.stall().unwrap().reason, "disk full");
        assert!(health.last_commit().is_none());
        health.begin();
        health.committed(10);
        assert!(health.stall().is_none() && health.last_commit().is_some());
        assert_eq!(health.bytes(), 10);
        assert_eq!(health.percentiles().unwrap().count, 1);
    }
}

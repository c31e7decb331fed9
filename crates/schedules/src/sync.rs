//! What the included files sleep with and wake each other by: shuttle's types.

pub(crate) mod mpsc;

use std::cell::Cell;
use std::time::Duration;

use shuttle::rand::{Rng as _, thread_rng};
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU8, Ordering};
pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use shuttle::thread::yield_now;
/// It is only used under a lock.
pub(crate) use std::sync::OnceLock;

/// Takes what is locked, also where a thread has panicked while it held it: each change
/// under a lock leaves things whole, and the others are to go on.
pub(crate) fn held<G>(locked: Result<G, PoisonError<G>>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}

/// Whoever waits for no longer than this asks again and again, and nobody has to wake it:
/// only a full disk is waited for so.
const POLL: Duration = Duration::from_millis(200);

thread_local! {
    /// How many waits of this run may still end by themselves. A run's threads are all
    /// within one thread of the system.
    static EARLY: Cell<usize> = const { Cell::new(0) };
}

/// Lets so many waits end by themselves: whenever there are none left, whoever sleeps
/// has to be woken.
pub(crate) fn allow_early_ends(count: usize) {
    EARLY.set(count);
}

/// Decides whether a wait ends by itself: for nothing, as condition variables may, or
/// because its time is up.
pub(crate) fn ends_early() -> bool {
    let left = EARLY.get();
    let ends = left > 0 && thread_rng().gen_ratio(1, 4);
    EARLY.set(left - usize::from(ends));
    ends
}

/// A condition variable whose waits end early now and then, which shuttle's never do.
#[derive(Debug, Default)]
pub(crate) struct Condvar(shuttle::sync::Condvar);

type Waited<'a, T> = Result<MutexGuard<'a, T>, PoisonError<MutexGuard<'a, T>>>;
type WaitedFor<'a, T> = Result<(MutexGuard<'a, T>, bool), PoisonError<(MutexGuard<'a, T>, bool)>>;

impl Condvar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Waits, or ends for nothing: whoever waits has to look whether it was for something.
    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> Waited<'a, T> {
        if ends_early() {
            return Ok(guard);
        }
        self.0.wait(guard)
    }

    pub(crate) fn wait_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) -> Waited<'a, T> {
        self.0.wait_while(guard, condition)
    }

    pub(crate) fn wait_timeout_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
        condition: impl FnMut(&mut T) -> bool,
    ) -> WaitedFor<'a, T> {
        if timeout <= POLL {
            // The others come first, or nothing would change.
            yield_now();
            return Ok((guard, true));
        }
        if ends_early() {
            return Ok((guard, true));
        }
        let waited = self.0.wait_while(guard, condition);
        waited
            .map(|guard| (guard, false))
            .map_err(|error| PoisonError::new((error.into_inner(), false)))
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

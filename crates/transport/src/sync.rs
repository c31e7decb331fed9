//! What the broker's threads sleep with and wake each other by.
//!
//! These are the standard library's own types. Files in which threads sleep and wake take
//! them from here, so that `crates/schedules` can compile the same files with types whose
//! order a scheduler decides.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError, mpsc};

/// Takes what is locked, also where a thread has panicked while it held it: each change
/// under a lock leaves things whole, and the others are to go on.
pub(crate) fn held<G>(locked: Result<G, PoisonError<G>>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}

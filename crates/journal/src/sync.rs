//! What threads that share a journal sleep with and wake each other by.
//!
//! These are the standard library's own types. `journal.rs` takes them from here, so that
//! `crates/schedules` can compile the same file with types whose order a scheduler decides.

pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// Takes what is locked, also where a thread has panicked while it held it: each change
/// under a lock leaves things whole, and the others are to go on.
pub(crate) fn held<G>(locked: Result<G, PoisonError<G>>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}

//! What the threads of a scan sleep with and wake each other by.
//!
//! These are the standard library's own types. The scan's queue takes them from here, so
//! that `crates/schedules` can compile the same file with types whose order a scheduler
//! decides.

pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

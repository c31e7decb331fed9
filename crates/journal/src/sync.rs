//! What threads that share a journal sleep with and wake each other by.
//!
//! These are the standard library's own types. `journal.rs` takes them from here, so that
//! `crates/schedules` can compile the same file with types whose order a scheduler decides.

pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

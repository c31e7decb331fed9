//! Locks.

use std::sync::PoisonError;

/// Takes what is locked, also where a thread has panicked while it held it: each change
/// under a lock leaves things whole, and the others are to go on.
pub(crate) fn held<G>(locked: Result<G, PoisonError<G>>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}

//! Waiting for a condition: polled, with a deadline that no healthy run comes near.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Time between two looks at a condition.
pub(crate) const POLL: Duration = Duration::from_millis(5);

/// Polls until `look` finds something, and panics with `what` when it never does.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < give_up,
            "waited {DEADLINE:?} in vain for: {what}"
        );
        sleep(POLL);
    }
}

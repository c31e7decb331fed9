//! What intake waits for.

use std::time::Duration;

use crate::net::{QUIET, Sleeper, Wanted};
use crate::pending::PublishQueue;
use crate::recorder::Queue;
use crate::shutdown::Phase;

/// Announces intake's wait, and returns what it waits for, and for how long. What
/// comes, is taken or begins later ends the wait.
pub(crate) fn announce(
    sleeper: &Sleeper,
    queue: &Queue,
    publishes: &PublishQueue,
    phase: &Phase,
    stopping: bool,
) -> Wanted {
    // What was there before the announcement has woken nobody: that is looked at
    // behind it.
    sleeper.about_to_sleep();
    let room = !queue.is_full();
    let timeout = match () {
        () if !stopping && !phase.is_running() => Some(Duration::ZERO),
        () if room && !publishes.is_empty() => Some(Duration::ZERO),
        () if stopping => Some(QUIET),
        () => None,
    };
    Wanted {
        accept: !stopping,
        room,
        timeout,
    }
}

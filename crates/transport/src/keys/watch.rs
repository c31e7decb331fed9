//! Looks at the folder of keys again and again while the broker runs.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::Keys;

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Runs until the other end of `stop` is dropped; `changed` is called where somebody
/// is let in, or shut out, who was not before.
pub(crate) fn watch(keys: &Arc<Keys>, stop: &Receiver<()>, changed: impl Fn()) {
    while stop.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        if keys.refresh() {
            log::info!(
                "{} keys are let in from {}",
                keys.count(),
                keys.dir().display()
            );
            changed();
        }
    }
}

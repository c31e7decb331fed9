//! How far the broker is on its way down.

use crate::sync::{AtomicU8, Ordering};

/// The phases of an orderly end. Each begins when the one before is done:
/// intake takes in what has arrived and the recorder puts it on disk; then
/// subscribers are sent what they have not got; then connections are closed.
#[derive(Debug, Default)]
pub(crate) struct Phase(AtomicU8);

const RUNNING: u8 = 0;
const RECORDING: u8 = 1;
const DELIVERING: u8 = 2;
const CLOSING: u8 = 3;

impl Phase {
    /// Tells whether messages and connections are taken in.
    pub(crate) fn is_running(&self) -> bool {
        self.0.load(Ordering::SeqCst) == RUNNING
    }

    /// Tells whether something may still be recorded.
    pub(crate) fn is_recording(&self) -> bool {
        self.0.load(Ordering::SeqCst) <= RECORDING
    }

    /// Tells whether connections are to be closed, whatever is unsent.
    pub(crate) fn is_closing(&self) -> bool {
        self.0.load(Ordering::SeqCst) == CLOSING
    }

    /// Takes in nothing new.
    pub(crate) fn stop_intake(&self) {
        self.0.fetch_max(RECORDING, Ordering::SeqCst);
    }

    /// Lets subscribers go that have got everything.
    pub(crate) fn finish_delivery(&self) {
        self.0.fetch_max(DELIVERING, Ordering::SeqCst);
    }

    /// Closes all connections.
    pub(crate) fn close(&self) {
        self.0.fetch_max(CLOSING, Ordering::SeqCst);
    }
}

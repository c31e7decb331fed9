//! A thread beside the broker that says how it goes, until it is told to end.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread that is told when it is to end.
pub(crate) struct Task {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Task {
    pub(crate) fn start(
        work: impl FnOnce(&Receiver<()>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("notify".to_owned());
        let thread = thread.spawn(move || work(&stopped))?;
        Ok(Self { stop, thread })
    }

    pub(crate) fn end(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            log::warn!("the system was not told how it goes: the thread panicked");
        }
    }
}

/// Waits; tells whether it is over.
pub(crate) fn is_over(stopped: &Receiver<()>, time: Duration) -> Option<()> {
    match stopped.recv_timeout(time) {
        Err(RecvTimeoutError::Timeout) => None,
        Ok(()) | Err(RecvTimeoutError::Disconnected) => Some(()),
    }
}

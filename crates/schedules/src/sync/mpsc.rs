//! Channels whose receiver takes with it what it has not received, as the standard
//! library's does. Shuttle's leaves it there, and whoever waits for an answer that is part
//! of it would wait for ever.

use std::time::Duration;

pub(crate) use shuttle::sync::mpsc::Sender;
use shuttle::sync::mpsc::{RecvError, RecvTimeoutError, TryRecvError};

pub(crate) struct Receiver<T>(shuttle::sync::mpsc::Receiver<T>);

pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = shuttle::sync::mpsc::channel();
    (sender, Receiver(receiver))
}

impl<T> Receiver<T> {
    pub(crate) fn recv(&self) -> Result<T, RecvError> {
        self.0.recv()
    }

    /// It never times out.
    pub(crate) fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.0.recv_timeout(timeout)
    }

    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.try_recv()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Nobody comes between the look that finds nothing and the end of the channel.
        while !std::thread::panicking() && self.try_recv().is_ok() {}
    }
}

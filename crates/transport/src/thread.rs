//! The broker's threads: named, joined, and heard when they fail.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::Failure;
use crate::recorder::Queue;

/// A thread of the broker.
pub(crate) struct BrokerThread<T> {
    thread: Option<JoinHandle<T>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

impl<T: Send + 'static> BrokerThread<T> {
    /// Starts a thread that reports its failure, and its panic, to `failed`.
    pub(crate) fn spawn<F: Fn(Failure) + Send + Clone + 'static>(
        name: &'static str,
        failed: &Report<F>,
        run: impl FnOnce(&Report<F>) -> T + Send + 'static,
    ) -> io::Result<Self> {
        let failed = failed.clone();
        let (alive, ended): (Sender<()>, Receiver<()>) = channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _alive = alive;
                let guard = PanicGuard {
                    thread: name,
                    failed: &failed,
                };
                let result = run(&failed);
                drop(guard);
                result
            })?;
        Ok(Self {
            thread: Some(thread),
            ended,
        })
    }

    /// Waits for the thread's end, for at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        // Nothing is ever sent: either the time is up or the thread is gone.
        let _ended = self.ended.recv_timeout(timeout);
    }

    /// Joins the thread; `None` if it panicked, which it has reported itself.
    pub(crate) fn join(&mut self) -> Option<T> {
        self.thread.take()?.join().ok()
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.thread.is_none()
    }
}

/// Tells the program that the broker can't go on.
#[derive(Clone)]
pub(crate) struct Report<F> {
    pub(crate) on_failure: F,
    pub(crate) queue: Arc<Queue>,
}

impl<F: Fn(Failure)> Report<F> {
    pub(crate) fn report(&self, failure: Failure) {
        // Nobody takes from the queue any more, so nobody may wait for room.
        self.queue.end();
        (self.on_failure)(failure);
    }
}

struct PanicGuard<'a, F: Fn(Failure)> {
    thread: &'static str,
    failed: &'a Report<F>,
}

impl<F: Fn(Failure)> Drop for PanicGuard<'_, F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.failed.report(Failure::Panicked {
                thread: self.thread,
            });
        }
    }
}

//! What the broker's threads do, in turns.
//!
//! A worker never waits within a turn, but for the disk. So a thread is a loop
//! around it, and the simulation runs all workers of a broker in one thread, in
//! any order that its seed says.

use std::io;
use std::thread::JoinHandle;

/// What comes after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// There is more to do.
    More,
    /// There is nothing to do before something happens.
    Idle,
    /// There is nothing to do any more.
    Done,
}

/// Something that is done in turns.
pub(crate) trait Worker: Send {
    /// Does a part of what there is to do.
    fn turn(&mut self) -> Next;

    /// Waits, after an idle turn, until there may be something to do.
    fn wait(&mut self);
}

/// Starts workers.
pub(crate) trait Spawn: Send + Sync {
    /// Lets a worker do its turns until it is done.
    ///
    /// # Errors
    /// Where the system has no more threads.
    fn spawn(&self, name: String, worker: Box<dyn Worker>) -> io::Result<Box<dyn Spawned>>;
}

/// A worker that was started.
pub(crate) trait Spawned: Send {
    /// Tells whether it is done.
    fn is_done(&self) -> bool;

    /// Waits until it is.
    fn join(self: Box<Self>);
}

/// Gives each worker a thread of its own.
#[derive(Debug)]
pub(crate) struct Threads;

impl Spawn for Threads {
    fn spawn(&self, name: String, mut worker: Box<dyn Worker>) -> io::Result<Box<dyn Spawned>> {
        let thread = std::thread::Builder::new().name(name.clone());
        let handle = thread.spawn(move || {
            let _guard = PanicGuard(name);
            run(&mut *worker);
        })?;
        Ok(Box::new(handle))
    }
}

/// Lets a worker do its turns until it is done.
pub(crate) fn run(worker: &mut dyn Worker) {
    loop {
        match worker.turn() {
            Next::More => {}
            Next::Idle => worker.wait(),
            Next::Done => return,
        }
    }
}

impl Spawned for JoinHandle<()> {
    fn is_done(&self) -> bool {
        self.is_finished()
    }

    fn join(self: Box<Self>) {
        // The thread has said so itself if it panicked.
        let _panic = Self::join(*self);
    }
}

struct PanicGuard(String);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            log::error!("the thread {} panicked; the others go on", self.0);
        }
    }
}

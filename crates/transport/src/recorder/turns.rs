//! Who records: the recorder's thread, or intake while that has nothing to do.

use std::time::Duration;

use journal::raw::Session;
use journal::{Archived, IoError};

use crate::batch::Batch;
use crate::error::Failure;
use crate::pool::BufferPool;
use crate::recorder::{AT_ONCE, Queue, Recorder, Taken};
use crate::sync::{Arc, Mutex, MutexGuard, TryLockError, held, mpsc};
use crate::worker::Next;

/// How often the wall clock is looked at when nothing comes in.
const TICK: Duration = Duration::from_secs(1);
/// How often a full disk is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// Lends the recorder to its own thread, and to intake while that is idle.
pub(crate) struct Recording {
    recorder: Mutex<Recorder>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) spare: Arc<BufferPool>,
}

impl Recording {
    pub(crate) fn new(recorder: Recorder) -> Self {
        Self {
            queue: Arc::clone(&recorder.queue),
            spare: Arc::clone(&recorder.spare),
            recorder: Mutex::new(recorder),
        }
    }

    /// Is the recorder's thread: records until intake has ended and all of it
    /// is on disk.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let _closing = Closing(self);
        while self.turn()? != Next::Done {
            // Behind what is held nothing else can be recorded. The recorder itself is
            // free while this thread waits: intake records by itself then.
            let holds = self.lock().held.is_some();
            match holds {
                true => self.queue.pause(RETRY),
                false => self.queue.wait(TICK),
            }
        }
        Ok(())
    }

    /// Records what has come, up to a group, and does what else is due.
    pub(crate) fn turn(&self) -> Result<Next, Failure> {
        let mut recorder = self.lock();
        if let Some(failure) = recorder.failed.take() {
            return Err(failure);
        }
        if !recorder.retry()? {
            match self.queue.take() {
                Taken::Batches(batches) => recorder.record(batches)?,
                Taken::Nothing => {}
                Taken::End => return Ok(Next::Done),
            }
        }
        if recorder.held.is_none() {
            recorder.housekeeping();
        }
        recorder.health.turned();
        Ok(Next::Idle)
    }

    /// Records a small batch at once, if nothing comes before it; leaves any
    /// other to the recorder's thread.
    ///
    /// A single message would wait for that thread to wake up about half as
    /// long as for the disk. Under load the recorder is busy, and intake goes
    /// on receiving.
    pub(crate) fn record_or_leave(&self, batch: Batch) {
        if batch.group.bytes().len() <= AT_ONCE
            && let Some(mut recorder) = self.try_lock()
            && recorder.held.is_none()
            && self.queue.is_idle()
        {
            recorder.record_at_once(batch);
        } else {
            self.queue.put(batch);
        }
    }

    /// Returns the session being written.
    pub(crate) fn session(&self) -> Session {
        self.lock().writer.session()
    }

    /// Closes the session, when nothing is recorded any more.
    pub(crate) fn finish(&self) -> Result<Option<Archived>, IoError> {
        self.lock().close(None)
    }

    /// Tells whether somebody else records now.
    #[cfg(test)]
    pub(crate) fn is_lent(&self) -> bool {
        self.try_lock().is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Recorder> {
        held(self.recorder.lock())
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Recorder>> {
        match self.recorder.try_lock() {
            Ok(recorder) => Some(recorder),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// Takes no more requests when the recorder's thread has ended, also by a
/// panic: who asks then learns that nobody answers.
struct Closing<'a>(&'a Recording);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.lock().requests = mpsc::channel().1;
    }
}

#[cfg(test)]
mod tests;

//! Where intake leaves batches and the recorder takes them: bounded by bytes.

use std::collections::VecDeque;
use std::time::Duration;

use crate::batch::Batch;
use crate::net::Waker;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, held};

/// Up to this many bytes are written and synced at once. Larger groups gain no
/// bandwidth, and whoever comes behind one waits for all of it.
const GROUP_BYTES: usize = 1 << 20;

/// Batches on their way to the disk.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
    limit: usize,
    /// Wakes intake when there is room again.
    intake: Arc<Waker>,
}

#[derive(Debug, Default)]
struct QueueState {
    batches: VecDeque<Batch>,
    /// The memory of the batches that wait and of those being recorded.
    bytes: usize,
    /// Whether nothing more comes in.
    ended: bool,
    /// Set while the recorder is to look at its other duties.
    nudged: bool,
}

/// What the recorder gets.
#[derive(Debug)]
pub(crate) enum Taken {
    Batches(Vec<Batch>),
    /// There is nothing, for now.
    Nothing,
    /// Intake has ended, and all of it was taken.
    End,
}

impl Queue {
    pub(crate) fn new(limit: usize, intake: Arc<Waker>) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            limit,
            intake,
        }
    }

    /// Leaves a batch, which is dropped where nobody takes any more. It never
    /// waits: intake looks whether the queue [is full](Self::is_full) before it
    /// receives more, so the limit is exceeded by what it reads at once.
    pub(crate) fn put(&self, batch: Batch) {
        let memory = batch.memory();
        let mut state = self.lock();
        if state.ended {
            return;
        }
        state.bytes += memory;
        state.batches.push_back(batch);
        self.changed.notify_all();
    }

    /// Tells whether nothing more should be received for now, which is how
    /// publishers come to feel a slow disk.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().bytes >= self.limit
    }

    /// Waits until there is something for the recorder to do, for at most
    /// `timeout`. After that nothing else is idle until it has
    /// [taken](Self::take) what is there.
    pub(crate) fn wait(&self, timeout: Duration) {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| {
                state.batches.is_empty() && !state.ended && !state.nudged
            });
        let mut state = held(waited).0;
        state.nudged = true;
    }

    /// Tells whether nothing is there, and the recorder has no other duties.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.batches.is_empty() && !state.ended && !state.nudged
    }

    /// Takes what is there, up to one group.
    pub(crate) fn take(&self) -> Taken {
        let mut state = self.lock();
        state.nudged = false;
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(batch) = state.batches.front() {
            bytes += batch.group.bytes().len();
            if bytes > GROUP_BYTES && !taken.is_empty() {
                break;
            }
            taken.extend(state.batches.pop_front());
        }
        match taken.is_empty() {
            false => Taken::Batches(taken),
            true if state.ended => Taken::End,
            true => Taken::Nothing,
        }
    }

    /// Makes room, since batches of this size were recorded.
    pub(crate) fn release(&self, bytes: usize) {
        let mut state = self.lock();
        let was_full = state.bytes >= self.limit;
        state.bytes = state.bytes.saturating_sub(bytes);
        if was_full && state.bytes < self.limit {
            self.intake.wake();
        }
    }

    /// Lets nothing more in.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Makes the recorder look at its other duties.
    pub(crate) fn nudge(&self) {
        self.lock().nudged = true;
        self.changed.notify_all();
    }

    /// Waits for at most `timeout`, or until the end or a nudge.
    pub(crate) fn pause(&self, timeout: Duration) {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| !state.ended && !state.nudged);
        let mut state = held(waited).0;
        state.nudged = false;
    }

    /// Returns how many messages wait that nobody has taken yet.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().batches.iter().map(Batch::len).sum()
    }

    /// Tells whether nothing more comes in.
    pub(crate) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        held(self.state.lock())
    }
}

#[cfg(test)]
mod tests;

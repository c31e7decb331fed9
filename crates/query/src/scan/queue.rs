//! Who works on which chunk, and what waits for the caller.

use std::collections::HashMap;

use super::sort::Batch;
use crate::error::Error;
use crate::sync::{Condvar, Mutex, MutexGuard, held};

/// Hands out chunks in order, and gives back what was found in the same order.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    /// What the caller waits for is there.
    ready: Condvar,
    /// The caller has taken something.
    taken: Condvar,
    count: usize,
    /// How far workers may be ahead of the caller.
    ahead: usize,
}

#[derive(Debug, Default)]
struct QueueState {
    claimed: usize,
    taken: usize,
    ready: HashMap<usize, Result<Batch, Error>>,
    /// Buffers to be used again.
    buffers: Vec<Vec<u8>>,
    workers: usize,
    /// How many workers wait for the caller.
    waiting: usize,
    is_stopped: bool,
}

/// A worker that is at work; dropped when it ends, for whatever reason.
pub(super) struct Worker<'q>(&'q Queue);

impl Queue {
    pub(super) fn new(count: usize, threads: usize) -> Self {
        let state = QueueState {
            workers: threads,
            ..QueueState::default()
        };
        Self {
            state: Mutex::new(state),
            ready: Condvar::new(),
            taken: Condvar::new(),
            count,
            ahead: threads * 4,
        }
    }

    pub(super) fn enter(&self) -> Worker<'_> {
        Worker(self)
    }

    /// Takes the next chunk; `None` when there is no more.
    pub(super) fn claim(&self) -> Option<usize> {
        let is_too_far = |state: &QueueState| {
            !state.is_stopped
                && state.claimed < self.count
                && state.claimed >= state.taken + self.ahead
        };
        let mut state = self.lock();
        while is_too_far(&state) {
            state.waiting += 1;
            let waited = self.taken.wait(state);
            state = held(waited);
            state.waiting -= 1;
        }
        if state.is_stopped || state.claimed == self.count {
            return None;
        }
        state.claimed += 1;
        Some(state.claimed - 1)
    }

    /// Returns memory that was given back, if there is any.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.lock().buffers.pop().unwrap_or_default()
    }

    /// Puts down what was found in a chunk.
    pub(super) fn put(&self, at: usize, batch: Result<Batch, Error>) {
        let mut state = self.lock();
        let is_next = at == state.taken;
        state.ready.insert(at, batch);
        drop(state);
        if is_next {
            self.ready.notify_one();
        }
    }

    /// Takes what was found in the next chunk; `None` behind the last one.
    pub(super) fn take(&self) -> Option<Result<Batch, Error>> {
        let is_missing = |state: &mut QueueState| {
            state.taken < self.count && state.workers > 0 && !state.ready.contains_key(&state.taken)
        };
        let waited = self.ready.wait_while(self.lock(), is_missing);
        let mut state = held(waited);
        let at = state.taken;
        let batch = state.ready.remove(&at)?;
        state.taken += 1;
        let is_awaited = state.waiting > 0;
        drop(state);
        if is_awaited {
            self.taken.notify_all();
        }
        Some(batch)
    }

    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() > 0 {
            self.lock().buffers.push(buffer);
        }
    }

    /// Lets the workers end.
    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.taken.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        held(self.state.lock())
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.workers -= 1;
        // It is gone by a panic where chunks are left, and perhaps with one that the caller
        // waits for, for whom in turn the other workers wait.
        state.is_stopped |= state.claimed < self.0.count;
        drop(state);
        self.0.ready.notify_one();
        self.0.taken.notify_all();
    }
}

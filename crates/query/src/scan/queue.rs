//! Who works on which chunk, and what waits for the caller.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::sort::Batch;
use crate::error::Error;

/// Hands out chunks in order, and gives back what was found in the same order.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    count: usize,
    /// How far workers may be ahead of the caller.
    ahead: usize,
}

#[derive(Debug, Default)]
struct State {
    claimed: usize,
    taken: usize,
    ready: HashMap<usize, Result<Batch, Error>>,
    /// Buffers to be used again.
    buffers: Vec<Vec<u8>>,
    workers: usize,
    is_stopped: bool,
}

/// A worker that is at work; dropped when it ends, for whatever reason.
pub(super) struct Worker<'q>(&'q Queue);

impl Queue {
    pub(super) fn new(count: usize, threads: usize) -> Self {
        let state = State {
            workers: threads,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            count,
            ahead: threads * 2,
        }
    }

    pub(super) fn enter(&self) -> Worker<'_> {
        Worker(self)
    }

    /// Takes the next chunk, and a buffer for it; `None` when there is no more.
    pub(super) fn claim(&self) -> Option<(usize, Vec<u8>)> {
        let is_too_far = |state: &mut State| {
            !state.is_stopped
                && state.claimed < self.count
                && state.claimed >= state.taken + self.ahead
        };
        let waited = self.changed.wait_while(self.lock(), is_too_far);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.is_stopped || state.claimed == self.count {
            return None;
        }
        state.claimed += 1;
        let buffer = state.buffers.pop().unwrap_or_default();
        Some((state.claimed - 1, buffer))
    }

    /// Puts down what was found in a chunk.
    pub(super) fn put(&self, at: usize, batch: Result<Batch, Error>) {
        self.lock().ready.insert(at, batch);
        self.changed.notify_all();
    }

    /// Takes what was found in the next chunk; `None` behind the last one.
    pub(super) fn take(&self) -> Option<Result<Batch, Error>> {
        let is_missing = |state: &mut State| {
            state.taken < self.count && state.workers > 0 && !state.ready.contains_key(&state.taken)
        };
        let waited = self.changed.wait_while(self.lock(), is_missing);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let at = state.taken;
        let batch = state.ready.remove(&at)?;
        state.taken += 1;
        drop(state);
        self.changed.notify_all();
        Some(batch)
    }

    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        self.lock().buffers.push(buffer);
    }

    /// Lets the workers end.
    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.0.lock().workers -= 1;
        self.0.changed.notify_all();
    }
}

//! The positions of named consumers: small files, written by a thread of their own.

mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub(super) use self::file::{Stored, directory};
use self::file::{read_all, remove, write_all};
use super::limits;
use super::refusal::Refusal;
use super::router::Peer;

/// An acknowledged position that is to be stored, and who asked for that.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) peer: Peer,
    pub(super) id: Value,
    pub(super) name: String,
    pub(super) number: u64,
}

/// What was stored, and what waits for it. Shared with the thread that writes.
#[derive(Debug)]
pub(super) struct Positions {
    dir: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stored: BTreeMap<String, Stored>,
    waiting: Vec<Kept>,
    ended: bool,
}

impl Positions {
    /// Reads the positions that are stored below a journal's directory.
    pub(super) fn open(logs: &Path) -> Self {
        let dir = directory(logs);
        let stored = read_all(&dir);
        Self {
            dir,
            state: Mutex::new(State {
                stored,
                ..State::default()
            }),
            changed: Condvar::new(),
        }
    }

    /// Returns the position that is kept for a name.
    pub(super) fn get(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.lock().stored.get(name) {
            None => Ok(None),
            Some(Stored::At { number, .. }) => Ok(Some(*number)),
            Some(Stored::Damaged(reason)) => Err(Refusal::new(
                "damaged_position",
                format!(
                    "the position kept for {name} can't be read: {reason}; \
                     say where to begin with \"from\", or forget the name"
                ),
            )),
        }
    }

    /// Checks that there is room for a name.
    pub(super) fn check_room(&self, name: &str) -> Result<(), Refusal> {
        let state = self.lock();
        if state.stored.len() < limits::NAMES || state.stored.contains_key(name) {
            return Ok(());
        }
        let message = format!(
            "positions are kept for {} names already: forget one that is not used any more",
            limits::NAMES
        );
        Err(Refusal::new("limit", message))
    }

    /// Gives a position to the thread that stores it.
    pub(super) fn store(&self, kept: Kept) {
        self.lock().waiting.push(kept);
        self.changed.notify_one();
    }

    /// Removes a name; false if there is none.
    pub(super) fn forget(&self, name: &str) -> std::io::Result<bool> {
        // The lock is held meanwhile, so that nobody writes the file.
        let mut state = self.lock();
        state.waiting.retain(|kept| kept.name != name);
        if state.stored.remove(name).is_none() {
            return Ok(false);
        }
        remove(&self.dir, name).map(|()| true)
    }

    pub(super) fn list(&self) -> BTreeMap<String, Stored> {
        self.lock().stored.clone()
    }

    /// Stores what is given until the end, as much at once as has collected.
    pub(super) fn run(&self, told: impl Fn(Vec<Kept>, Result<(), String>)) {
        loop {
            let mut state = self.lock();
            while state.waiting.is_empty() && !state.ended {
                let waited = self.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
            if state.waiting.is_empty() {
                return;
            }
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            let newest: BTreeMap<String, u64> = waiting
                .iter()
                .map(|kept| (kept.name.clone(), kept.number))
                .collect();
            let written = write_all(&self.dir, &newest);
            if let Ok(stored) = &written {
                self.lock().stored.extend(stored.clone());
            }
            told(
                waiting,
                written.map(drop).map_err(|error| error.to_string()),
            );
        }
    }

    /// Lets the thread end when all is stored.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread that stores positions.
pub(super) fn spawn(
    positions: &Arc<Positions>,
    told: impl Fn(Vec<Kept>, Result<(), String>) + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let positions = Arc::clone(positions);
    std::thread::Builder::new()
        .name("positions".to_owned())
        .spawn(move || positions.run(told))
}

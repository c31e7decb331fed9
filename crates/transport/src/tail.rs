//! What is committed: the newest records in memory, the place of all others.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{Archived, Committed, Session};

use crate::batch::Batch;
use crate::waker::Listeners;

/// So many messages stay in memory also where a new subscription gets fewer:
/// a live subscriber is a few groups behind the disk, and reading those back
/// from the journal costs more than all the rest of its delivery. Under test
/// it is small, so that falling behind is easy.
const TAIL_MESSAGES: u64 = if cfg!(test) { 1024 } else { 1 << 17 };

/// A place between two records of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The session's ordinal.
    pub(crate) session: u64,
    /// The offset in its file, in bytes.
    pub(crate) offset: u64,
}

/// Messages that are on stable storage, with their place.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) batch: Batch,
    pub(crate) from: Place,
    pub(crate) to: Place,
    memory: usize,
}

/// Where the records behind a place are.
#[derive(Debug)]
pub(crate) enum Source {
    /// In memory, beginning at that very place.
    Memory(Arc<Recorded>),
    /// In a file, from that place on up to the offset `until`.
    File { path: PathBuf, until: u64 },
    /// In the session after this one.
    NextSession(Place),
    /// Nowhere: nothing is behind it yet.
    Head,
}

/// Where a replay begins.
#[derive(Debug)]
pub(crate) struct Window {
    /// The number of its first record.
    pub(crate) first: u64,
    /// That record, if it is in memory: a batch and the index within it.
    pub(crate) memory: Option<(Arc<Recorded>, usize)>,
    /// The session in which it is.
    pub(crate) session: u64,
    /// That session's file, and its committed length.
    pub(crate) path: PathBuf,
    pub(crate) until: u64,
}

/// The session being written, as far as it is committed.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    /// Its ordinal.
    pub(crate) ordinal: u64,
    /// The number of its first record, or of the next one to come.
    pub(crate) first: u64,
    /// Its committed length in bytes.
    pub(crate) bytes: u64,
    /// The number that the next record gets.
    pub(crate) next: u64,
    pub(crate) path: PathBuf,
}

/// The committed end of the journal, shared by the recorder and all cursors.
///
/// Nothing is in here before its fsync has returned.
#[derive(Debug)]
pub(crate) struct Tail {
    state: Mutex<State>,
    pub(crate) listeners: Listeners,
    /// The path of the session being written.
    current: PathBuf,
    /// How many records stay in memory at most.
    messages: u64,
    /// How many bytes they may take.
    bytes: usize,
}

#[derive(Debug)]
struct State {
    recent: VecDeque<Arc<Recorded>>,
    memory: usize,
    head: Place,
    /// The number that the next record gets.
    next: u64,
    /// The number of the current session's first record.
    session_first: u64,
    /// The files of sessions that were closed since the start, and their length.
    closed: BTreeMap<u64, (PathBuf, u64)>,
}

impl Tail {
    pub(crate) fn new(
        current: PathBuf,
        session: Session,
        next: u64,
        history: u64,
        bytes: usize,
    ) -> Self {
        let state = State {
            recent: VecDeque::new(),
            memory: 0,
            head: Place {
                session: session.ordinal,
                offset: session.bytes,
            },
            next,
            session_first: session.first,
            closed: BTreeMap::new(),
        };
        let messages = history.max(TAIL_MESSAGES);
        Self {
            state: Mutex::new(state),
            listeners: Listeners::default(),
            current,
            messages,
            bytes,
        }
    }

    /// Makes batches visible that were committed together; with each comes how
    /// many bytes its lines take. Who listens is to be told after that.
    /// Returns the batches that are in memory no longer.
    pub(crate) fn publish(
        &self,
        batches: impl IntoIterator<Item = (Batch, usize)>,
        committed: &Committed,
    ) -> Vec<Batch> {
        let mut from = Place {
            session: committed.session,
            offset: committed.offset,
        };
        let mut state = self.lock();
        for (batch, bytes) in batches {
            let to = Place {
                offset: from.offset + bytes as u64,
                ..from
            };
            let memory = batch.memory();
            state.memory += memory;
            state.recent.push_back(Arc::new(Recorded {
                batch,
                from,
                to,
                memory,
            }));
            from = to;
        }
        state.head = from;
        state.next = committed.last + 1;
        state.shrink(self.messages, self.bytes)
    }

    /// Notes that a session was closed and another one begun.
    pub(crate) fn rotate(&self, archived: Option<&Archived>, session: Session) {
        let mut state = self.lock();
        if let Some(Archived {
            session,
            path,
            bytes,
            ..
        }) = archived
        {
            state.closed.insert(*session, (path.clone(), *bytes));
        }
        state.head = Place {
            session: session.ordinal,
            offset: session.bytes,
        };
        state.session_first = session.first;
        drop(state);
        self.listeners.wake_all();
    }

    /// Returns the committed end, and the number that the next record gets.
    pub(crate) fn head(&self) -> (Place, u64) {
        let state = self.lock();
        (state.head, state.next)
    }

    /// Returns the session being written.
    pub(crate) fn current(&self) -> Current {
        let state = self.lock();
        Current {
            ordinal: state.head.session,
            first: state.session_first,
            bytes: state.head.offset,
            next: state.next,
            path: self.current.clone(),
        }
    }

    /// Returns the length of a session that was closed since the start.
    pub(crate) fn closed_bytes(&self, ordinal: u64) -> Option<u64> {
        self.lock().closed.get(&ordinal).map(|(_, bytes)| *bytes)
    }

    /// Tells where the records behind a place are.
    pub(crate) fn after(&self, place: Place) -> Source {
        let state = self.lock();
        if place == state.head {
            return Source::Head;
        }
        let behind = state
            .recent
            .partition_point(|recorded| recorded.from < place);
        let oldest = state.recent.get(behind);
        if let Some(recorded) = oldest.filter(|recorded| recorded.from == place) {
            return Source::Memory(Arc::clone(recorded));
        }
        let in_memory = oldest.filter(|recorded| recorded.from.session == place.session);
        let in_memory = in_memory.map(|recorded| recorded.from.offset);
        if place.session == state.head.session {
            let until = in_memory.unwrap_or(state.head.offset);
            return Source::File {
                path: self.current.clone(),
                until,
            };
        }
        match state.closed.get(&place.session) {
            Some((path, bytes)) if place.offset < *bytes => Source::File {
                path: path.clone(),
                until: in_memory.unwrap_or(*bytes),
            },
            // Read to its end, or gone together with its directory.
            _ => Source::NextSession(Place {
                session: place.session + 1,
                offset: 0,
            }),
        }
    }

    /// Returns where the newest `history` records of the current session begin.
    pub(crate) fn window(&self, history: u64) -> Window {
        let state = self.lock();
        let first = state.next.saturating_sub(history).max(state.session_first);
        let batch = state
            .recent
            .partition_point(|recorded| recorded.end() <= first);
        let memory = state.recent.get(batch).filter(|recorded| {
            recorded.from.session == state.head.session && recorded.batch.first() <= first
        });
        let memory = memory.and_then(|recorded| {
            let index = usize::try_from(first - recorded.batch.first()).ok()?;
            Some((Arc::clone(recorded), index))
        });
        Window {
            first,
            memory,
            session: state.head.session,
            path: self.current.clone(),
            until: state.head.offset,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorded {
    /// Returns the number behind the last record.
    fn end(&self) -> u64 {
        self.batch.first() + self.batch.len() as u64
    }
}

impl State {
    /// Gives up the oldest batches beyond the limits, and returns those that
    /// nobody is reading.
    fn shrink(&mut self, messages: u64, bytes: usize) -> Vec<Batch> {
        let mut given_up = Vec::new();
        while let Some(oldest) = self.recent.front() {
            let kept = self.next - oldest.end();
            if kept < messages && self.memory <= bytes {
                break;
            }
            self.memory -= oldest.memory;
            let oldest = self.recent.pop_front().and_then(Arc::into_inner);
            given_up.extend(oldest.map(|recorded| recorded.batch.emptied()));
        }
        given_up
    }
}

#[cfg(test)]
mod tests;

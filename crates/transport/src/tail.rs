//! What is committed: the newest records in memory, the place of all others.

mod listeners;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use journal::raw::{Committed, Session, SessionFile};
use journal::{Archive, Archived};

use crate::batch::Batch;
use crate::segment::Segment;
use crate::sync::held;

pub(crate) use self::listeners::{Listener, Listeners, Listening};

/// At least this many messages stay in memory, also where a new subscription gets fewer:
/// a live subscriber is a few groups behind the disk, and reading those back
/// from the journal costs more than all the rest of its delivery. Under test
/// it is small, so that falling behind is easy.
const TAIL_MESSAGES: u64 = if cfg!(test) { 1024 } else { 1 << 17 };

/// The files of up to this many closed sessions stay open for those who are behind;
/// further ones are opened when they are needed. A subscriber that never reads
/// must not use up the file descriptors.
const MAX_OPEN: usize = if cfg!(test) { 2 } else { 64 };

/// A place between two records of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionOffset {
    /// The session's ordinal: those that were closed before the start come first, where
    /// they are replayed.
    pub(crate) session: u64,
    /// The offset in its file, in bytes.
    pub(crate) offset: u64,
}

/// Messages that are on stable storage, with their place.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) batch: Batch,
    pub(crate) from: SessionOffset,
    pub(crate) to: SessionOffset,
    memory: usize,
}

/// Where the records behind a place are.
#[derive(Debug)]
pub(crate) enum Source {
    /// In memory, beginning at that very place.
    Memory(Arc<Recorded>),
    /// In the session's file, from that place on up to the offset `until`.
    File { until: u64 },
    /// In this session, which comes after the place's own.
    NextSession(Arc<Segment>),
    /// Nowhere: nothing is behind it yet.
    Head,
}

/// The committed end.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) place: SessionOffset,
    /// The session in which it is.
    pub(crate) segment: Arc<Segment>,
    /// The number that the next record gets.
    pub(crate) next: u64,
}

/// What a replay consists of.
#[derive(Debug)]
pub(crate) struct Window {
    /// The number of its first record.
    pub(crate) first: u64,
    /// The session in which that is.
    pub(crate) segment: Arc<Segment>,
    /// That session's end, as far as it is committed.
    pub(crate) end: SessionOffset,
    /// The first record, if it is in memory: a batch and the index within it.
    pub(crate) memory: Option<(Arc<Recorded>, usize)>,
    /// What was committed then.
    pub(crate) head: Head,
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
    pub(crate) segment: Arc<Segment>,
}

/// The committed end of the journal, shared by the recorder and all cursors.
///
/// Nothing is in here before its fsync has returned.
#[derive(Debug)]
pub(crate) struct Tail {
    state: Mutex<TailState>,
    pub(crate) listeners: Listeners,
    /// The path of the session being written.
    current: PathBuf,
    /// How many sessions were closed before the start and can be replayed: the writer
    /// counts from behind them.
    before: u64,
    /// How many records stay in memory at most.
    messages: u64,
    /// How many bytes they may take.
    bytes: usize,
    /// What subscribers have got; one that went to three counts three times.
    pub(crate) delivered: Delivered,
}

/// How much was handed to the connections of subscribers.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    pub(crate) messages: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

impl Delivered {
    pub(crate) fn add(&self, messages: u64, bytes: u64) {
        self.messages.fetch_add(messages, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct TailState {
    recent: VecDeque<Arc<Recorded>>,
    memory: usize,
    head: SessionOffset,
    /// The number that the next record gets.
    next: u64,
    /// Whether replays reach back into closed sessions.
    reaches_back: bool,
    /// The session being written, and those before it that somebody still reads, or that
    /// can be replayed.
    segments: BTreeMap<u64, Arc<Segment>>,
    /// The last of these.
    segment: Arc<Segment>,
}

impl Tail {
    /// `closed` are the sessions from before that replays reach back into, in order, if
    /// they do.
    pub(crate) fn new(
        current: PathBuf,
        closed: Option<&[Archive]>,
        (session, file): (Session, Option<SessionFile>),
        next: u64,
        history: u64,
        bytes: usize,
    ) -> Self {
        let reaches_back = closed.is_some();
        let closed = (0..).zip(closed.unwrap_or_default());
        let closed = closed.map(|(ordinal, archive)| Segment::closed(ordinal, archive));
        let mut segments: BTreeMap<_, _> = closed
            .map(|segment| (segment.ordinal, Arc::new(segment)))
            .collect();
        let before = segments.len() as u64;
        let ordinal = before + session.ordinal;
        let segment = Arc::new(Segment::new(ordinal, session.first, file));
        segments.insert(ordinal, Arc::clone(&segment));
        let state = TailState {
            recent: VecDeque::new(),
            memory: 0,
            head: SessionOffset {
                session: ordinal,
                offset: session.bytes,
            },
            next,
            reaches_back,
            segments,
            segment,
        };
        let messages = history.max(TAIL_MESSAGES);
        Self {
            state: Mutex::new(state),
            listeners: Listeners::default(),
            current,
            before,
            messages,
            bytes,
            delivered: Delivered::default(),
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
        let mut from = SessionOffset {
            session: self.before + committed.session,
            offset: committed.offset,
        };
        let mut state = self.lock();
        for (batch, bytes) in batches {
            let to = SessionOffset {
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

    /// Notes that recording goes on in another session, in `file`. Those that
    /// were archived on the way are named in order, the current one first. To
    /// be told the same again changes nothing.
    pub(crate) fn rotate<'a>(
        &self,
        archived: impl IntoIterator<Item = &'a Archived>,
        session: Session,
        file: Option<SessionFile>,
    ) {
        let ordinal = self.before + session.ordinal;
        let mut state = self.lock();
        if ordinal != state.head.session {
            state.segment.close(state.head.offset);
            let segment = Arc::new(Segment::new(ordinal, session.first, None));
            state.segments.insert(ordinal, Arc::clone(&segment));
            state.segment = segment;
        }
        for archived in archived {
            if let Some(segment) = state.segments.get(&(self.before + archived.session)) {
                segment.rename(&archived.path);
            }
        }
        state.segment.found(file);
        state.head = SessionOffset {
            session: ordinal,
            offset: session.bytes,
        };
        state.prune();
        state.let_go();
        drop(state);
        self.listeners.wake_all();
    }

    /// Tells whether it is not known yet where records go.
    pub(crate) fn lacks_file(&self) -> bool {
        self.lock().segment.lacks_file()
    }

    /// Gives up closed sessions that nobody reads any more.
    pub(crate) fn prune(&self) {
        self.lock().prune();
    }

    /// Forgets a session whose file is gone: nobody begins in it again.
    pub(crate) fn forget(&self, segment: &Segment) {
        let mut state = self.lock();
        if segment.ordinal != state.head.session {
            state.segments.remove(&segment.ordinal);
        }
    }

    /// Returns the committed end.
    pub(crate) fn head(&self) -> Head {
        self.lock().head()
    }

    /// Returns the session being written.
    pub(crate) fn current(&self) -> Current {
        let state = self.lock();
        Current {
            ordinal: state.head.session,
            first: state.segment.first,
            bytes: state.head.offset,
            next: state.next,
            path: self.current.clone(),
            segment: Arc::clone(&state.segment),
        }
    }

    /// Tells where the records behind a place are.
    pub(crate) fn after(&self, place: SessionOffset) -> Source {
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
        let committed = match state.segments.get(&place.session) {
            _ if place.session == state.head.session => Some(state.head.offset),
            segment => segment.and_then(|segment| segment.end()),
        };
        match committed {
            Some(end) if place.offset < end => Source::File {
                until: in_memory.unwrap_or(end),
            },
            _ => {
                let mut behind = state.segments.range(place.session + 1..);
                let next = behind.next().map_or(&state.segment, |(_, segment)| segment);
                Source::NextSession(Arc::clone(next))
            }
        }
    }

    /// Returns where the newest `history` records begin, of the current session or of
    /// all that replays reach back into.
    pub(crate) fn window(&self, history: u64) -> Window {
        let state = self.lock();
        let first = state.next.saturating_sub(history);
        let (first, segment) = match state.reaches_back {
            true => (first, state.holding(first)),
            false => (first.max(state.segment.first), &state.segment),
        };
        let batch = state
            .recent
            .partition_point(|recorded| recorded.end() <= first);
        let memory = state.recent.get(batch).filter(|recorded| {
            recorded.from.session == segment.ordinal && recorded.batch.first() <= first
        });
        let memory = memory.and_then(|recorded| {
            let index = usize::try_from(first - recorded.batch.first()).ok()?;
            Some((Arc::clone(recorded), index))
        });
        Window {
            first,
            end: SessionOffset {
                session: segment.ordinal,
                offset: segment.end().unwrap_or(state.head.offset),
            },
            segment: Arc::clone(segment),
            memory,
            head: state.head(),
        }
    }

    /// Returns all sessions that are held, oldest first.
    #[cfg(test)]
    pub(crate) fn held(&self) -> Vec<Arc<Segment>> {
        self.lock().segments.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, TailState> {
        held(self.state.lock())
    }
}

impl Recorded {
    /// Returns the number behind the last record.
    fn end(&self) -> u64 {
        self.batch.first() + self.batch.len() as u64
    }

    /// Returns the place of the message at `index`.
    pub(crate) fn place(&self, index: usize) -> SessionOffset {
        SessionOffset {
            offset: self.from.offset + self.batch.line_start(index) as u64,
            ..self.from
        }
    }

    /// Returns how many of the messages are before a place.
    pub(crate) fn before(&self, place: SessionOffset) -> usize {
        if place >= self.to {
            return self.batch.len();
        }
        let offset = place.offset.saturating_sub(self.from.offset);
        match usize::try_from(offset) {
            Ok(offset) if place.session == self.from.session => self.batch.lines_before(offset),
            _ => 0,
        }
    }
}

impl TailState {
    fn head(&self) -> Head {
        Head {
            place: self.head,
            segment: Arc::clone(&self.segment),
            next: self.next,
        }
    }

    /// Returns the session in which a record with this number is, or would be: the last
    /// one that begins with it or before it. Sessions without numbers of their own, which
    /// older recorders have left, begin with 1 each, and come before all others.
    fn holding(&self, number: u64) -> &Arc<Segment> {
        let mut oldest = self.segments.values();
        let oldest = oldest.next().filter(|oldest| number <= oldest.first);
        let mut newest = self.segments.values().rev();
        oldest
            .or_else(|| newest.find(|segment| segment.first <= number))
            .unwrap_or(&self.segment)
    }

    /// Gives up the oldest sessions that nobody reads any more, or their files where they
    /// can be replayed. Whoever reads one comes to all that follow.
    fn prune(&mut self) {
        let (current, reaches_back) = (self.segment.ordinal, self.reaches_back);
        let mut is_read = false;
        self.segments.retain(|ordinal, segment| {
            is_read |= *ordinal == current || Arc::strong_count(segment) > 1;
            if !is_read && reaches_back {
                segment.let_go();
            }
            is_read || (reaches_back && segment.is_named())
        });
    }

    /// Keeps the files of the oldest closed sessions open, which are needed
    /// first, and closes those of the others.
    fn let_go(&self) {
        let open = self.segments.values().filter(|one| one.can_be_let_go());
        open.skip(MAX_OPEN).for_each(|segment| segment.let_go());
    }

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

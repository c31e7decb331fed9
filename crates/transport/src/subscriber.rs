//! One subscriber: what it wants, what it has, what it gets next.
//!
//! Replay and live delivery are the same act, done by two cursors: `live`
//! walks with the topics that are caught up, and a replay brings new topics
//! there. While a replay runs, `live` waits where it is.

use std::time::{Duration, Instant};

use crate::cursor::{Cursor, Lost, Step};
use crate::link::{Link, LinkError, MAX_TOPICS, Subscription};
use crate::outgoing::Outgoing;
use crate::subscriptions::{Topics, Wanted, memory_of};
use crate::tail::Tail;

/// After this long without another one, new subscriptions are replayed. A
/// client sends those that it has when it connects one by one; replayed each
/// for itself, their messages would not come in the journal's order.
const QUIET: Duration = Duration::from_millis(10);
/// How long a client that keeps subscribing is waited for at most.
const PATIENCE: Duration = Duration::from_millis(200);
/// How many bytes are sent before the connection is looked after again.
const QUANTUM: usize = 1 << 20;

/// The state of one subscriber's delivery.
#[derive(Debug)]
pub(crate) struct Subscriber {
    /// Topics that are caught up, and the cursor that serves them.
    caught_up: Topics,
    live: Cursor,
    replay: Option<Replay>,
    /// Topics that wait for their replay.
    waiting: Vec<Vec<u8>>,
    /// How much memory those take, about.
    waiting_memory: usize,
    first_waiting: Instant,
    last_waiting: Instant,
    /// Messages that a cursor has passed and that are not sent yet.
    outgoing: Outgoing,
    history: u64,
}

/// The history of topics that were subscribed to a moment ago.
#[derive(Debug)]
struct Replay {
    topics: Topics,
    cursor: Cursor,
    /// The number of the last message that `live` has passed.
    until: u64,
}

/// How a turn ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There is more to do.
    More,
    /// All that is committed was sent.
    Idle,
    /// Subscriptions have just come in; look again after so long.
    Quiet(Duration),
    /// The connection takes no more at the moment.
    Full,
}

impl Subscriber {
    pub(crate) fn new(tail: &Tail, history: u64) -> Self {
        let now = Instant::now();
        Self {
            caught_up: Topics::default(),
            live: Cursor::at_head(tail),
            replay: None,
            waiting: Vec::new(),
            waiting_memory: 0,
            first_waiting: now,
            last_waiting: now,
            outgoing: Outgoing::default(),
            history,
        }
    }

    /// Notes what the subscriber asks for.
    pub(crate) fn apply(&mut self, subscription: Subscription) -> Result<(), LinkError> {
        match subscription {
            Subscription::Add(topic) => self.add(topic),
            Subscription::Remove(topic) => {
                self.remove(&topic);
                Ok(())
            }
        }
    }

    fn add(&mut self, topic: Vec<u8>) -> Result<(), LinkError> {
        let replayed = self
            .replay
            .as_mut()
            .is_some_and(|replay| replay.topics.add_again(&topic));
        if replayed || self.caught_up.add_again(&topic) {
            return Ok(());
        }
        if self.memory() + memory_of(&topic) > MAX_TOPICS {
            return Err(LinkError::Topics);
        }
        self.last_waiting = Instant::now();
        if self.waiting.is_empty() {
            self.first_waiting = self.last_waiting;
        }
        self.waiting_memory += memory_of(&topic);
        self.waiting.push(topic);
        Ok(())
    }

    /// Returns about how many bytes of memory all topics take.
    fn memory(&self) -> usize {
        let replay = self.replay.as_ref();
        let replayed = replay.map_or(0, |replay| replay.topics.memory());
        self.waiting_memory + replayed + self.caught_up.memory()
    }

    fn remove(&mut self, topic: &[u8]) {
        if let Some(index) = self.waiting.iter().position(|waiting| waiting == topic) {
            self.waiting_memory -= memory_of(&self.waiting.swap_remove(index));
        } else if !self.caught_up.remove(topic)
            && let Some(replay) = &mut self.replay
        {
            replay.topics.remove(topic);
        }
    }

    /// Sends what there is to send, up to a quantum.
    pub(crate) fn turn(&mut self, tail: &Tail, link: &mut dyn Link) -> Result<Turn, TurnError> {
        let mut sent = 0;
        while sent < QUANTUM {
            if self.outgoing.is_empty() {
                match self.find(tail)? {
                    Step::Found => {}
                    Step::Skipped => return Ok(Turn::More),
                    Step::Head | Step::Stop => return Ok(self.rest()),
                }
            }
            sent += self.outgoing.len();
            if !self.outgoing.send(link)? {
                return Ok(Turn::Full);
            }
        }
        Ok(Turn::More)
    }

    fn rest(&self) -> Turn {
        if self.waiting.is_empty() {
            Turn::Idle
        } else {
            Turn::Quiet(self.until_replay())
        }
    }

    fn until_replay(&self) -> Duration {
        let due = (self.last_waiting + QUIET).min(self.first_waiting + PATIENCE);
        due.saturating_duration_since(Instant::now())
    }

    /// Lets the cursor whose turn it is choose what is sent next.
    fn find(&mut self, tail: &Tail) -> Result<Step, Lost> {
        if self.replay.is_none() && !self.waiting.is_empty() && self.until_replay().is_zero() {
            self.start_replay(tail)?;
        }
        let (caught_up, out) = (&self.caught_up, &mut self.outgoing);
        if let Some(replay) = &mut self.replay {
            let wanted = Wanted {
                topics: &replay.topics,
                without: Some(caught_up),
            };
            let step = replay.cursor.fill(tail, replay.until, wanted, out)?;
            if matches!(step, Step::Head | Step::Stop) {
                self.end_replay();
                return Ok(Step::Skipped);
            }
            return Ok(step);
        }
        if caught_up.is_empty() {
            return Ok(Step::Head);
        }
        let wanted = Wanted {
            topics: caught_up,
            without: None,
        };
        self.live.fill(tail, u64::MAX, wanted, out)
    }

    fn start_replay(&mut self, tail: &Tail) -> Result<(), Lost> {
        if self.caught_up.is_empty() {
            self.live = Cursor::at_head(tail);
        }
        let until = self.live.number();
        let (cursor, first) = Cursor::at_window(tail, self.history)?;
        // A subscriber that is far behind gets there with `live`.
        let since = first.min(until + 1);
        let mut topics = Topics::default();
        self.waiting_memory = 0;
        for topic in self.waiting.drain(..) {
            topics.add(topic, since);
        }
        self.replay = Some(Replay {
            topics,
            cursor,
            until,
        });
        Ok(())
    }

    fn end_replay(&mut self) {
        if let Some(replay) = self.replay.take() {
            self.caught_up.absorb(replay.topics);
        }
    }

    /// Returns the number of the last message that was sent or passed over, or
    /// somewhat more while the connection is full.
    pub(crate) fn position(&self) -> u64 {
        let replay = self.replay.as_ref().map(|replay| replay.cursor.number());
        let number = replay.unwrap_or_else(|| self.live.number());
        number.saturating_sub(self.outgoing.len() as u64)
    }

    /// Tells whether everything that is committed was handed to the link.
    pub(crate) fn is_up_to_date(&self, tail: &Tail) -> bool {
        let sent = self.outgoing.is_empty();
        let nothing_under_way = sent && self.replay.is_none() && self.waiting.is_empty();
        nothing_under_way && (self.caught_up.is_empty() || self.live.is_at_head(tail))
    }
}

/// Why a subscriber can be served no longer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error(transparent)]
    Lost(#[from] Lost),
    #[error(transparent)]
    Link(#[from] LinkError),
}

#[cfg(test)]
mod tests;

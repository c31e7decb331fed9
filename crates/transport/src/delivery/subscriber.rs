//! One subscriber: what it wants, what it has, what it gets next.
//!
//! Replay and live delivery are the same act, done by two cursors: `live`
//! walks with the topics that are caught up, and a replay brings new topics
//! there. While a replay runs, `live` waits where it is.
//!
//! A replay brings no message that `live` has passed for another topic. So a
//! topic that is dropped while a wider one waits for its replay stays until that
//! is over: the subscriber wants its messages without a break, and once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock;
use crate::delivery::{
    Cursor, Link, LinkError, MAX_TOPICS, Outgoing, Step, Subscription, Topics, Wanted, memory_of,
};
use crate::segment::Lost;
use crate::tail::{SessionOffset, Tail};

/// After this long without another one, new subscriptions are replayed. A
/// client sends those that it has when it connects one by one; replayed each
/// for itself, their messages would not come in the journal's order.
const QUIET: Duration = Duration::from_millis(10);
/// How long a client that keeps subscribing is waited for at most.
const PATIENCE: Duration = Duration::from_millis(200);
#[cfg(test)]
const FOREVER: Duration = Duration::from_secs(3600);
/// How many bytes are sent before the connection is looked after again.
const QUANTUM: usize = 1 << 20;

/// The state of one subscriber's delivery.
#[derive(Debug)]
pub(crate) struct Subscriber {
    /// Topics that are caught up, and the cursor that serves them. It is given
    /// up when there are none and none are being replayed, and only then does
    /// the next one begin at the committed end.
    caught_up: Topics,
    live: Option<Cursor>,
    replay: Option<Replay>,
    /// Topics that wait for their replay.
    waiting: Topics,
    first_waiting: Instant,
    last_waiting: Instant,
    /// Where the committed end was when the first of them came: what is recorded
    /// from then on is not missed, however short the history is.
    asked: Option<Cursor>,
    /// Messages that a cursor has passed and that are not sent yet.
    outgoing: Outgoing,
    history: u64,
}

/// The history of topics that were subscribed to a moment ago.
#[derive(Debug)]
struct Replay {
    topics: Topics,
    cursor: Cursor,
    /// Where `live` stands: a place, since the record before it may be one that
    /// nobody can read.
    until: SessionOffset,
}

/// How a turn ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There is more to do.
    More,
    /// All that is committed was sent.
    Idle,
    /// Subscriptions have just come in; look again after this time.
    Quiet(Duration),
    /// The connection takes no more at the moment.
    Full,
}

impl Subscriber {
    pub(crate) fn new(history: u64) -> Self {
        let now = clock::now();
        Self {
            caught_up: Topics::default(),
            live: None,
            replay: None,
            waiting: Topics::default(),
            first_waiting: now,
            last_waiting: now,
            asked: None,
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

    /// A topic whose messages come already, for itself or for a wider one, has
    /// nothing to be replayed: what that one has brought and will bring is its own.
    fn add(&mut self, topic: Arc<[u8]>) -> Result<(), LinkError> {
        let known = |topics: &Topics| topics.contains(&topic);
        let replayed = self.replay.as_ref().map(|replay| &replay.topics);
        let again = known(&self.caught_up) || known(&self.waiting) || replayed.is_some_and(known);
        if !again && self.memory() + memory_of(&topic) > MAX_TOPICS {
            return Err(LinkError::Topics);
        }
        if self.caught_up.matches(&topic) {
            self.caught_up.add(topic);
        } else if let Some(replay) = &mut self.replay
            && replay.topics.matches(&topic)
        {
            replay.topics.add(topic);
        } else if !self.waiting.contains(&topic) {
            self.last_waiting = clock::now();
            if self.waiting.is_empty() {
                self.first_waiting = self.last_waiting;
            }
            self.waiting.add(topic);
        }
        Ok(())
    }

    /// Returns about how many bytes of memory all topics take.
    fn memory(&self) -> usize {
        let replay = self.replay.as_ref();
        let replayed = replay.map_or(0, |replay| replay.topics.memory());
        self.waiting.memory() + replayed + self.caught_up.memory()
    }

    fn remove(&mut self, topic: &[u8]) {
        if !self.waiting.remove(topic) {
            let waiting = &self.waiting;
            let replayed = self.replay.as_mut().map(|replay| &mut replay.topics);
            let mut pending = waiting.matches(topic);
            let topics = match replayed {
                Some(replayed) if !self.caught_up.contains(topic) => replayed,
                replayed => {
                    pending |= replayed.is_some_and(|replayed| replayed.matches(topic));
                    &mut self.caught_up
                }
            };
            // The wider topic's replay leaves out what came for this one.
            if pending {
                topics.leave(topic);
            } else {
                topics.remove(topic);
            }
        }
        self.settle();
    }

    /// Gives up what nothing needs any more: topics that were left for a wider
    /// one's sake, a replay without topics, a live cursor without any.
    fn settle(&mut self) {
        let waiting = &self.waiting;
        if let Some(Replay { topics, .. }) = &mut self.replay {
            topics.drop_left(|topic| waiting.matches(topic));
        }
        self.replay.take_if(|replay| replay.topics.is_empty());
        let replayed = self.replay.as_ref().map(|replay| &replay.topics);
        self.caught_up.drop_left(|topic| {
            waiting.matches(topic) || replayed.is_some_and(|replayed| replayed.matches(topic))
        });
        if self.caught_up.is_empty() && self.replay.is_none() {
            self.live = None;
        }
    }

    /// Sends what there is to send, up to a quantum.
    pub(crate) fn turn(&mut self, tail: &Tail, link: &mut dyn Link) -> Result<Turn, TurnError> {
        self.note_asked(tail);
        let mut sent = 0;
        while sent < QUANTUM {
            if self.outgoing.is_empty() {
                match self.find(tail)? {
                    Step::Found => {}
                    Step::Skipped => return Ok(Turn::More),
                    Step::Head | Step::Stop => return Ok(self.rest()),
                }
            }
            self.outgoing.refill()?;
            sent += self.outgoing.buffered();
            let is_sent = self.outgoing.send(link)?;
            let left = self.outgoing.take_delivered();
            tail.delivered.add(left.messages, left.bytes);
            if !is_sent {
                return Ok(Turn::Full);
            }
        }
        Ok(Turn::More)
    }

    fn note_asked(&mut self, tail: &Tail) {
        if self.waiting.is_empty() {
            self.asked = None;
        } else if self.asked.is_none() {
            self.asked = Some(Cursor::at_head(tail.head()));
        }
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
        due.saturating_duration_since(clock::now())
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
            let step = replay.cursor.fill(tail, Some(replay.until), wanted, out)?;
            if matches!(step, Step::Head | Step::Stop) {
                self.end_replay();
                return Ok(Step::Skipped);
            }
            return Ok(step);
        }
        let Some(live) = &mut self.live else {
            return Ok(Step::Head);
        };
        let wanted = Wanted {
            topics: caught_up,
            without: None,
        };
        live.fill(tail, None, wanted, out)
    }

    fn start_replay(&mut self, tail: &Tail) -> Result<(), Lost> {
        let (window, head) = Cursor::at_window(tail, self.history)?;
        let asked = self.asked.take();
        let asked = asked.filter(|asked| asked.place() < window.place());
        // A subscriber that is behind the window gets there with `live`.
        let live = self.live.get_or_insert_with(|| Cursor::at_head(head));
        self.replay = Some(Replay {
            topics: std::mem::take(&mut self.waiting),
            cursor: asked.unwrap_or(window),
            until: live.place(),
        });
        Ok(())
    }

    fn end_replay(&mut self) {
        if let Some(replay) = self.replay.take() {
            self.caught_up.absorb(replay.topics);
        }
        self.settle();
    }

    /// Lets the quiet time be over now, or not before this is said again.
    #[cfg(test)]
    fn quiet_is_over(&mut self, over: bool) {
        let now = clock::now();
        let at = if over {
            now.checked_sub(PATIENCE)
        } else {
            now.checked_add(FOREVER)
        };
        (self.first_waiting, self.last_waiting) = (at.unwrap_or(now), at.unwrap_or(now));
    }

    /// Returns the number of the last message that was sent or passed over, or
    /// somewhat more while the connection is full; `None` where nothing is
    /// subscribed to.
    pub(crate) fn position(&self) -> Option<u64> {
        let replay = self.replay.as_ref().map(|replay| &replay.cursor);
        let number = replay.or(self.live.as_ref())?.number();
        Some(number.saturating_sub(self.outgoing.messages()))
    }

    /// Tells whether everything that is committed was handed to the link.
    pub(crate) fn is_up_to_date(&self, tail: &Tail) -> bool {
        let sent = self.outgoing.is_empty();
        let nothing_under_way = sent && self.replay.is_none() && self.waiting.is_empty();
        let live = self.live.as_ref();
        nothing_under_way && live.is_none_or(|live| live.is_at_head(tail))
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
mod model;
#[cfg(test)]
#[cfg(unix)]
mod properties;
#[cfg(test)]
mod reaching_back;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(unix)]
mod world;

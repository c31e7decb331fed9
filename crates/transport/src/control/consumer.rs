//! One consumer's thread: reads the journal, keeps what matches, keeps the pace.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use journal::Missing;
use journal::raw::checksum;
use message::{Frames, Record};
use protocol::{Consume, Ended, Failure, Filter, From, Id, Kind, Word};

use super::begin::{BeginContext, begin, recorded, unreadable};
use super::events::{ControlEvents, Event};
use super::feed::{Feed, Out, Room};
use super::positions::Position;
use super::walk::{Step, Walker};
use crate::clock;
use crate::health::Health;
use crate::keys::Member;
use crate::net::{Events, Item, Sleeper, poll};
use crate::tail::Listening;
use crate::tail::Tail;
use crate::worker::{Next, Worker};

/// How long a consumer that has nothing to do sleeps at most.
const IDLE: Duration = Duration::from_secs(60);

/// What a consumer works with.
pub(super) struct Consumer {
    pub(super) handle: u64,
    /// The id of the request that began it.
    pub(super) id: Id,
    pub(super) request: Consume,
    /// Who asks, where a key is needed: it may have rights to some topics only.
    pub(super) member: Option<Arc<Member>>,
    /// The position that is kept for its name.
    pub(super) kept: Option<Position>,
    pub(super) dir: PathBuf,
    /// The numbers that the journal's files lack.
    pub(super) missing: Arc<[Missing]>,
    pub(super) tail: Arc<Tail>,
    pub(super) health: Arc<Health>,
    pub(super) feed: Arc<Feed>,
    pub(super) events: Arc<ControlEvents>,
}

/// A consumer's thread.
pub(super) struct Reading {
    consumer: Consumer,
    stage: Stage,
    sleeper: Sleeper,
    /// It is told of new records.
    _listening: Listening,
}

/// How far a consumer's thread is.
enum Stage {
    /// The journal was not looked at yet.
    New,
    Walking(Box<Walk>),
    Over,
}

/// A walk through the journal.
struct Walk {
    walker: Walker,
    /// The last number that is wanted.
    until: u64,
    pace: Option<Pace>,
    /// When the record that the walker stands at may be sent.
    due: Option<Instant>,
}

/// Keeps the pace of a rehearsal.
struct Pace {
    times: f64,
    /// When the first message was recorded, and when it was sent again.
    start: Option<(Timestamp, Instant)>,
}

/// Why a consumer's thread ends.
enum End {
    /// All that it was asked for is there.
    Head,
    /// Nobody wants it any more.
    Closed,
    Failed(Failure),
}

impl Worker for Reading {
    fn turn(&mut self) -> Next {
        let walk = match &mut self.stage {
            Stage::New => self.consumer.start().map(|walk| {
                self.stage = Stage::Walking(Box::new(walk));
                Next::More
            }),
            Stage::Walking(walk) => self.consumer.advance(walk),
            Stage::Over => return Next::Done,
        };
        walk.unwrap_or_else(|end| {
            self.stage = Stage::Over;
            self.consumer.end(end);
            Next::Done
        })
    }

    fn wait(&mut self) {
        let Stage::Walking(walk) = &self.stage else {
            return;
        };
        self.sleeper.about_to_sleep();
        // What came before the announcement has woken nobody.
        if let Some(most) = self.consumer.nothing_to_do(walk) {
            let mut items = [Item::new(&self.sleeper, Events::READ)];
            if let Err(error) = poll(&mut items, Some(most)) {
                log::debug!("polling for a consumer: {error}");
            }
        }
        self.sleeper.awake();
    }
}

impl Reading {
    pub(super) fn new(consumer: Consumer, sleeper: Sleeper) -> Self {
        let listening = Listening::new(&consumer.tail, sleeper.waker());
        Self {
            consumer,
            stage: Stage::New,
            sleeper,
            _listening: listening,
        }
    }
}

impl Consumer {
    /// Says where reading begins, and begins.
    fn start(&self) -> Result<Walk, End> {
        let until = match self.request.follow {
            true => u64::MAX,
            false => self.tail.current().next.saturating_sub(1),
        };
        let after = self.begin().map_err(End::Failed)?;
        self.feed.note(after);
        self.push(Out::Started(after));
        let start = None;
        Ok(Walk {
            walker: Walker::after(after, &self.dir, &self.tail, &self.health),
            until,
            pace: self.request.pace.map(|times| Pace { times, start }),
            due: None,
        })
    }

    /// Goes to the next record and sends it, if it is wanted.
    fn advance(&self, walk: &mut Walk) -> Result<Next, End> {
        match self.feed.room() {
            Room::Closed => return Err(End::Closed),
            Room::Wait => return Ok(Next::Idle),
            Room::Go => {}
        }
        if let Some(due) = walk.due {
            if clock::now() < due {
                return Ok(Next::Idle);
            }
            walk.due = None;
            self.send(walk);
            return Ok(Next::More);
        }
        if walk.walker.number() >= walk.until {
            return Err(End::Head);
        }
        match walk.walker.step() {
            Err(error) => return Err(End::Failed(unreadable(&error))),
            Ok(Step::Skipped) => self.feed.note(walk.walker.number()),
            Ok(Step::Head) if !self.request.follow => return Err(End::Head),
            Ok(Step::Head) => return Ok(Next::Idle),
            Ok(Step::Record) if walk.walker.number() > walk.until => return Err(End::Head),
            Ok(Step::Record) => {
                walk.due = self.due(walk);
                if walk.due.is_none() {
                    self.send(walk);
                }
            }
        }
        Ok(Next::More)
    }

    /// Returns when the walker's record is due, where that is not now.
    fn due(&self, walk: &mut Walk) -> Option<Instant> {
        let pace = walk.pace.as_mut()?;
        let record = Record::parse(walk.walker.record()).ok()?;
        if !matches(&self.request.filter, &record) {
            return None;
        }
        pace.due(&record).filter(|due| *due > clock::now())
    }

    /// Returns for how long there is nothing to do, unless somebody says so.
    fn nothing_to_do(&self, walk: &Walk) -> Option<Duration> {
        match self.feed.room() {
            Room::Closed => None,
            Room::Wait => Some(IDLE),
            Room::Go => match walk.due {
                Some(due) => Some(due.saturating_duration_since(clock::now()).min(IDLE)),
                None => walk.walker.is_at_head().then_some(IDLE),
            },
        }
    }

    fn end(&self, end: End) {
        match end {
            End::Closed => {}
            End::Head => {
                let position = self.feed.position();
                self.push(Out::Ended {
                    header: ended(&self.id, self.handle, Ended::Head, position),
                });
            }
            End::Failed(refusal) => self.push(Out::Refused(refusal)),
        }
    }

    fn begin(&self) -> Result<u64, Failure> {
        let (start, after) = (From::Word(Word::Start), From::Word(Word::After));
        let initial = self.request.initial.as_ref().unwrap_or(&start);
        let from = match self.request.from.as_ref().unwrap_or(&after) {
            From::Word(Word::After) if self.kept.is_none() => initial,
            from => from,
        };
        let place = BeginContext {
            dir: &self.dir,
            tail: &self.tail,
            missing: &self.missing,
        };
        begin(from, self.kept.as_ref(), &place)
    }

    /// Sends the walker's record, if it is wanted.
    fn send(&self, walk: &mut Walk) {
        let walker = &mut walk.walker;
        match self.message(walker) {
            Message::Wanted(out) => self.push(out),
            Message::Unwanted => {}
            Message::Unreadable => walker.skip_unreadable(),
        }
        self.feed.note(walker.number());
    }

    /// Makes a message of the walker's record.
    fn message(&self, walker: &mut Walker) -> Message {
        let record = match Record::parse(walker.record()) {
            Ok(record) => record,
            Err(error) => {
                let number = walker.number();
                log::debug!("a consumer passed over message {number}: {error}");
                return Message::Unreadable;
            }
        };
        if !matches(&self.request.filter, &record) {
            return Message::Unwanted;
        }
        let Some(frames) = self.frames(&record, walker.record()) else {
            return Message::Unreadable;
        };
        if !self.may_get(&record, &frames) {
            return Message::Unwanted;
        }
        let recorded_at = record.recorded_at.as_deref().unwrap_or(&record.timestamp);
        let recorded_at = recorded_at.to_owned();
        let checksum = checksum(walker.record()).map(str::to_owned);
        let message = protocol::Message {
            consumer: self.handle,
            message_num: walker.number(),
            recorded_at,
            gap: walker.take_gap(),
        };
        Message::Wanted(Out::Message {
            number: walker.number(),
            checksum,
            header: protocol::answer(Kind::Message, &self.id, &message),
            frames,
        })
    }

    /// Returns what is sent of a record; `None` where its frames can't be rebuilt.
    fn frames(&self, record: &Record<'_>, line: &[u8]) -> Option<Frames> {
        if self.request.lines {
            return Some(Frames::from_iter([line]));
        }
        record.frames().ok().filter(|frames| !frames.is_empty())
    }

    /// Tells whether the client's key has a right to a record of which this is sent.
    fn may_get(&self, record: &Record<'_>, sent: &Frames) -> bool {
        let Some(member) = &self.member else {
            return true;
        };
        if !self.request.lines {
            return member.rights.covers(sent.get(0).unwrap_or_default());
        }
        match record.frames() {
            Ok(frames) => member.rights.covers(frames.get(0).unwrap_or_default()),
            Err(_) => member.rights.covers(record.topic.as_bytes()),
        }
    }

    fn push(&self, out: Out) {
        if self.feed.push(out) {
            self.events.post(Event::Ready(self.handle));
        }
    }
}

/// What a record is to a consumer.
enum Message {
    Wanted(Out),
    Unwanted,
    /// It has no frames that could be sent.
    Unreadable,
}

impl Pace {
    /// Returns when a record is due; one whose clock went back is due at once.
    fn due(&mut self, record: &Record<'_>) -> Option<Instant> {
        let time = recorded(record)?;
        let (first, start) = *self.start.get_or_insert_with(|| (time, clock::now()));
        let passed = time.duration_since(first).as_secs_f64().max(0.0) / self.times;
        start.checked_add(Duration::try_from_secs_f64(passed).ok()?)
    }
}

/// Returns the header of a consumer's last message.
pub(super) fn ended(id: &Id, handle: u64, reason: Ended, position: u64) -> String {
    let end = protocol::End {
        consumer: handle,
        reason,
        message_num: position,
    };
    protocol::answer(Kind::End, id, &end)
}

fn matches(filter: &Filter, record: &Record<'_>) -> bool {
    let Filter {
        topic,
        sender,
        tier,
        chain,
        tag,
    } = filter;
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
    topic
        .as_deref()
        .is_none_or(|topic| record.topic.starts_with(topic))
        && is(sender, &record.sender)
        && is(tier, &record.tier)
        && is(chain, &record.chain_type)
        && tag
            .as_deref()
            .is_none_or(|tag| record.shl_tags.iter().any(|found| found == tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_filter_has_to_hold() {
        let line = br#"{"topic":"design.review","sender":"a","tier":"A","chain_type":"c","shl_tags":["x","y"],"content":1}"#;
        let record = Record::parse(line).unwrap();
        let check =
            |filter: serde_json::Value| matches(&serde_json::from_value(filter).unwrap(), &record);
        assert!(check(serde_json::json!({})));
        assert!(check(serde_json::json!({
            "topic": "design", "sender": "a", "tier": "A", "chain": "c", "tag": "y",
        })));
        for wrong in [
            serde_json::json!({"topic": "review"}),
            serde_json::json!({"sender": "A"}),
            serde_json::json!({"tier": "E"}),
            serde_json::json!({"chain": ""}),
            serde_json::json!({"tag": "z"}),
            serde_json::json!({"topic": "design", "tag": "z"}),
        ] {
            assert!(!check(wrong.clone()), "{wrong}");
        }
    }

    #[test]
    fn a_rehearsal_is_as_many_times_as_fast_and_never_waits_for_a_clock_set_back() {
        let mut pace = Pace {
            times: 10.0,
            start: None,
        };
        let due = |pace: &mut Pace, time: &str| {
            let line = format!("{{\"topic\":\"t\",\"content\":1,\"recorded_at\":\"{time}\"}}");
            pace.due(&Record::parse(line.as_bytes()).unwrap()).unwrap()
        };
        let start = due(&mut pace, "2025-11-20T04:30:00Z");
        let later = due(&mut pace, "2025-11-20T04:30:20Z");
        assert_eq!(later - start, Duration::from_secs(2));
        assert_eq!(due(&mut pace, "2025-11-20T04:00:00Z"), start);
    }
}

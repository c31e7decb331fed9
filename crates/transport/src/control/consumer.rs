//! One consumer's thread: reads the journal, keeps what matches, keeps the pace.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use journal::{Missing, checksum};
use message::Record;
use serde_json::{Map, Value};
use zmq::PollItem;

use super::begin::{Place, begin, recorded, unreadable};
use super::feed::{Feed, Out, Room};
use super::mail::{Mail, Mailbox};
use super::positions::Position;
use super::refusal::Refusal;
use super::request::{Consume, Filter, From};
use super::walk::{Step, Walker};
use crate::health::Health;
use crate::tail::Tail;
use crate::waker::Sleeper;

/// A consumer that has nothing to do wakes up so often at the latest.
const IDLE: Duration = Duration::from_secs(60);

/// What a consumer's thread works with.
pub(super) struct Consumer {
    pub(super) handle: u64,
    /// The id of the request that began it.
    pub(super) id: Value,
    pub(super) request: Consume,
    /// The position that is kept for its name.
    pub(super) kept: Option<Position>,
    pub(super) dir: PathBuf,
    /// The numbers that the journal's files lack.
    pub(super) missing: Arc<[Missing]>,
    pub(super) tail: Arc<Tail>,
    pub(super) health: Arc<Health>,
    pub(super) feed: Arc<Feed>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) sleeper: Sleeper,
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
    Failed(Refusal),
}

impl Consumer {
    /// Reads and sends until the end.
    pub(super) fn run(mut self) {
        let tail = Arc::clone(&self.tail);
        let listening = tail.listeners.add(self.sleeper.waker());
        let end = self.serve();
        drop(listening);
        match end {
            End::Closed => {}
            End::Head => {
                let position = self.feed.position();
                self.push(Out::Ended {
                    header: ended(&self.id, self.handle, "head", position),
                });
            }
            End::Failed(refusal) => self.push(Out::Refused(refusal)),
        }
    }

    fn serve(&mut self) -> End {
        let until = match self.request.follow {
            true => u64::MAX,
            false => self.tail.current().next.saturating_sub(1),
        };
        let after = match self.begin() {
            Ok(after) => after,
            Err(refusal) => return End::Failed(refusal),
        };
        self.feed.note(after);
        self.push(Out::Started(after));
        let mut walker = Walker::after(after, &self.dir, &self.tail, &self.health);
        let mut pace = self.request.pace.map(|times| Pace { times, start: None });
        loop {
            match self.feed.room() {
                Room::Closed => return End::Closed,
                Room::Wait => self.wait(IDLE, |feed, _| feed.room() == Room::Wait, &walker),
                Room::Go if walker.number() >= until => return End::Head,
                Room::Go => match walker.step() {
                    Err(error) => return End::Failed(unreadable(&error)),
                    Ok(Step::Skipped) => self.feed.note(walker.number()),
                    Ok(Step::Head) if !self.request.follow => return End::Head,
                    Ok(Step::Head) => self.wait(
                        IDLE,
                        |feed, walker| feed.room() == Room::Go && walker.is_at_head(),
                        &walker,
                    ),
                    Ok(Step::Record) if walker.number() > until => return End::Head,
                    Ok(Step::Record) => {
                        if !self.send(&mut walker, pace.as_mut()) {
                            return End::Closed;
                        }
                        self.feed.note(walker.number());
                    }
                },
            }
        }
    }

    fn begin(&self) -> Result<u64, Refusal> {
        let start = From::Word("start".to_owned());
        let after = From::Word("after".to_owned());
        let initial = self.request.initial.as_ref().unwrap_or(&start);
        let from = match self.request.from.as_ref().unwrap_or(&after) {
            From::Word(word) if word == "after" && self.kept.is_none() => initial,
            from => from,
        };
        let place = Place {
            dir: &self.dir,
            tail: &self.tail,
            missing: &self.missing,
        };
        begin(from, self.kept.as_ref(), &place)
    }

    /// Sends the walker's record if it is wanted; false when the consumer is
    /// not wanted any more.
    fn send(&mut self, walker: &mut Walker, pace: Option<&mut Pace>) -> bool {
        let record = match Record::parse(walker.record()) {
            Ok(record) => record,
            Err(error) => {
                log::debug!(
                    "a consumer passed over message {}: {error}",
                    walker.number()
                );
                walker.skip_unreadable();
                return true;
            }
        };
        if !matches(&self.request.filter, &record) {
            return true;
        }
        let frames = match record.frames() {
            Ok(frames) if !frames.is_empty() => frames,
            _ => {
                drop(record);
                walker.skip_unreadable();
                return true;
            }
        };
        let topic = frames.get(0).unwrap_or_default();
        let member = self.request.member.as_ref();
        if member.is_some_and(|member| !member.rights.covers(topic)) {
            return true;
        }
        let recorded_at = record.recorded_at.as_deref().unwrap_or(&record.timestamp);
        let mut header = Map::new();
        header.insert("type".to_owned(), "message".into());
        header.insert("id".to_owned(), self.id.clone());
        header.insert("consumer".to_owned(), self.handle.into());
        header.insert("message_num".to_owned(), walker.number().into());
        header.insert("recorded_at".to_owned(), recorded_at.into());
        let due = pace.and_then(|pace| pace.due(&record));
        if due.is_some_and(|due| !self.wait_until(due)) {
            return false;
        }
        let gap = walker.take_gap();
        if gap > 0 {
            header.insert("gap".to_owned(), gap.into());
        }
        self.push(Out::Message {
            number: walker.number(),
            checksum: checksum(walker.record()).map(str::to_owned),
            header: Value::Object(header).to_string(),
            frames,
        });
        true
    }

    fn push(&self, out: Out) {
        if self.feed.push(out) {
            self.mailbox.post(Mail::Ready(self.handle));
        }
    }

    /// Waits while a condition holds, for at most so long.
    fn wait(&mut self, most: Duration, holds: impl Fn(&Feed, &Walker) -> bool, walker: &Walker) {
        self.sleeper.about_to_sleep();
        // What came before the announcement has woken nobody.
        if holds(&self.feed, walker) {
            self.poll(most);
        }
        self.sleeper.awake();
    }

    /// Waits for a moment to come; false when the consumer is not wanted any more.
    fn wait_until(&mut self, due: Instant) -> bool {
        loop {
            self.sleeper.about_to_sleep();
            let left = due.saturating_duration_since(Instant::now());
            let closed = self.feed.room() == Room::Closed;
            if !closed && !left.is_zero() {
                self.poll(left.min(IDLE));
            }
            self.sleeper.awake();
            if closed || left.is_zero() {
                return !closed;
            }
        }
    }

    fn poll(&self, most: Duration) {
        let mut items = [PollItem::from_fd(self.sleeper.fd(), zmq::POLLIN)];
        // A wait is over at its end, not a millisecond before it.
        let timeout = i64::try_from(most.as_millis()).unwrap_or(i64::MAX) + 1;
        if let Err(error) = zmq::poll(&mut items, timeout) {
            log::debug!("polling for a consumer: {error}");
        }
    }
}

impl Pace {
    /// Returns when a record is due; one whose clock went back is due at once.
    fn due(&mut self, record: &Record<'_>) -> Option<Instant> {
        let time = recorded(record)?;
        let (first, start) = *self.start.get_or_insert_with(|| (time, Instant::now()));
        let passed = time.duration_since(first).as_secs_f64().max(0.0) / self.times;
        start.checked_add(Duration::try_from_secs_f64(passed).ok()?)
    }
}

/// Returns the header of a consumer's last message.
pub(super) fn ended(id: &Value, handle: u64, reason: &str, position: u64) -> String {
    let header = serde_json::json!({
        "type": "end", "id": id, "consumer": handle, "reason": reason, "message_num": position,
    });
    header.to_string()
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
        let check = |filter: Value| matches(&serde_json::from_value(filter).unwrap(), &record);
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

//! What status tells, and the replies to what takes a while.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use journal::{Archived, IoError, Missing, Unread};
use serde_json::{Value, json};

use super::limits;
use super::positions::{Order, What};
use super::refusal::{Refusal, reply};
use crate::delivery::Delivery;
use crate::health::Health;
use crate::intake::Counters;
use crate::net::{Visitors, described};
use crate::platform::room;
use crate::tail::Tail;

/// So many topics of a subscriber are listed.
const TOPICS: usize = 20;
/// So many peers of each port are listed.
pub(super) const LISTED: usize = 500;

/// Where status looks.
pub(crate) struct Facts {
    pub(crate) dir: PathBuf,
    pub(crate) tail: Arc<Tail>,
    pub(crate) health: Arc<Health>,
    pub(crate) counters: Arc<Counters>,
    /// Who is connected to the publishers' port.
    pub(crate) publishers: Arc<Visitors>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) recorded: Arc<AtomicU64>,
    /// Stretches of damage, and altered records, that opening found.
    pub(crate) damaged: u64,
    pub(crate) altered: u64,
    /// The journal's identity.
    pub(crate) journal: String,
    /// The numbers that the journal's files lack, and the files that are not read.
    pub(crate) missing: Arc<[Missing]>,
    pub(crate) unread: Vec<Unread>,
    pub(crate) max_message: u64,
    pub(crate) dedupe_window: u64,
    /// Seconds.
    pub(crate) consumer_timeout: u64,
    pub(crate) pub_port: u16,
    pub(crate) sub_port: u16,
    pub(crate) started: Instant,
}

impl Facts {
    /// What a client is told first.
    pub(super) fn hello(&self) -> Value {
        json!({
            "protocol": limits::PROTOCOL,
            "protocols": [limits::PROTOCOL],
            "broker": env!("CARGO_PKG_VERSION"),
            "limits": {
                "header_bytes": limits::HEADER,
                "id_bytes": limits::ID,
                "message_bytes": self.max_message,
                "in_flight": limits::IN_FLIGHT,
                "consumers": limits::CONSUMERS,
                "names": limits::NAMES,
                "name_bytes": limits::NAME,
                "credit": limits::CREDIT,
                "window_bytes": limits::WINDOW,
                "dedupe_window": self.dedupe_window,
                "consumer_timeout_seconds": self.consumer_timeout,
            },
        })
    }

    pub(super) fn status(
        &self,
        publishing: Value,
        consumers: Value,
        clients: Value,
        refused: u64,
    ) -> Value {
        let current = self.tail.current();
        let last = current.next.saturating_sub(1);
        let stall = self.health.stall();
        let path = std::path::absolute(&current.path).unwrap_or(current.path);
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": limits::PROTOCOL,
            "pid": std::process::id(),
            "uptime_seconds": crate::clock::now().duration_since(self.started).as_secs(),
            "time": &*message::format_time(SystemTime::now()),
            "ports": {"publish": self.pub_port, "subscribe": self.sub_port},
            "recording": stall.is_none(),
            "stalled": stall.map(|stall| json!({
                "reason": stall.reason, "since": &*message::format_time(stall.since),
            })),
            "session": {
                "file": path.display().to_string(),
                "first": current.first,
                "messages": current.next - current.first.min(current.next),
                "bytes": current.bytes,
            },
            "last_message_num": last,
            "journal": self.journal,
            "missing": self.missing.iter().map(|one| json!({
                "first": one.first, "last": one.last, "there": one.there, "since": one.since,
            })).collect::<Vec<Value>>(),
            "unread": self.unread.iter().map(|one| json!({
                "name": one.name, "reason": one.reason.to_string(),
            })).collect::<Vec<Value>>(),
            "recorded": {
                "messages": self.recorded.load(Ordering::Relaxed), "bytes": self.health.bytes(),
            },
            "commits": self.health.percentiles(),
            "last_commit_age_ms": self.health.last_commit().map(|age| {
                u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
            }),
            "refused": {
                "messages": self.counters.refused.load(Ordering::Relaxed),
                "disconnected": self.counters.disconnected.load(Ordering::Relaxed),
                "requests": refused,
                "strangers": self.counters.strangers.count(),
            },
            "damage": {
                "at_start": self.damaged, "altered_at_start": self.altered,
                "passed_over": self.health.damage(),
            },
            "disk_room_bytes": room(&self.dir),
            "publishing": publishing,
            "publishers": self.publishers.list(LISTED),
            "subscribers": self.subscribers(last),
            "clients": clients,
            "consumers": consumers,
        })
    }

    fn subscribers(&self, last: u64) -> Value {
        let all = self.delivery.registry.list();
        let list: Vec<Value> = all
            .iter()
            .take(LISTED)
            .map(|entry| {
                let (topics, count) = entry.topics(TOPICS);
                let position = entry.position.load(Ordering::Relaxed);
                // Who wants nothing is not behind.
                let lag = if count == 0 {
                    0
                } else {
                    last.saturating_sub(position)
                };
                let mut described = described(&entry.introduction);
                let members = json!({
                    "peer": entry.peer, "topics": topics, "topic_count": count,
                    "position": position, "lag": lag,
                });
                if let (Value::Object(all), Value::Object(more)) = (&mut described, members) {
                    all.extend(more);
                }
                described
            })
            .collect();
        json!({"count": all.len(), "list": list})
    }
}

/// The reply to an acknowledged position, or to a name that is to be forgotten.
pub(super) fn positions(order: &Order, result: &Result<(), String>) -> String {
    let Order { id, name, what, .. } = order;
    match (what, result) {
        (What::Keep(position), Ok(())) => {
            reply(id, json!({"name": name, "message_num": position.number}))
        }
        (What::Keep(_), Err(reason)) => {
            let message = format!("the position of {name} could not be stored: {reason}");
            Refusal::new("not_stored", message).reply(id)
        }
        (What::Forget { there }, Ok(())) => reply(id, json!({"name": name, "forgotten": there})),
        (What::Forget { .. }, Err(reason)) => {
            Refusal::new("io", format!("{name} can't be forgotten: {reason}")).reply(id)
        }
    }
}

/// The reply to an archive request.
pub(super) fn archived(id: &Value, result: Result<Option<Archived>, IoError>) -> String {
    match result {
        Ok(Some(archived)) => {
            let members = json!({
                "archive": archived.name, "messages": archived.records, "bytes": archived.bytes,
            });
            reply(id, members)
        }
        Ok(None) => reply(id, json!({"archive": null, "messages": 0, "bytes": 0})),
        Err(error) => {
            let message = format!("{error}: {}; the session goes on", error.source);
            Refusal::new("io", message).reply(id)
        }
    }
}

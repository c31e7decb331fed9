//! What status tells, and the replies to what takes a while.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use journal::{Archived, IoError, Missing, Unread};
use protocol::{
    Acknowledged, Failure, Forgotten, Greeting, Id, Peers, Status, Subscriber, Subscribers,
};
use protocol::{code, reply};

use super::limits;
use super::positions::{Order, What};
use crate::config::IpcPaths;
use crate::delivery::{Delivery, SubscriberInfo};
use crate::health::Health;
use crate::intake::Counters;
use crate::net::{Visitors, described};
use crate::platform::room;
use crate::tail::{Current, Tail};

/// How many topics of a subscriber are listed.
const TOPICS: usize = 20;
/// How many peers of each port are listed.
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
    pub(crate) ipc: IpcPaths,
    pub(crate) started: Instant,
}

impl Facts {
    /// What a client is told first.
    pub(super) fn hello(&self, sequence: u64) -> Greeting {
        Greeting {
            protocol: protocol::VERSION,
            protocols: vec![protocol::VERSION],
            broker: env!("CARGO_PKG_VERSION").to_owned(),
            sequence,
            limits: protocol::Limits {
                header_bytes: protocol::MAX_HEADER as u64,
                id_bytes: protocol::MAX_ID as u64,
                message_bytes: self.max_message,
                in_flight: limits::IN_FLIGHT as u64,
                consumers: limits::CONSUMERS as u64,
                names: limits::NAMES as u64,
                name_bytes: limits::NAME as u64,
                credit: limits::CREDIT,
                window_bytes: limits::WINDOW as u64,
                dedupe_window: self.dedupe_window,
                consumer_timeout_seconds: self.consumer_timeout,
            },
        }
    }

    pub(super) fn status(
        &self,
        publishing: protocol::Publishing,
        consumers: Vec<protocol::Consumer>,
        clients: Peers,
        refused: u64,
    ) -> Status {
        let current = self.tail.current();
        let last = current.next.saturating_sub(1);
        let stall = self.health.stall();
        let age = |age: Duration| u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: protocol::VERSION,
            pid: std::process::id(),
            uptime_seconds: crate::clock::now().duration_since(self.started).as_secs(),
            time: message::format_time(SystemTime::now()).to_string(),
            ports: protocol::Ports {
                publish: self.pub_port,
                subscribe: self.sub_port,
            },
            ipc: protocol::Ipc {
                publish: endpoint(self.ipc.publishers.as_deref()),
                subscribe: endpoint(self.ipc.subscribers.as_deref()),
                control: endpoint(self.ipc.requests.as_deref()),
            },
            recording: stall.is_none(),
            stalled: stall.map(|stall| protocol::Stalled {
                reason: stall.reason,
                since: message::format_time(stall.since).to_string(),
            }),
            session: session(current),
            last_message_num: last,
            journal: self.journal.clone(),
            missing: self.missing.iter().map(missing).collect(),
            unread: self.unread.iter().map(unread).collect(),
            recorded: protocol::Recorded {
                messages: self.recorded.load(Ordering::Relaxed),
                bytes: self.health.bytes(),
            },
            commits: self.health.percentiles(),
            last_commit_age_ms: self.health.last_commit().map(age),
            refused: protocol::Refused {
                messages: self.counters.refused.load(Ordering::Relaxed),
                disconnected: self.counters.disconnected.load(Ordering::Relaxed),
                requests: refused,
                strangers: self.counters.strangers.count(),
            },
            damage: protocol::Damage {
                at_start: self.damaged,
                altered_at_start: self.altered,
                passed_over: self.health.damage(),
            },
            disk_room_bytes: room(&self.dir),
            publishing,
            publishers: self.publishers.list(LISTED),
            subscribers: self.subscribers(last),
            clients,
            consumers,
        }
    }

    fn subscribers(&self, last: u64) -> Subscribers {
        let all = self.delivery.registry.list();
        let describe = |entry: &Arc<SubscriberInfo>| {
            let (topics, count) = entry.topics(TOPICS);
            let position = entry.position.load(Ordering::Relaxed);
            // Who wants nothing is not behind.
            let lag = match count {
                0 => 0,
                _ => last.saturating_sub(position),
            };
            Subscriber {
                peer: described(entry.peer.clone(), &entry.introduction),
                topics,
                topic_count: count as u64,
                position,
                lag,
            }
        };
        Subscribers {
            count: all.len() as u64,
            list: all.iter().take(LISTED).map(describe).collect(),
        }
    }
}

/// Where a Unix socket is, as clients write it.
fn endpoint(path: Option<&Path>) -> Option<String> {
    let path = std::path::absolute(path?).ok()?;
    Some(format!("ipc://{}", path.display()))
}

fn session(current: Current) -> protocol::Session {
    let path = std::path::absolute(&current.path).unwrap_or(current.path);
    protocol::Session {
        file: path.display().to_string(),
        first: current.first,
        messages: current.next - current.first.min(current.next),
        bytes: current.bytes,
    }
}

fn missing(one: &Missing) -> protocol::Missing {
    protocol::Missing {
        first: one.first,
        last: one.last,
        there: one.there.clone(),
        since: one.since.clone(),
    }
}

fn unread(one: &Unread) -> protocol::Unread {
    protocol::Unread {
        name: one.name.clone(),
        reason: one.reason.to_string(),
    }
}

/// The reply to an acknowledged position, or to a name that is to be forgotten; `None`
/// where nobody asked.
pub(super) fn positions(order: &Order, result: &Result<(), String>) -> Option<String> {
    let Order { id, name, what, .. } = order;
    Some(match (what, result) {
        (What::Begin(_), Ok(())) => return None,
        (What::Begin(_), Err(reason)) => {
            log::warn!("where the consumer {name} begins could not be stored: {reason}");
            return None;
        }
        (What::Keep(position), Ok(())) => {
            let (name, message_num) = (name.clone(), position.number);
            reply(id, &Acknowledged { name, message_num })
        }
        (What::Keep(_), Err(reason)) => {
            let message = format!("the position of {name} could not be stored: {reason}");
            Failure::new(code::NOT_STORED, message).header(id)
        }
        (What::Forget { there }, Ok(())) => {
            let (name, forgotten) = (name.clone(), *there);
            reply(id, &Forgotten { name, forgotten })
        }
        (What::Forget { .. }, Err(reason)) => {
            Failure::new(code::IO, format!("{name} can't be forgotten: {reason}")).header(id)
        }
    })
}

/// The reply to an archive request.
pub(super) fn archived(id: &Id, result: Result<Option<Archived>, IoError>) -> String {
    match result {
        Ok(archived) => {
            let (messages, bytes) = archived
                .as_ref()
                .map_or((0, 0), |it| (it.records, it.bytes));
            let archived = protocol::Archived {
                archive: archived.map(|archived| archived.name),
                messages,
                bytes,
            };
            reply(id, &archived)
        }
        Err(error) => {
            let message = format!("{error}: {}; the session goes on", error.source);
            Failure::new(code::IO, message).header(id)
        }
    }
}

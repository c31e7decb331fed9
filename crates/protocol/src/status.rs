//! What the broker says of itself.

use serde::{Deserialize, Serialize};

use crate::nullable;

/// The reply to `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The broker's version.
    pub version: String,
    /// The version of the protocol.
    pub protocol: u64,
    /// The broker's process.
    pub pid: u32,
    /// For how long it runs.
    pub uptime_seconds: u64,
    /// Its clock.
    pub time: String,
    /// Where agents connect.
    pub ports: Ports,
    /// Where else.
    pub ipc: Ipc,
    /// Whether messages are recorded at the moment.
    pub recording: bool,
    /// Why not.
    #[serde(deserialize_with = "nullable")]
    pub stalled: Option<Stalled>,
    /// The session being written.
    pub session: Session,
    /// The number of the last message; 0 before the first.
    pub last_message_num: u64,
    /// The journal's identity.
    pub journal: String,
    /// Numbers that the journal's files lacked at the start.
    pub missing: Vec<Missing>,
    /// Files that were not read at the start.
    pub unread: Vec<Unread>,
    /// What was recorded in this run.
    pub recorded: Recorded,
    /// How long that took; `None` before the first.
    #[serde(deserialize_with = "nullable")]
    pub commits: Option<Commits>,
    /// When the last one was; `None` before the first.
    #[serde(deserialize_with = "nullable")]
    pub last_commit_age_ms: Option<u64>,
    /// What was refused.
    pub refused: Refused,
    /// What was found damaged.
    pub damage: Damage,
    /// What can still be written; `None` where the system does not tell.
    #[serde(deserialize_with = "nullable")]
    pub disk_room_bytes: Option<u64>,
    /// Acknowledged publishing.
    pub publishing: Publishing,
    /// Who publishes.
    pub publishers: Peers,
    /// Who subscribes.
    pub subscribers: Subscribers,
    /// Who asks.
    pub clients: Peers,
    /// Consumers, and the positions of those that are away.
    pub consumers: Vec<Consumer>,
}

/// The ports for agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// For publishers.
    pub publish: u16,
    /// For subscribers.
    pub subscribe: u16,
}

/// Unix sockets that are listened on, as endpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipc {
    /// For publishers.
    #[serde(deserialize_with = "nullable")]
    pub publish: Option<String>,
    /// For subscribers.
    #[serde(deserialize_with = "nullable")]
    pub subscribe: Option<String>,
    /// For requests.
    #[serde(deserialize_with = "nullable")]
    pub control: Option<String>,
}

/// Why nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stalled {
    /// What is wrong.
    pub reason: String,
    /// Since when.
    pub since: String,
}

/// The session being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its file.
    pub file: String,
    /// Its first number.
    pub first: u64,
    /// How many messages it holds.
    pub messages: u64,
    /// Its length.
    pub bytes: u64,
}

/// Numbers that the journal's files lack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// When they were known to be there; `None` if the journal never had them.
    #[serde(deserialize_with = "nullable")]
    pub there: Option<String>,
    /// When it was noticed that they are not.
    pub since: String,
}

/// A file that is not read as a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Its name.
    pub name: String,
    /// Why not.
    pub reason: String,
}

/// How much was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// How many messages.
    pub messages: u64,
    /// The bytes of their lines.
    pub bytes: u64,
}

/// How long commits took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commits {
    /// How many there were.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_us: u64,
    /// 90% took no longer.
    pub p90_us: u64,
    /// 99% took no longer.
    pub p99_us: u64,
    /// None took longer.
    pub max_us: u64,
}

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Messages that were too large.
    pub messages: u64,
    /// Publishers that were disconnected for what they sent.
    pub disconnected: u64,
    /// Requests that got an error.
    pub requests: u64,
    /// Sockets of the wrong kind.
    pub strangers: u64,
}

/// What was found damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// Stretches of the current session at the start that are no record.
    pub at_start: u64,
    /// Records of it that were altered.
    pub altered_at_start: u64,
    /// Stretches that consumers passed over since.
    pub passed_over: u64,
}

/// Acknowledged publishing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publishing {
    /// How many requests wait for their reply.
    pub in_flight: u64,
    /// How repetitions are recognised.
    pub dedupe: Dedupe,
}

/// How repetitions are recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dedupe {
    /// Whether they are.
    pub state: DedupeState,
    /// Why not.
    #[serde(deserialize_with = "nullable")]
    pub reason: Option<String>,
    /// How many messages are known.
    pub known: u64,
}

/// Whether repetitions are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DedupeState {
    /// The journal is being read for it.
    Loading,
    /// They are.
    Ready,
    /// The journal can't be read.
    Failed,
    /// Something that this version of the protocol does not know.
    #[serde(other)]
    Unknown,
}

/// Who is connected to a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peers {
    /// How many there are.
    pub count: u64,
    /// Who they are, up to 500 of them.
    pub list: Vec<Peer>,
}

/// Somebody who is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Where the connection comes from.
    pub peer: String,
    /// The type of the socket, where it told one.
    #[serde(deserialize_with = "nullable")]
    pub socket: Option<String>,
    /// The version of ZMTP that it speaks.
    pub protocol: String,
    /// `NULL` or `CURVE`.
    pub mechanism: String,
    /// The name of the key that it has shown.
    #[serde(deserialize_with = "nullable")]
    pub key: Option<String>,
}

/// Who is connected to the subscribers' port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribers {
    /// How many there are.
    pub count: u64,
    /// Who they are, up to 500 of them.
    pub list: Vec<Subscriber>,
}

/// A subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Who it is.
    #[serde(flatten)]
    pub peer: Peer,
    /// What it wants, up to 20 topics.
    pub topics: Vec<String>,
    /// How many topics there are.
    pub topic_count: u64,
    /// The last message that it was sent, or did not want.
    pub position: u64,
    /// How many messages it is behind.
    pub lag: u64,
}

/// A consumer, or the position of one that is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// Its number; `None` where it is away.
    #[serde(deserialize_with = "nullable")]
    pub consumer: Option<u64>,
    /// Its name, where it has one.
    #[serde(deserialize_with = "nullable")]
    pub name: Option<String>,
    /// Whether it is there.
    pub connected: bool,
    /// How far it has come; `None` where its position can't be read.
    #[serde(deserialize_with = "nullable")]
    pub position: Option<u64>,
    /// How many messages it is behind.
    #[serde(deserialize_with = "nullable")]
    pub lag: Option<u64>,
    /// The position that is kept for its name.
    #[serde(deserialize_with = "nullable")]
    pub acked: Option<u64>,
}

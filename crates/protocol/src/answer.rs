//! What the broker answers.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::{code, nullable, present};

/// What every header of the broker begins with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Head {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The request because of which it was sent.
    pub id: Id,
    /// The consumer that it belongs to, where it is about one.
    pub consumer: Option<u64>,
}

/// What a header of the broker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What was asked for is done.
    Reply,
    /// It is not: a [`Failure`].
    Error,
    /// A consumer's [`Message`].
    Message,
    /// A consumer's [`End`].
    End,
    /// Something that this version of the protocol does not know.
    #[serde(other)]
    Unknown,
}

/// Why a header is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct ReadError {
    source: serde_json::Error,
}

/// Reads the header frame of an answer. Members that are not known are ignored.
///
/// # Errors
/// [`ReadError`] where it is no JSON, or a member is missing or of the wrong kind.
pub fn read<T: DeserializeOwned>(header: &[u8]) -> Result<T, ReadError> {
    serde_json::from_slice(header).map_err(|source| ReadError { source })
}

/// Takes what every header has out of one that was read as it is.
pub fn open_envelope(members: &mut serde_json::Map<String, serde_json::Value>) {
    members.remove("type");
    members.remove("id");
}

/// Returns the header frame of an answer of a kind, with these members.
#[must_use]
pub fn answer<T: Serialize>(kind: Kind, id: &Id, members: &T) -> String {
    #[derive(Serialize)]
    struct Header<'a, T> {
        #[serde(rename = "type")]
        kind: Kind,
        id: &'a Id,
        #[serde(flatten)]
        members: &'a T,
    }
    // The types in here can't fail to become JSON.
    serde_json::to_string(&Header { kind, id, members }).unwrap_or_default()
}

/// Returns the header frame of a reply with these members.
#[must_use]
pub fn reply<T: Serialize>(id: &Id, members: &T) -> String {
    answer(Kind::Reply, id, members)
}

/// A reply that has nothing to say but that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

/// The reply to `hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// The version of the protocol that is spoken from now on.
    pub protocol: u64,
    /// All versions that the broker speaks.
    pub protocols: Vec<u64>,
    /// The broker's own version.
    pub broker: String,
    /// The sequence that begins with this reply: see [`Publish`](crate::Publish).
    pub sequence: u64,
    /// What it takes.
    pub limits: Limits,
}

/// How much the broker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The longest header of a request.
    pub header_bytes: u64,
    /// The longest id that is a text.
    pub id_bytes: u64,
    /// The largest message, in bytes of all its frames.
    pub message_bytes: u64,
    /// How many messages may wait for their reply, of all clients together.
    pub in_flight: u64,
    /// How many consumers there may be.
    pub consumers: u64,
    /// How many names positions are kept for.
    pub names: u64,
    /// The longest name.
    pub name_bytes: u64,
    /// How many messages a consumer may have credit for.
    pub credit: u64,
    /// How many bytes may be on their way to a consumer.
    pub window_bytes: u64,
    /// Among how many of the newest messages repetitions are recognised.
    pub dedupe_window: u64,
    /// How long a consumer's client may be silent.
    pub consumer_timeout_seconds: u64,
}

/// The reply to `publish`: the message is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its number.
    pub message_num: u64,
    /// Whether it had been recorded before.
    pub duplicate: bool,
}

/// The reply to `publish` with an origin: the message is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Its number here; `None` where it was recorded before, and others of the same
    /// journal since.
    #[serde(deserialize_with = "nullable")]
    pub message_num: Option<u64>,
    /// Whether it had been recorded before.
    pub duplicate: bool,
}

/// The reply to `origins`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origins {
    /// The other journals, in the order of their identities.
    pub origins: Vec<LastOf>,
}

/// How far another journal's messages were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastOf {
    /// Its identity.
    pub journal: String,
    /// What it was called last.
    pub name: String,
    /// The last message's number there.
    pub message_num: u64,
    /// And here.
    pub recorded_as: u64,
}

/// The reply to `consume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The consumer's number.
    pub consumer: u64,
    /// The number of the message after which it begins.
    pub after: u64,
    /// The identity of the journal that it reads.
    pub journal: String,
}

/// The reply to `credit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credited {
    /// Which consumer.
    pub consumer: u64,
    /// The credit that it has now.
    pub credit: u64,
}

/// The reply to `ack`: the position is on stable storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The name that it is kept for.
    pub name: String,
    /// The position.
    pub message_num: u64,
}

/// The reply to `cancel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Which consumer.
    pub consumer: u64,
}

/// The reply to `forget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// The name.
    pub name: String,
    /// Whether there was a position to forget.
    pub forgotten: bool,
}

/// The reply to `archive`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// The archive's name; `None` where the session was empty.
    #[serde(deserialize_with = "nullable")]
    pub archive: Option<String>,
    /// How many messages it holds.
    pub messages: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A message of a consumer. Its frames are behind the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Whose it is.
    pub consumer: u64,
    /// Its number.
    pub message_num: u64,
    /// When it was recorded.
    pub recorded_at: String,
    /// How many numbers right before it hold no record that can be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gap: u64,
}

// serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The last thing that a consumer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Which one.
    pub consumer: u64,
    /// Why it ends.
    pub reason: Ended,
    /// How far the journal was read.
    pub message_num: u64,
}

/// Why a consumer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// All is sent that was asked for.
    Head,
    /// Another consumer has taken the name.
    Replaced,
    /// Nothing was heard of the client.
    Expired,
    /// The broker stops.
    ShuttingDown,
    /// Something that this version of the protocol does not know.
    #[serde(other)]
    Unknown,
}

/// Why a request is not done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind, as in [`code`].
    pub code: Cow<'static, str>,
    /// What is wrong, and what to do, in words.
    pub message: String,
    /// For a message that was to be recorded, whether it is: `Some(false)` where it is
    /// not, `None` where nobody knows.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub recorded: Option<Option<bool>>,
    /// What programs can use besides.
    #[serde(flatten)]
    pub details: Box<Details>,
}

/// What a [`Failure`] is about, as far as that has a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The message that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_num: Option<u64>,
    /// The last message that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The oldest message that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<u64>,
    /// The last message that a consumer was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// The credit that a consumer has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<u64>,
    /// The versions of the protocol that are spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocols: Option<Vec<u64>>,
}

impl Failure {
    /// Makes one that says nothing more.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The request can't be understood, or asks for what there is not.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(code::BAD_REQUEST, message)
    }

    /// For a message that was to be recorded: certain that nothing of it was.
    #[must_use]
    pub fn not_recorded(self) -> Self {
        let recorded = Some(Some(false));
        Self { recorded, ..self }
    }

    /// Adds what programs can use.
    #[must_use]
    pub fn with(mut self, add: impl FnOnce(&mut Details)) -> Self {
        add(&mut self.details);
        self
    }

    /// Returns the header frame.
    #[must_use]
    pub fn header(&self, id: &Id) -> String {
        answer(Kind::Error, id, self)
    }
}

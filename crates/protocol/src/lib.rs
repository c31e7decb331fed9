//! The headers that go over the broker's control port, as types: what a client may ask
//! for, and what the broker answers. `docs/protocol.md` describes them; the broker and
//! its clients both use these.
//!
//! ```
//! use protocol::{Head, Id, Kind, Publish, Published, Request};
//!
//! let header = Request::Publish(Publish::default()).header(&Id::from(1));
//! assert_eq!(header, r#"{"op":"publish","id":1}"#);
//! let answer = br#"{"type":"reply","id":1,"message_num":7,"duplicate":false,"new":true}"#;
//! let head: Head = protocol::read(answer)?;
//! assert_eq!((head.kind, head.id), (Kind::Reply, Id::from(1)));
//! let published: Published = protocol::read(answer)?;
//! assert_eq!(published.message_num, 7);
//! # Ok::<(), protocol::ReadError>(())
//! ```
//!
//! What the broker reads is checked strictly: a member that a request does not have is
//! an error, so that a misspelt one is noticed. What clients read may have members that
//! they do not know; one that is missing is an error with its name.

mod answer;
pub mod code;
mod consume;
mod id;
mod parse;
mod request;
mod status;

use serde::{Deserialize, Deserializer};

pub use crate::answer::{
    Acknowledged, Archived, Cancelled, Carried, Credited, Details, End, Ended, Failure, Forgotten,
    Greeting, Head, Kind, LastOf, Limits, Message, Nothing, Origins, Published, ReadError, Started,
    answer, open_envelope, read, reply,
};
pub use crate::consume::{Consume, Filter, From, Word};
pub use crate::id::Id;
pub use crate::parse::{Wrong, parse};
pub use crate::request::{Ack, Archive, Cancel, Credit, Forget, Hello, Origin, Publish, Request};
pub use crate::status::{
    Commits, Consumer, Damage, Dedupe, DedupeState, Ipc, Missing, Peer, Peers, Ports, Publishing,
    Recorded, Refused, Session, Stalled, Status, Subscriber, Subscribers, Unread,
};

/// The version of the protocol.
pub const VERSION: u64 = 1;

/// The port on which a broker serves requests, unless another one is named. (5557 is
/// taken by a recording daemon that many agents push to.)
pub const CONTROL_PORT: u16 = 5558;

/// Where a broker on the same machine serves requests, unless another port is named.
pub const DEFAULT_ENDPOINT: &str = "tcp://127.0.0.1:5558";
/// The longest header of a request, in bytes.
pub const MAX_HEADER: usize = 64 << 10;
/// The longest text that is the id of a request, in bytes.
pub const MAX_ID: usize = 128;

/// Reads a member that may be `null`, but has to be there.
fn nullable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Reads a member that may be missing, and may be `null` where it is there.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests;

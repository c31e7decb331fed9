//! A blocking client of the recording broker's control port.
//!
//! It publishes and knows that the message is safe, reads the journal from any
//! position and goes on there after a break, asks for the status, and closes
//! the session. What goes over the wire is in `docs/protocol.md`.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! let mut client = client::Client::connect("tcp://127.0.0.1:5558", Duration::from_secs(10))?;
//! let payload = br#"{"sender_id": "me", "message_id": "m-1", "content": "hi"}"#;
//! let published = client.publish(&[b"greeting", payload])?;
//! println!("on disk as number {}", published.message_num);
//!
//! let mut consumer = client.consume(client::Consume::named("indexer"))?;
//! while let Some(message) = consumer.next(Duration::from_secs(1))? {
//!     println!("{} {} frames", message.message_num, message.frames.len());
//!     consumer.ack(message.message_num)?;
//! }
//! # Ok::<(), client::Error>(())
//! ```
//!
//! # When the broker is away
//! A request without an answer is sent again over a new connection, until the
//! client's timeout. A message that names its sender and carries a
//! `message_id` is recorded once however often it is sent; one without them is
//! sent once. A [`Consumer`] asks for a new one and goes on behind the last
//! message that it gave out.
//!
//! # What it is not
//! It is for one thread at a time; threads make a client each. It does not
//! reconnect by itself between calls: there is no thread behind it. It speaks ZeroMQ's
//! protocol itself (the crate `zmtp`), and needs no libzmq.

mod carry;
mod client;
mod connection;
mod consumer;
mod endpoint;
mod error;
mod keys;
mod link;
mod publish;
mod shaking;
mod socket;
#[cfg(test)]
mod testing;
mod wait;

pub use crate::carry::{Carrier, Foreign};
pub use crate::client::{Archived, Client};
pub use crate::consumer::{Consume, Consumer, From, Message};
pub use crate::error::Error;
pub use crate::keys::{Keys, KeysError};
pub use crate::publish::Published;
pub use crate::socket::Socket;
pub use protocol::{LastOf, Status};
pub use zmtp::SocketType;

/// The examples of the README run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

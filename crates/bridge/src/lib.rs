//! Carries every record of a journal into a stream of NATS JetStream, once and in order,
//! and other machines' messages to the local broker.
//!
//! There is one stream for each journal, and the sequence of a message in it is the
//! record's `message_num`. A record is published with the demand that the one before it
//! is the stream's last: so what stands at a number depends on the journal alone, however
//! often anything is sent, whoever sends it, and whatever is killed meanwhile. What was
//! shipped is always asked of the stream; the bridge keeps nothing on disk. What comes in
//! is published to the broker with its origin, and the broker takes each once.
//!
//! `docs/bridge.md` says what the stream looks like and what is promised.

mod connect;
mod entry;
mod error;
mod fetch;
mod lock;
mod looking;
mod outbound;
mod part_list;
mod parts;
mod progress;
mod reader;
mod receive;
mod repeats;
mod report;
mod settings;
mod ship;
mod source;
mod stream;
mod subject;
mod sync;
mod verify;

pub use async_nats::jetstream::Context;

pub use crate::connect::connect;
pub use crate::error::Error;
pub use crate::fetch::{Fetched, fetch};
pub use crate::lock::Lock;
pub use crate::looking::{Overview, StreamView, overview};
pub use crate::outbound::ship;
pub use crate::progress::{Inbound, Outbound, Progress};
pub use crate::receive::receive;
pub use crate::report::{Report, Shipping, answer};
pub use crate::settings::{Begin, Broker, Nats, Outgoing, Receiving};
pub use crate::verify::{Difference, Verified, verify};

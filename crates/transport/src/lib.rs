//! The broker's pipeline: intake, recorder and delivery.
//!
//! ```text
//! publishers ─▶ intake ─▶ queue ─▶ recorder (write + fsync, a group at a time)
//!                                      │
//!                                      ▼
//!                              committed tail ─▶ a cursor and a connection per subscriber
//! ```
//!
//! [`Broker::start`] opens the journal, takes the ports and starts the threads;
//! [`Broker::stop`] ends them in order. A message is visible to subscribers
//! only after the fsync of its record has returned.
//!
//! # What it is not
//! It has no options of its own, prints nothing (it logs), and handles no
//! signals: that is the program's part.

mod assembly;
mod batch;
mod bind;
mod broker;
mod calendar;
mod clock;
mod config;
mod control;
mod delivery;
mod error;
mod health;
mod intake;
mod keys;
mod monitor;
mod net;
mod older;
mod pending;
mod platform;
mod pool;
mod recorder;
mod segment;
mod shutdown;
#[cfg(test)]
mod simulation;
mod stop;
mod sync;
mod tail;
#[cfg(test)]
mod testing;
mod thread;
mod throttle;
mod worker;

pub use bind::{Bind, BindError};
pub use broker::Broker;
pub use config::{Changeable, Config, IpcPaths, OnStop, PUB_PORT, Replay, SUB_PORT};
pub use control::{
    NamedPosition, OriginsError, named_positions, origins_file, origins_known_through,
};
pub use error::{Failure, StartError};
pub use health::CommitTimes;
pub use intake::Unread;
pub use jiff::tz::TimeZone;
pub use journal::{Archived, Recovery, Tail};
/// Keys and the files they are in.
pub mod curve {
    pub use message::LONGEST_KEY_NAME;
    pub use zmtp::curve::{Certificate, Keypair};
}
pub use keys::{Keys, KeysError, RightsError};
pub use monitor::{Flow, Monitor};
pub use stop::{LastSession, Stopped};

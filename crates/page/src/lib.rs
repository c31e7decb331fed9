//! Recorded conversations in a browser on the same machine.
//!
//! A [`Server`] answers HTTP on loopback, with a random token in its address. It
//! serves one page, made of plain files that are part of the program, and the API
//! that the page uses: messages, counts and statistics as JSON, and a stream of what
//! is recorded. docs/page.md describes it. It only reads, and asks for nothing from
//! elsewhere.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! use page::{Options, Server};
//!
//! let server = Server::open(Options {
//!     port: 0,
//!     ..Options::of(dir.path())
//! })?;
//! assert!(server.address().starts_with("http://127.0.0.1:"));
//! // server.run(stop) answers until `stop` is set.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//! - Whoever does not know the address gets nothing, nor does a page from elsewhere
//!   that a browser shows, by whatever name it calls this machine.
//! - Up to a few questions are answered at a time, each on a thread that may wait for
//!   the disk, in memory that does not grow with the journal.
//! - Whoever watches gets each message once, across closed sessions and restarts. One
//!   thread follows the journal for everybody; who reads slowly holds nothing.

mod answer;
mod api;
mod app;
mod assets;
mod criteria;
mod drawn;
mod error;
mod files;
mod follow;
mod graph;
mod guard;
mod health;
mod histogram;
mod live;
mod looking;
mod numbers;
mod server;
mod sync;
mod tail;

pub use error::Error;
pub use server::{Options, Server};

//! Other servers that have every message on disk before anyone gets it.

mod nats;
mod pipeline;
pub(crate) mod python;
mod redis;

use std::net::TcpListener;
use std::path::Path;

use crate::subject::Running;

/// Another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Redis streams, with `appendfsync always`.
    Redis,
    /// NATS JetStream, with `sync_interval: always`.
    Nats,
    /// A simple recording broker in Python.
    Python,
}

impl Peer {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Redis, Self::Nats, Self::Python];

    /// Returns the name in the results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Nats => "NATS",
            Self::Python => "Python",
        }
    }

    /// Tries whether it is installed and can do what is asked of it.
    ///
    /// # Errors
    /// An error that says what is missing.
    pub(crate) fn check(self) -> anyhow::Result<()> {
        match self {
            Self::Redis => redis::check(),
            Self::Nats => nats::check(),
            Self::Python => python::check(),
        }
    }

    /// Returns how many times fewer messages it gets, since it would take very
    /// long for as many.
    pub(crate) fn share(self) -> u64 {
        match self {
            Self::Redis => 4,
            Self::Nats | Self::Python => 64,
        }
    }

    /// Starts it; what it stores goes into `dir`.
    pub(crate) fn start(self, dir: &Path) -> anyhow::Result<Running> {
        match self {
            Self::Redis => redis::start(dir),
            Self::Nats => nats::start(dir),
            Self::Python => python::start(dir),
        }
    }
}

/// Returns a port that nobody listens on, for a server that cannot pick one.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}

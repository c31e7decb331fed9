//! What the bridge is told.

use std::path::PathBuf;
use std::time::Duration;

/// Where NATS is, and who we are there.
#[derive(Clone, Default)]
pub struct Nats {
    /// One or more servers, such as `nats://127.0.0.1:4222`.
    pub servers: Vec<String>,
    /// A file with a JWT and the seed of an nkey.
    pub credentials: Option<PathBuf>,
    /// A file with the seed of an nkey alone.
    pub nkey: Option<PathBuf>,
    /// A name and a password.
    pub user: Option<(String, String)>,
    /// A token.
    pub token: Option<String>,
    /// A file with the certificates of those that sign servers' certificates.
    pub ca: Option<PathBuf>,
    /// Files with this program's certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Whether to speak over TLS alone.
    pub tls: bool,
}

/// Where the local broker is.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Its control port, such as `tcp://127.0.0.1:5558`.
    pub endpoint: String,
    /// Our key and the broker's, where it wants keys.
    pub keys: Option<client::Keys>,
    /// How long it may take to answer.
    pub timeout: Duration,
}

/// What goes out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// What the local journal is called in NATS: letters, digits, `_` and `-`.
    pub origin: String,
    /// Whether a stream that is new begins with the next message instead of the oldest.
    pub from_now: bool,
    /// How many servers keep the stream; `None` for three where there are three.
    pub replicas: Option<usize>,
}

/// What comes in.
#[derive(Debug, Clone, Default)]
pub struct Receiving {
    /// Whose messages; empty for everybody's.
    pub origins: Vec<String>,
    /// How their topics begin; empty for all.
    pub topics: Vec<String>,
    /// Where a journal begins of which nothing is here.
    pub begin: Begin,
}

/// How far back a journal is taken of which nothing is here yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Begin {
    /// From its first message on.
    #[default]
    All,
    /// What comes from now on.
    New,
    /// What came to the stream at this time or later.
    Since(jiff::Timestamp),
}

// Secrets are not printed.
impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Nats");
        shown.field("tls", &self.tls).finish_non_exhaustive()
    }
}

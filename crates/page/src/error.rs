//! Why there is no page.

use std::io;
use std::net::SocketAddr;

/// Why the server could not be opened or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is used by another program, or is not this machine's.
    #[error("cannot listen at {address}: {source}; choose another port with --port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The system has no random bytes for the token.
    #[error("cannot make a token: {reason}")]
    Token {
        /// The system's reason.
        reason: String,
    },
    /// Threads or timers are missing.
    #[error("cannot serve: {0}")]
    Serve(#[from] io::Error),
    /// What is to be shown can't be read.
    #[error(transparent)]
    Query(#[from] query::Error),
}

//! Why a handshake ends without a connection.

use crate::curve::CurveError;
use crate::frame::FrameError;

/// Why a peer can't be talked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Something that is no ZeroMQ.
    #[error("it does not speak ZeroMQ")]
    NotZeroMq,
    /// The protocol of libzmq 2.
    #[error("it speaks version {major} of ZeroMQ's protocol; 2 or newer is needed (libzmq 3)")]
    TooOld {
        /// The peer's major version.
        major: u8,
    },
    /// Security was asked for.
    #[error("it asks for the security mechanism {mechanism:?}; only {offered} is offered")]
    Mechanism {
        /// What the peer asked for.
        mechanism: String,
        /// What this end has to offer.
        offered: &'static str,
    },
    /// The peer could not show that it owns a key that is let in.
    #[error(transparent)]
    Curve(#[from] CurveError),
    /// The peer's socket is of a type that this end has nothing to say to.
    #[error("it is a {found} socket; here {expected} sockets connect")]
    SocketType {
        /// What was expected.
        expected: &'static str,
        /// What the peer is.
        found: String,
    },
    /// The server's socket is of a type that a client of this type can't use.
    #[error("it is a {found} socket, which a {ours} socket does not talk to")]
    Partner {
        /// What this end is.
        ours: &'static str,
        /// What the server is.
        found: String,
    },
    /// The server has refused this end.
    #[error("it refuses the connection: {reason:?}")]
    Refused {
        /// The reason that it gives, shortened and without control characters.
        reason: String,
    },
    /// The peer's introduction is malformed.
    #[error("its introduction is malformed")]
    Malformed,
    /// The peer's introduction is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl HandshakeError {
    /// Tells whether the peer can't be served whatever it does, and is most likely a
    /// socket of somebody who has mistaken the port or an option.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::TooOld { .. } | Self::Mechanism { .. } | Self::SocketType { .. }
        )
    }
}

/// What a peer says of itself, fit for a log: short, and without control characters.
pub(crate) fn printable(bytes: &[u8]) -> String {
    const SHORT: usize = 20;
    let short = bytes.get(..SHORT).unwrap_or(bytes);
    short.escape_ascii().to_string()
}

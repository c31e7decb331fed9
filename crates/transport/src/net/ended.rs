//! Why a connection has ended.

use std::io;

use zmtp::{HandshakeError, StreamError};

/// Why a connection has ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("it has left")]
    Left,
    #[error("the handshake took too long")]
    Silent,
    #[error("it was silent for longer than it had announced")]
    Expired,
    #[error("it takes no answers")]
    Deaf,
    #[error("it left a message unfinished while others waited for the memory")]
    Unfinished,
    #[error("its messages came too slowly while others waited for the memory")]
    Slow,
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("it sent a malformed command")]
    Command(#[from] zmtp::CommandError),
    #[error(transparent)]
    Box(#[from] zmtp::curve::OpenError),
    /// The reason was logged when it was refused.
    #[error("it was refused")]
    Refused,
    #[error("its key is let in no more, or may do something else now")]
    Revoked,
    #[error("too many others had not finished their handshake either")]
    Crowded,
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

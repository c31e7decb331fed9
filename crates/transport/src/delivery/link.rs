//! How one subscriber's connection is served: subscriptions come in, messages
//! go out, or it is full.

use std::io::IoSlice;
use std::sync::Arc;

use zmtp::curve::OpenError;
use zmtp::{CommandError, FrameError, HandshakeError};

use crate::keys::Denied;

/// What a subscriber asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Subscription {
    /// Messages whose first frame begins so.
    Add(Arc<[u8]>),
    /// Not these any more.
    Remove(Arc<[u8]>),
}

/// The longest topic that a client may subscribe to, in bytes. Far more than
/// any in use.
pub(crate) const MAX_TOPIC: usize = 64 << 10;

/// How much memory a client's topics may take altogether, in bytes: 8 MiB.
pub(crate) const MAX_TOPICS: usize = 8 << 20;

/// Why a connection has ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The peer went away.
    #[error("the subscriber has left")]
    Closed,
    /// The peer began a handshake and did not end it.
    #[error("the handshake took too long")]
    Silent,
    /// More topics than anybody needs: they would only take memory.
    #[error("its topics take more than {MAX_TOPICS} bytes of memory")]
    Topics,
    /// The peer is none that can be served.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The peer sends what is no ZeroMQ.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The peer sends a command that is none.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The peer sends what is no box of its connection.
    #[error(transparent)]
    Box(#[from] OpenError),
    /// The peer's key has no right to be here.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The peer's key was removed while it was connected.
    #[error("its key is let in no more, or may do something else now")]
    Revoked,
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
}

/// One subscriber's connection. Nothing in it waits.
pub(crate) trait Link {
    /// Reads some of what the subscriber has sent; false where nothing is there.
    fn receive(&mut self) -> Result<bool, LinkError>;

    /// Returns the next thing that the subscriber asked for, of what was read.
    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError>;

    /// Sends messages, as they stand on the wire, as far as that goes; the last
    /// one goes on in the next call unless it `ends` here. Returns how many bytes
    /// were taken; what was not is to be sent next.
    fn send(&mut self, messages: &[IoSlice<'_>], ends: bool) -> Result<usize, LinkError>;
}

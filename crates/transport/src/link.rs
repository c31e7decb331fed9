//! How one subscriber's connection is served: subscriptions come in, frames go
//! out, or it is full.

use std::time::Duration;

use crate::endpoint::MAX_SUBSCRIPTION;
use crate::waker::Sleeper;

/// What a subscriber asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Subscription {
    /// Messages whose first frame begins so.
    Add(Vec<u8>),
    /// Not these any more.
    Remove(Vec<u8>),
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It is on its way.
    Whole,
    /// There is no room: the same message has to be sent again.
    Full,
}

/// Why a connection has ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The peer went away.
    #[error("the subscriber has disconnected")]
    Closed,
    /// libzmq dropped the connection for what came through it.
    #[error("it does not speak ZeroMQ, or asked for a topic longer than {MAX_SUBSCRIPTION} bytes")]
    Refused,
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
    /// libzmq refused something.
    #[error("libzmq failed")]
    Zmq(#[from] zmq::Error),
}

/// One subscriber's connection. It belongs to one thread, and nothing in it
/// waits but [`wait`](Link::wait).
pub(crate) trait Link {
    /// Moves bytes in both directions as far as that goes.
    fn pump(&mut self) -> Result<(), LinkError>;

    /// Returns the next thing that the subscriber asked for.
    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError>;

    /// Sends a message.
    fn send(&mut self, frames: &[&[u8]]) -> Result<Sent, LinkError>;

    /// Tells whether everything sent has left for the subscriber.
    fn is_flushed(&self) -> bool;

    /// Waits for something to do.
    fn wait(&mut self, sleeper: &Sleeper, wait: Wait) -> Result<(), LinkError>;
}

/// What a link waits for, besides what the subscriber sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A wake-up, for at most so long.
    Wake(Duration),
    /// Room for the message that met a full connection.
    Room,
}

//! Why the broker could not start, or had to end.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the broker could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The journal could not be opened.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// The session could not be read.
    #[error(transparent)]
    Read(#[from] journal::ReadError),
    /// Another program listens there.
    #[error("cannot listen for {role} on {address}")]
    Listen {
        /// `publishers`, `subscribers` or `requests`.
        role: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A Unix socket can't be made there.
    #[error("cannot listen for {role} on ipc://{}", path.display())]
    ListenIpc {
        /// `publishers`, `subscribers` or `requests`.
        role: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said, or what is wrong with the path.
        #[source]
        source: std::io::Error,
    },
    /// The system gave no thread, or no pair of connected sockets.
    #[error("cannot start the broker's threads")]
    System(#[from] std::io::Error),
}

/// Why the broker ended by itself. What is recorded stays recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Recording failed for good; what was not on disk yet is lost.
    #[error(transparent)]
    Recording(#[from] journal::CommitError),
    /// The disk was still full when the broker had to stop.
    #[error(
        "{messages} messages could not be recorded before the broker stopped: the disk is full"
    )]
    NotRecorded {
        /// How many.
        messages: usize,
    },
    /// The system does not let the broker wait for publishers.
    #[error("receiving failed")]
    Intake(#[source] std::io::Error),
    /// The system does not let the broker wait for requests.
    #[error("serving requests failed")]
    Control(#[source] std::io::Error),
    /// A thread of the broker panicked, which is a defect of the program.
    #[error("the {thread} thread panicked")]
    Panicked {
        /// Its name.
        thread: &'static str,
    },
}

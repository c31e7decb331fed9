//! What can go wrong on the way.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the bridge can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The broker can't be asked.
    #[error("the broker: {0}")]
    Broker(Box<client::Error>),
    /// NATS can't be reached, or refuses.
    #[error("NATS: {what}: {reason}")]
    Nats {
        /// What was to be done.
        what: String,
        /// What came of it.
        reason: String,
    },
    /// NATS gave no answer.
    #[error("NATS: {what}: no answer in {} seconds", .waited.as_secs())]
    Silent {
        /// What was asked for.
        what: String,
        /// For how long it was waited.
        waited: Duration,
    },
    /// Credentials or certificates can't be read.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The stream is not what it should be.
    #[error("the stream {stream}: {reason}")]
    Stream {
        /// Its name.
        stream: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The journal is not what it should be.
    #[error("the journal: {reason}")]
    Journal {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Another bridge carries the same journal.
    #[error(
        "another bridge carries the journal in {} already: one is enough, and two are no faster", .dir.display()
    )]
    Taken {
        /// The journal's directory.
        dir: PathBuf,
    },
    /// Something of this program ended that should not.
    #[error("{what} ended")]
    Ended {
        /// What it was.
        what: &'static str,
    },
}

// Its text is a part of this one's: as a source it would be told twice.
impl From<client::Error> for Error {
    fn from(error: client::Error) -> Self {
        Self::Broker(Box::new(error))
    }
}

impl Error {
    /// Tells whether it may go well a little later, without anybody doing anything.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Nats { .. } | Self::Silent { .. } => true,
            Self::Broker(error) => error.may_pass(),
            _ => false,
        }
    }

    pub(crate) fn nats(what: impl Into<String>, reason: &impl ToString) -> Self {
        Self::Nats {
            what: what.into(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn stream(stream: &str, reason: impl Into<String>) -> Self {
        Self::Stream {
            stream: stream.to_owned(),
            reason: reason.into(),
        }
    }
}

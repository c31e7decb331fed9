//! What can go wrong between a client and the broker.

use std::time::Duration;

use protocol::{Failure, code};

/// Why a call did not do what it was to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The broker refused; the message says why and what to do.
    #[error("{message}")]
    Refused {
        /// The kind of refusal, such as `too_large`.
        code: String,
        /// What the broker says.
        message: String,
        /// For a message that was to be published: whether nothing of it was
        /// recorded for certain.
        not_recorded: bool,
    },
    /// Nobody answered.
    #[error("no answer from {endpoint} in {} seconds: is the broker running, and is this its control port?", .waited.as_secs_f32())]
    NoAnswer {
        /// Where the broker was expected.
        endpoint: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Somebody is there, and lets nobody in like this.
    #[error("no connection to {endpoint}: {reason}")]
    NotLetIn {
        /// Where the broker was expected.
        endpoint: String,
        /// What was wrong last.
        reason: String,
    },
    /// A message without a sender or a `message_id` got no answer. It was not
    /// sent again, since it could be recorded twice.
    #[error(
        "no answer from {endpoint}: the message may be recorded or not; give it a sender and a message_id so that it can be sent again"
    )]
    Unknown {
        /// Where the broker was expected.
        endpoint: String,
    },
    /// Another consumer has taken the name.
    #[error("another consumer has taken the name {name}")]
    Replaced {
        /// The name.
        name: String,
    },
    /// The broker has another journal than when the consumer began.
    #[error(
        "{endpoint} has the journal {found} now, and had {expected}: begin again, the numbers are others"
    )]
    OtherJournal {
        /// Where the broker is.
        endpoint: String,
        /// The identity of the journal that was read.
        expected: String,
        /// The one that is there now.
        found: String,
    },
    /// What came is no reply of a broker.
    #[error("{endpoint} does not answer as a broker does: {found}")]
    NoBroker {
        /// Who answered.
        endpoint: String,
        /// The beginning of what it said.
        found: String,
    },
    /// What was to be connected to is no address.
    #[error("{endpoint:?} is no address: it must be tcp://HOST:PORT or ipc://PATH")]
    Endpoint {
        /// What was given.
        endpoint: String,
    },
}

impl Error {
    /// Makes an error of an error reply.
    pub(crate) fn refused(failure: Failure) -> Self {
        Self::Refused {
            not_recorded: failure.recorded == Some(Some(false)),
            code: failure.code.into_owned(),
            message: failure.message,
        }
    }

    /// Returns the code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Tells whether the same request may succeed a little later: the broker is away, or
    /// can't do it for the moment.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NoAnswer { .. }) || self.code().is_some_and(code::may_pass)
    }
}

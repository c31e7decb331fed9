//! May the writer go on, and with which file?

use std::io;
use std::path::PathBuf;

use crate::error::{CommitError, IoError};
use crate::operation::Operation;

/// What an earlier failure leaves of the writer.
#[derive(Debug, Default)]
pub(super) enum WriterState {
    /// It goes on with its file.
    #[default]
    Usable,
    /// It must leave its file before anything else is written.
    Leaving(Cause),
    /// It accepts nothing any more.
    Finished(Cause),
}

/// What stands in the file, or may stand there, behind its committed end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Leftover {
    #[default]
    Nothing,
    /// Bytes that could not be cut off yet. Written over again, their records
    /// would stand there twice.
    Uncut,
    /// Nothing, but that is still to be synced: after a crash the bytes that
    /// were cut off may be there again.
    Unsynced,
}

/// The failure behind a [`WriterState`].
#[derive(Debug, Clone)]
pub(super) struct Cause {
    pub(super) operation: Operation,
    pub(super) path: PathBuf,
    pub(super) reason: String,
}

impl Cause {
    /// Tells an archiving of a failure before it.
    pub(super) fn to_io_error(&self) -> IoError {
        let source = format!("recording has stopped before: {}", self.reason);
        IoError {
            operation: self.operation,
            path: self.path.clone(),
            source: io::Error::other(source),
        }
    }

    /// Tells a commit of a failure before it.
    pub(super) fn to_commit_error(&self) -> CommitError {
        let Self {
            operation,
            path,
            reason,
        } = self.clone();
        CommitError::Finished {
            operation,
            path,
            reason,
        }
    }
}

impl From<&IoError> for Cause {
    fn from(error: &IoError) -> Self {
        Self {
            operation: error.operation,
            path: error.path.clone(),
            reason: format!("{error}: {}", error.source),
        }
    }
}

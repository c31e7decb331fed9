//! The errors of the three crates.

pub(crate) use journal::{AppendError, CommitError, IoError, OpenError, RecordError};

/// Why the recorder's thread ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Recording,
}

/// Why a chunk could not be read.
#[derive(Debug)]
pub(crate) struct Error;

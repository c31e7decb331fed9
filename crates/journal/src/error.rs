//! Everything that can go wrong, with the place where it did.

use std::io;
use std::path::{Path, PathBuf};

use crate::operation::Operation;

/// Why a journal could not be opened for writing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process writes to this directory.
    #[error(
        "{} is already being written by {}; stop that program or choose another directory",
        .dir.display(),
        .owner.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Locked {
        /// The journal's directory.
        dir: PathBuf,
        /// The owner's process id, where it could be read.
        owner: Option<u32>,
    },
    /// A file operation failed.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The numbers are used up or were made so by a damaged line.
    #[error("{}: message number {last} leaves no number for the next message", .path.display())]
    NumbersExhausted {
        /// The file with the largest number.
        path: PathBuf,
        /// That number.
        last: u64,
    },
}

/// A file operation that failed, with its file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}", .path.display())]
pub struct IoError {
    /// What was being done, such as `create` or `sync`.
    pub operation: Operation,
    /// The file or directory.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl IoError {
    /// A second fsync may succeed without writing what the failed one lost.
    pub(crate) fn is_failed_sync(&self) -> bool {
        self.operation.leaves_doubt()
    }

    pub(crate) fn is_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// Why a value could not become a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The value could not be serialized.
    #[error("the record does not serialize")]
    Serialize {
        /// What the serializer said.
        #[source]
        source: serde_json::Error,
    },
    /// The value is JSON, but no object.
    #[error("a record must be a JSON object, such as a struct or a map")]
    NotAnObject,
    /// It has a member that the journal puts into each record itself.
    #[error("a record must not have a member {member:?}: the journal puts its own there")]
    Reserved {
        /// The member's name.
        member: &'static str,
    },
    /// The text has a raw newline, which would end the line.
    #[error("a record must be on one line: newline at byte {at}")]
    Newline {
        /// Its place in the body, in bytes.
        at: usize,
    },
    /// The line would be longer than the journal's limit.
    #[error("the record's line of {length} bytes is longer than the limit of {limit}")]
    TooLong {
        /// The line's length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

/// Why a group was not committed. Nothing of it counts as recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// There is no room. The file was cut back to its last committed byte;
    /// the same group may be committed again when there is room.
    #[error("no room for {bytes} bytes in {}", .path.display())]
    NoRoom {
        /// The session file.
        path: PathBuf,
        /// The group's size.
        bytes: u64,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file operation failed, and so did going on in a fresh file. The
    /// writer is finished.
    #[error("recording failed")]
    Failed(#[from] IoError),
    /// An earlier operation failed for good; nothing is accepted any more.
    #[error("recording has stopped: could not {operation} {} before: {reason}", .path.display())]
    Finished {
        /// The operation that failed.
        operation: Operation,
        /// Its file.
        path: PathBuf,
        /// What the system said then.
        reason: String,
    },
    /// The group does not follow the last committed one.
    #[error("a group that starts at {found} cannot follow number {last}")]
    OutOfOrder {
        /// The last committed number.
        last: u64,
        /// The group's first number.
        found: u64,
    },
}

/// Why [`Journal::append`](crate::Journal::append) did not record a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The value is no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Its group was not committed.
    #[error("the record is not in the journal: {message}")]
    NotCommitted {
        /// The error of the group's commit, which all who waited for it share.
        message: std::sync::Arc<str>,
        /// Whether the disk is full, so that trying again later may help.
        no_room: bool,
    },
}

/// Why reading stopped. Damage does not stop it and is no error.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {} at offset {offset}", .path.display())]
pub struct ReadError {
    /// What was being done.
    pub operation: Operation,
    /// The file.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Attaches the operation and the file to an [`io::Error`].
pub(crate) trait AtPath<T> {
    fn at(self, operation: Operation, path: &Path) -> Result<T, IoError>;
}

/// Names what a sync has failed with. Only here, since a writer accepts nothing any more
/// after an error of this name.
pub(crate) fn synced<T>(sync: io::Result<T>, path: &Path) -> Result<T, IoError> {
    sync.at(Operation::Sync, path)
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, operation: Operation, path: &Path) -> Result<T, IoError> {
        self.map_err(|source| IoError {
            operation,
            path: path.to_owned(),
            source,
        })
    }
}

impl From<ReadError> for IoError {
    fn from(error: ReadError) -> Self {
        let ReadError {
            operation,
            path,
            source,
            ..
        } = error;
        Self {
            operation,
            path,
            source,
        }
    }
}

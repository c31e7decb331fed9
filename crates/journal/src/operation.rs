//! What was being done to a file when something failed.

use std::fmt::{self, Display, Formatter};

/// What was being done to a file or a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Something was added to a file that belongs to a session.
    Append,
    /// A session was to be closed.
    Archive,
    /// A file or a directory was made.
    Create,
    /// What had failed was cut off.
    CutBack,
    /// The file was not the one that it should be.
    Find,
    /// The file of a closed session was looked for by its name.
    FindAgain,
    /// A directory was listed.
    List,
    /// The lock was taken.
    Lock,
    /// A file's length was asked for.
    Measure,
    /// A file was opened.
    Open,
    /// A file was read.
    Read,
    /// A file was read that is shorter than what was committed to it.
    ReadOn,
    /// A file was removed.
    Remove,
    /// A file got another name.
    Rename,
    /// Bytes, or the names in a directory, were to be made durable.
    Sync,
    /// A small file was replaced.
    Write,
    /// Records were written to a session.
    WriteRecords,
}

impl Operation {
    /// Returns the words that stand between "cannot" and the path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append to",
            Self::Archive => "archive",
            Self::Create => "create",
            Self::CutBack => "cut back",
            Self::Find => "find",
            Self::FindAgain => "find again",
            Self::List => "list",
            Self::Lock => "lock",
            Self::Measure => "measure",
            Self::Open => "open",
            Self::Read => "read",
            Self::ReadOn => "read on in",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::Sync => "sync",
            Self::Write => "write",
            Self::WriteRecords => "write to",
        }
    }

    /// Tells whether nobody knows what is on the disk after it has failed: a second
    /// fsync may succeed without writing what the failed one lost.
    pub(crate) fn leaves_doubt(self) -> bool {
        match self {
            Self::Sync => true,
            Self::Append
            | Self::Archive
            | Self::Create
            | Self::CutBack
            | Self::Find
            | Self::FindAgain
            | Self::List
            | Self::Lock
            | Self::Measure
            | Self::Open
            | Self::Read
            | Self::ReadOn
            | Self::Remove
            | Self::Rename
            | Self::Write
            | Self::WriteRecords => false,
        }
    }
}

impl Display for Operation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

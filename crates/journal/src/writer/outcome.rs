//! What does a writer tell of what it has done?

use std::path::PathBuf;

/// The session being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Session {
    /// Counts the sessions since the journal was opened, from 0.
    pub ordinal: u64,
    /// Its committed length in bytes.
    pub bytes: u64,
    /// How many records it holds.
    pub records: u64,
    /// The number of its first record, or of the next one to come.
    pub first: u64,
}

impl Session {
    /// Returns the session that comes after this one, still empty.
    pub(super) fn following(self, first: u64) -> Self {
        Self {
            ordinal: self.ordinal + 1,
            first,
            ..Self::default()
        }
    }
}

/// A group that is on stable storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The ordinal of the session it is in.
    pub session: u64,
    /// Where its first line begins, in bytes from the start of the file.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The number of its last record.
    pub last: u64,
    /// The files that the writer had to leave before this group, in that order.
    pub fresh: Vec<FreshFile>,
}

/// Why the writer went on in a fresh file, and where the old one is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshFile {
    /// What happened to the old file.
    pub reason: String,
    /// Where the old file is now; `None` if it was gone or held no record.
    pub archived: Option<Archived>,
}

/// A session that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The ordinal it had.
    pub session: u64,
    /// The archive's name.
    pub name: String,
    /// Its whole path.
    pub path: PathBuf,
    /// How many records it holds.
    pub records: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

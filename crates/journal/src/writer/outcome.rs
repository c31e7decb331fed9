//! What does a writer tell of what it has done?

use std::path::PathBuf;

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

//! How a journal is opened.

use std::fmt;
use std::sync::Arc;

use crate::fs::{FileSystem, RealFs};
use crate::session::utc_stamp;

/// The default of [`Options::max_line`], and the length beyond which readers
/// pass over a line that is no record with a right checksum: 256 MiB.
pub const DEFAULT_MAX_LINE: usize = 256 << 20;

/// Settings of a journal, with defaults that suit most embedders.
#[derive(Clone)]
pub struct Options {
    /// The longest line in bytes that is written; longer records are refused.
    /// What was written is read whatever this says. Default: 256 MiB.
    pub max_line: usize,
    /// After how many bytes of a session a checkpoint is written, which is
    /// about what opening reads of a long session. Default: 16 MiB.
    pub checkpoint_every: u64,
    /// The highest number that somebody outside the journal's files is known to
    /// have got, such as a reader that keeps its place. The next number is above
    /// it, and if the files end before it, that is reported. Default: 0.
    pub seen: u64,
    /// Gives the date and time part of an archive's name. Characters other
    /// than letters, digits, `-` and `_` become `-`. Default: the time in UTC,
    /// `YYYYMMDD_HHMMSS`.
    pub stamp: Arc<dyn Fn() -> String + Send + Sync>,
    /// The file system. Default: the operating system's.
    pub fs: Arc<dyn FileSystem>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_line: DEFAULT_MAX_LINE,
            checkpoint_every: 16 << 20,
            seen: 0,
            stamp: Arc::new(utc_stamp),
            fs: Arc::new(RealFs),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_line", &self.max_line)
            .field("checkpoint_every", &self.checkpoint_every)
            .field("seen", &self.seen)
            .field("fs", &self.fs)
            .finish_non_exhaustive()
    }
}

//! How the program ends.

use std::process::ExitCode;

/// The program's exit codes. Most wrong options end it with 2 by clap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Stopped as told.
    Done = 0,
    /// Failed, with a message on stderr.
    Failed = 1,
    /// Options that do not go together.
    Usage = 2,
    /// Done, and something was found that somebody should look at.
    Found = 3,
}

/// What a second Ctrl+C ends the program with: 128 and the signal's number, as
/// shells count.
pub(crate) const INTERRUPTED: i32 = 130;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

//! How the program ends.

use std::process::ExitCode;

/// The program's exit codes. Wrong options end it with 2 by clap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed, with a message on stderr.
    Failed = 1,
    /// Done, and something was found that somebody should look at.
    Found = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

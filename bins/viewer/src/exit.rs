//! Exit codes.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It has done what it was asked, damaged lines or not.
    Done,
    /// It could not; standard error says why.
    Failed,
    /// It was asked for something that it does not understand.
    Usage,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_scripts_rely_on() {
        let codes = [Exit::Done, Exit::Failed, Exit::Usage].map(Exit::code);
        assert_eq!(codes, [0, 1, 2]);
    }
}

//! Exit codes.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It has done what it was asked. Damaged lines are no matter where messages
    /// are shown or counted.
    Done,
    /// It could not; standard error says why.
    Failed,
    /// It was asked for something that it does not understand.
    Usage,
    /// It has done what it was asked, and what it checked or copied is not whole.
    Findings,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Findings => 3,
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
        let codes = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Findings].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3]);
    }
}

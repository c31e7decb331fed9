//! Input and output that does not wait.

use std::io::{self, ErrorKind};

/// What came of an attempt to read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many bytes were moved.
    Bytes(usize),
    /// It would have to wait.
    Wait,
    /// The other side is gone.
    End,
}

/// Reads or writes once.
pub(crate) fn attempt(mut io: impl FnMut() -> io::Result<usize>) -> io::Result<Progress> {
    loop {
        match io() {
            Ok(0) => return Ok(Progress::End),
            Ok(count) => return Ok(Progress::Bytes(count)),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock => return Ok(Progress::Wait),
                _ if is_end(&error) => return Ok(Progress::End),
                _ => return Err(error),
            },
        }
    }
}

/// Tells whether an error says that the other side is gone.
pub(crate) fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
    )
}

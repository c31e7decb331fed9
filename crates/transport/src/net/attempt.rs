//! Input and output that does not wait.

use std::io::{self, ErrorKind, IoSlice};
use std::time::Duration;

use crate::net::Socket;

/// What came of an attempt to read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// This many bytes were moved.
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

/// A peer that asks for answers has to take them: no more bytes may wait for it.
pub(crate) const MAX_UNSENT: usize = 64 << 10;
/// How long a handshake may take; libzmq gives as much.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(30);

/// Writes what waits to be sent, and removes what has left. It is [`Progress::Wait`]
/// where some of it is left.
pub(crate) fn flush(socket: &dyn Socket, unsent: &mut Vec<u8>) -> io::Result<Progress> {
    let mut count = 0;
    while !unsent.is_empty() {
        match attempt(|| socket.send(&[IoSlice::new(unsent)]))? {
            Progress::Bytes(written) => {
                unsent.drain(..written);
                count += written;
            }
            stopped => return Ok(stopped),
        }
    }
    Ok(Progress::Bytes(count))
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

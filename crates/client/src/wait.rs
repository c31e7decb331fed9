//! Waiting for one socket.

use std::io::{self, ErrorKind};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;

/// Waits until something can be read, or written where that is wanted; false where
/// neither is so in that time. An error of the connection shows when it is used.
pub(crate) fn wait(socket: &Socket, read: bool, write: bool, most: Duration) -> io::Result<bool> {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, read);
    flags.set(PollFlags::OUT, write);
    let mut polled = [PollFd::new(socket, flags)];
    match poll(&mut polled, Some(&timespec(most))) {
        Ok(count) => Ok(count > 0),
        // A signal ends the wait as if the time were up.
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Tells whether nothing is wrong, and the same may be tried again.
pub(crate) fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// Rounded up to a millisecond, in which some systems count.
fn timespec(time: Duration) -> Timespec {
    let millis = time.as_nanos().div_ceil(1_000_000);
    // 24 days is the longest wait that every system takes.
    let millis = u64::try_from(millis)
        .unwrap_or(u64::MAX)
        .min(i32::MAX as u64);
    // So short a time always fits.
    Timespec::try_from(Duration::from_millis(millis)).unwrap_or_default()
}

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

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// A time that only a test that fails needs.
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_wait_ends_with_what_is_waited_for_and_with_nothing_else() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        let near = Socket::from(near);
        assert!(wait(&near, false, true, LONG).unwrap(), "it can be written");
        assert!(!wait(&near, true, false, Duration::ZERO).unwrap());
        far.write_all(b"x").unwrap();
        assert!(wait(&near, true, false, LONG).unwrap());
        assert!(!wait(&near, false, false, Duration::ZERO).unwrap());
    }

    #[test]
    fn the_end_of_a_connection_ends_the_wait_for_bytes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        drop(listener.accept().unwrap());
        assert!(wait(&near.into(), true, false, LONG).unwrap());
    }

    #[test]
    fn a_short_time_is_no_busy_loop_and_a_long_one_is_one_that_systems_take() {
        let millis = |millis| Timespec::try_from(Duration::from_millis(millis)).unwrap();
        assert_eq!(timespec(Duration::ZERO), millis(0));
        assert_eq!(timespec(Duration::from_nanos(1)), millis(1));
        assert_eq!(timespec(Duration::from_micros(2_001)), millis(3));
        assert_eq!(timespec(Duration::MAX), millis(i32::MAX as u64));
    }
}

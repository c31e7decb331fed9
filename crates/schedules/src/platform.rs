//! The pair of connected streams by which a thread is woken: numbers of bytes.
//!
//! What the operating system does with the real one: writing adds a byte or finds no room,
//! reading takes what is there or finds nothing, neither waits, and whoever polls is let go
//! as long as anything is there (it is told by the level, not by the change).

use std::io::{self, ErrorKind, Read, Write};

use crate::sync::{Arc, Condvar, Mutex, ends_early};

/// So few that a full one comes about.
const ROOM: usize = 2;

/// One direction.
#[derive(Debug, Default)]
struct Bytes {
    count: Mutex<usize>,
    came: Condvar,
}

/// One end.
#[derive(Debug)]
pub(crate) struct LocalStream {
    incoming: Arc<Bytes>,
    outgoing: Arc<Bytes>,
}

/// Connects two ends with each other.
pub(crate) fn stream_pair() -> io::Result<(LocalStream, LocalStream)> {
    let (one, other) = (Arc::<Bytes>::default(), Arc::<Bytes>::default());
    let near = LocalStream {
        incoming: Arc::clone(&one),
        outgoing: Arc::clone(&other),
    };
    let far = LocalStream {
        incoming: other,
        outgoing: one,
    };
    Ok((near, far))
}

impl LocalStream {
    /// It never waits.
    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        assert!(nonblocking, "nobody may be kept waiting by whom it wakes");
        Ok(())
    }

    /// Polls it without a limit of time, but for the ends that chance decides. Tells
    /// whether something can be read.
    pub(crate) fn poll(&self) -> bool {
        if ends_early() {
            return self.is_readable();
        }
        let count = self.incoming.count.lock().unwrap();
        let count = self.incoming.came.wait_while(count, |count| *count == 0);
        *count.unwrap() > 0
    }

    /// Polls it and waits for nothing.
    pub(crate) fn is_readable(&self) -> bool {
        *self.incoming.count.lock().unwrap() > 0
    }
}

impl Read for LocalStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut count = self.incoming.count.lock().unwrap();
        let read = (*count).min(into.len());
        *count -= read;
        match read {
            0 => Err(ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for &LocalStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut count = self.outgoing.count.lock().unwrap();
        let written = bytes.len().min(ROOM - *count);
        *count += written;
        self.outgoing.came.notify_all();
        match written {
            0 => Err(ErrorKind::WouldBlock.into()),
            written => Ok(written),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

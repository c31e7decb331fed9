//! What waits to be sent over a connection.

use std::io::{self, IoSlice};

use super::socket::Socket;
use crate::attempt::{Progress, attempt};

/// Sent bytes are taken out of the front when they are this many, and more than
/// half: so each byte is moved once at most.
const SLACK: usize = 64 << 10;

/// Bytes that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// How many of them have left.
    sent: usize,
}

impl Outbox {
    /// Returns how many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Returns where what is to be sent is appended.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Drops all that waits.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Sends what waits, as far as that goes without waiting. It is
    /// [`Progress::Wait`] where some of it is left and nothing could be sent.
    pub(crate) fn flush(&mut self, socket: &dyn Socket) -> io::Result<Progress> {
        let mut count = 0;
        while self.len() > 0 {
            let rest = self.bytes.get(self.sent..).unwrap_or_default();
            match attempt(|| socket.send(&[IoSlice::new(rest)]))? {
                Progress::Bytes(written) => {
                    self.sent += written;
                    count += written;
                }
                Progress::Wait => break,
                Progress::End => return Ok(Progress::End),
            }
        }
        self.forget_sent();
        Ok(match count {
            0 if self.len() > 0 => Progress::Wait,
            count => Progress::Bytes(count),
        })
    }

    fn forget_sent(&mut self) {
        if self.len() == 0 {
            self.bytes.clear();
            self.bytes.shrink_to(SLACK);
            self.sent = 0;
        } else if self.sent >= SLACK && self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_does_not_fit_the_connection_waits_and_leaves_in_order() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, _) = listener.accept().unwrap();
        near.set_nonblocking(true).unwrap();
        let bytes: Vec<u8> = (0..20_000_000_u32).map(|at| (at % 251) as u8).collect();
        let mut outbox = Outbox::default();
        outbox.end().extend_from_slice(&bytes);
        let sent = match outbox.flush(&near).unwrap() {
            Progress::Bytes(count) => count,
            other => panic!("{other:?}"),
        };
        assert_eq!(sent + outbox.len(), bytes.len());
        assert_eq!(outbox.flush(&near).unwrap(), Progress::Wait);
        let reader = std::thread::spawn(move || {
            let mut got = vec![0; 20_000_000];
            far.read_exact(&mut got).unwrap();
            got
        });
        while outbox.len() > 0 {
            outbox.flush(&near).unwrap();
        }
        assert!(reader.join().unwrap() == bytes);
    }
}

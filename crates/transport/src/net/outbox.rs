//! What waits to be sent over a connection.

use std::io::{self, IoSlice};

use zmtp::curve::Sealer;

use super::socket::Socket;
use crate::net::{Progress, attempt};

/// Sent bytes are taken out of the front when they are this many, and more than
/// half: so each byte is moved once at most.
const SLACK: usize = 64 << 10;

/// Bytes that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// How many of them have left.
    sent: usize,
    /// Puts all that is added from now on into boxes.
    sealer: Option<Sealer>,
    /// Whole messages and commands that are in no box yet.
    plain: Vec<u8>,
}

impl Outbox {
    /// Returns how many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent + self.plain.len()
    }

    /// Returns where what is to be sent is appended: whole messages and commands.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        match self.sealer {
            Some(_) => &mut self.plain,
            None => &mut self.bytes,
        }
    }

    /// Puts all that is added from now on into boxes.
    pub(crate) fn seal_with(&mut self, sealer: Sealer) {
        self.sealer = Some(sealer);
    }

    /// Drops all that waits.
    pub(crate) fn clear(&mut self) {
        let sealer = self.sealer.take();
        *self = Self {
            sealer,
            ..Self::default()
        };
    }

    /// Puts what waits into boxes, each once: they have to leave in this order.
    fn seal(&mut self) -> io::Result<()> {
        if let Some(sealer) = &mut self.sealer
            && !self.plain.is_empty()
        {
            let sealed = sealer.push(&mut self.bytes, &self.plain);
            self.plain.clear();
            self.plain.shrink_to(SLACK);
            sealed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        Ok(())
    }

    /// Sends what waits, as far as that goes without waiting. It is
    /// [`Progress::Wait`] where some of it is left and nothing could be sent.
    pub(crate) fn flush(&mut self, socket: &dyn Socket) -> io::Result<Progress> {
        self.seal()?;
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

//! Connections within the simulation: two bounded streams of bytes each.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::fd::BorrowedFd;

use super::world::draw;
use crate::net::{Events, PeerAddress, Pollable, Port, Socket};
use crate::sync::held;

/// What one side has written and the other has not read.
#[derive(Debug, Default)]
struct Stream {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// Whether nothing more is written.
    finished: bool,
    /// Whether nobody reads any more.
    deaf: bool,
}

type Shared = Arc<Mutex<Stream>>;

fn lock(stream: &Shared) -> MutexGuard<'_, Stream> {
    held(stream.lock())
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct End {
    incoming: Shared,
    outgoing: Shared,
}

/// Connects two ends with each other; each direction holds up to `capacity` bytes.
fn pair(capacity: usize) -> (End, End) {
    let stream = || {
        Arc::new(Mutex::new(Stream {
            capacity,
            ..Stream::default()
        }))
    };
    let (one, other) = (stream(), stream());
    let near = End {
        incoming: Arc::clone(&one),
        outgoing: Arc::clone(&other),
    };
    let far = End {
        incoming: other,
        outgoing: one,
    };
    (near, far)
}

impl End {
    /// Writes as much as there is room for; `None` where nobody reads any more.
    pub(super) fn write(&self, bytes: &[u8]) -> Option<usize> {
        let mut stream = lock(&self.outgoing);
        if stream.deaf || stream.finished {
            return None;
        }
        let count = bytes.len().min(stream.capacity - stream.bytes.len());
        stream.bytes.extend(bytes.iter().take(count));
        Some(count)
    }

    /// Reads up to `most` bytes; `None` at the end.
    pub(super) fn read(&self, most: usize) -> Option<Vec<u8>> {
        let mut stream = lock(&self.incoming);
        let count = most.min(stream.bytes.len());
        if count == 0 && most > 0 && stream.finished {
            return None;
        }
        Some(stream.bytes.drain(..count).collect())
    }

    /// Tells whether everything that was written has been read.
    pub(super) fn is_read(&self) -> bool {
        lock(&self.outgoing).bytes.is_empty()
    }
}

impl Drop for End {
    fn drop(&mut self) {
        lock(&self.outgoing).finished = true;
        lock(&self.incoming).deaf = true;
    }
}

impl Pollable for End {
    fn handle(&self) -> BorrowedFd<'_> {
        unreachable!("a simulated connection is polled by its state")
    }

    fn simulated(&self) -> Option<Events> {
        let (incoming, outgoing) = (lock(&self.incoming), lock(&self.outgoing));
        Some(Events {
            read: !incoming.bytes.is_empty() || incoming.finished,
            write: outgoing.deaf || outgoing.bytes.len() < outgoing.capacity,
            failed: outgoing.deaf,
        })
    }
}

impl Socket for End {
    /// Gives any part of what is there, as a network does.
    fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = lock(&self.incoming).bytes.len().min(buffer.len());
        let most = match draw(4) {
            0 if there > 1 => 1 + draw(there),
            _ => there,
        };
        match self.read(most.max(1).min(buffer.len())) {
            None => Ok(0),
            Some(bytes) if bytes.is_empty() => Err(ErrorKind::WouldBlock.into()),
            Some(bytes) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
        }
    }

    fn send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let all: usize = slices.iter().map(|slice| slice.len()).sum();
        let most = match draw(8) {
            0 if all > 1 => 1 + draw(all),
            _ => all,
        };
        let mut sent = 0;
        for slice in slices {
            let part = &slice[..slice.len().min(most - sent)];
            match self.write(part) {
                None => return Err(ErrorKind::BrokenPipe.into()),
                Some(count) => sent += count,
            }
        }
        match sent {
            0 if most > 0 => Err(ErrorKind::WouldBlock.into()),
            sent => Ok(sent),
        }
    }

    fn waiting(&self, most: usize) -> io::Result<usize> {
        match lock(&self.incoming).bytes.len().min(most) {
            0 => Err(ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    fn finish(&self) -> io::Result<()> {
        lock(&self.outgoing).finished = true;
        Ok(())
    }
}

/// Where clients connect to.
#[derive(Debug, Clone, Default)]
pub(super) struct Door(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    connections: VecDeque<(End, PeerAddress)>,
    connected: u16,
    closed: bool,
}

impl Door {
    /// Connects, without being accepted yet; `None` where nobody listens.
    pub(super) fn connect(&self, capacity: usize) -> Option<End> {
        let mut waiting = held(self.0.lock());
        if waiting.closed {
            return None;
        }
        waiting.connected += 1;
        let peer = SocketAddr::from(([127, 0, 0, 1], waiting.connected));
        let (near, far) = pair(capacity);
        waiting.connections.push_back((near, peer.into()));
        Some(far)
    }

    pub(super) fn port(&self) -> Box<dyn Port> {
        Box::new(Listening(self.clone()))
    }
}

/// The broker's side of a door.
struct Listening(Door);

impl Drop for Listening {
    fn drop(&mut self) {
        let mut waiting = held(self.0.0.lock());
        waiting.closed = true;
        waiting.connections.clear();
    }
}

impl Pollable for Listening {
    fn handle(&self) -> BorrowedFd<'_> {
        unreachable!("a simulated port is polled by its state")
    }

    fn simulated(&self) -> Option<Events> {
        let waiting = held(self.0.0.lock());
        Some(Events::new(!waiting.connections.is_empty(), false))
    }
}

impl Port for Listening {
    fn accept(&self) -> io::Result<(Box<dyn Socket>, PeerAddress)> {
        let mut waiting = held(self.0.0.lock());
        match waiting.connections.pop_front() {
            Some((end, peer)) => Ok((Box::new(end), peer)),
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

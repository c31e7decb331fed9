//! What a connection and a port are to those who use them.

use std::cell::Cell;
use std::fmt::Debug;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Shutdown, TcpListener, TcpStream};

use rustix::fd::{AsFd as _, BorrowedFd};
use socket2::SockRef;

use super::address::PeerAddress;
use super::poll::{Events, Item, Pollable};
use crate::platform::prepare;

/// A stream of bytes to and from a peer. Nothing in it waits.
pub(crate) trait Socket: Pollable + Debug + Send + Sync {
    /// Reads what is there; 0 is the end.
    fn recv(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes as much as the peer takes now.
    fn send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Returns how many bytes are there to be read, up to `most`.
    fn waiting(&self, most: usize) -> io::Result<usize>;

    /// Says that nothing more is written. What was written still arrives.
    fn finish(&self) -> io::Result<()>;
}

/// Where peers connect to.
pub(crate) trait Port: Pollable + Send {
    /// Returns the next connection, ready for use, without waiting for it.
    fn accept(&self) -> io::Result<(Box<dyn Socket>, PeerAddress)>;
}

/// Where peers connect to at several addresses: one port of the broker.
pub(crate) struct Entrance {
    ports: Vec<Box<dyn Port>>,
    /// Which one is asked first: a busy one must not keep the others waiting.
    next: Cell<usize>,
}

impl Entrance {
    pub(crate) fn new(ports: Vec<Box<dyn Port>>) -> Self {
        let next = Cell::new(0);
        Self { ports, next }
    }

    /// Returns the next connection, whichever address it came to.
    pub(crate) fn accept(&self) -> io::Result<(Box<dyn Socket>, PeerAddress)> {
        let first = self.next.get();
        let (before, behind) = self.ports.split_at_checked(first).unwrap_or_default();
        for (at, port) in (first..).zip(behind.iter().chain(before)) {
            match port.accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                accepted => {
                    self.next.set((at + 1) % self.ports.len());
                    return accepted;
                }
            }
        }
        Err(ErrorKind::WouldBlock.into())
    }

    /// Returns what to wait for.
    pub(crate) fn poll_items(&self) -> impl Iterator<Item = Item<'_>> {
        let ports = self.ports.iter();
        ports.map(|port| Item::new(&**port, Events::READ))
    }
}

impl From<Box<dyn Port>> for Entrance {
    fn from(port: Box<dyn Port>) -> Self {
        Self::new(vec![port])
    }
}

impl Pollable for TcpStream {
    fn handle(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

impl Socket for TcpStream {
    fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut stream = self;
        Read::read(&mut stream, buffer)
    }

    fn send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut stream = self;
        stream.write_vectored(slices)
    }

    fn waiting(&self, most: usize) -> io::Result<usize> {
        peek(&SockRef::from(self), most)
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Pollable for TcpListener {
    fn handle(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

impl Port for TcpListener {
    fn accept(&self) -> io::Result<(Box<dyn Socket>, PeerAddress)> {
        let (stream, peer) = Self::accept(self)?;
        prepare(&stream)?;
        Ok((Box::new(stream), peer.into()))
    }
}

/// Counts the bytes that are there to be read, and leaves them there.
pub(super) fn peek(socket: &SockRef<'_>, most: usize) -> io::Result<usize> {
    socket.peek(&mut vec![MaybeUninit::uninit(); most])
}

/// Reads from a socket with the standard library's tools.
pub(super) struct Reading<'a>(pub(super) &'a dyn Socket);

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_turn_however_busy_the_others_are() {
        let listen = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            listener
        };
        let (busy, other) = (listen(), listen());
        let [busy_at, other_at] = [&busy, &other].map(|one| one.local_addr().unwrap());
        let entrance = Entrance::new(vec![Box::new(busy), Box::new(other)]);
        assert_eq!(entrance.poll_items().count(), 2);
        let nobody = entrance.accept().unwrap_err();
        assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
        let waiting: Vec<_> = (0..5)
            .map(|_| TcpStream::connect(busy_at).unwrap())
            .collect();
        let late = TcpStream::connect(other_at).unwrap();
        let mut came = Vec::new();
        while came.len() < 6 {
            if let Ok((_, peer)) = entrance.accept() {
                came.push(peer);
            }
        }
        let at = came
            .iter()
            .position(|peer| *peer == late.local_addr().unwrap().into());
        assert!(at.is_some_and(|at| at < 3), "{came:?}");
        drop(waiting);
    }
}

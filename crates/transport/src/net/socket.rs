//! What a connection and a port are to those who use them.

use std::fmt::Debug;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use rustix::fd::{AsFd as _, BorrowedFd};

use super::poll::Pollable;
use crate::platform::prepare;

/// A stream of bytes to and from a peer. Nothing in it waits.
pub(crate) trait Socket: Pollable + Debug + Send + Sync {
    /// Reads what is there; 0 is the end.
    fn recv(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes as much as the peer takes now.
    fn send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Returns how many bytes are there to be read, up to the buffer's length.
    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Says that nothing more is written. What was written still arrives.
    fn finish(&self) -> io::Result<()>;
}

/// Where peers connect to.
pub(crate) trait Port: Pollable + Send {
    /// Returns the next connection, ready for use, without waiting for it.
    fn accept(&self) -> io::Result<(Box<dyn Socket>, SocketAddr)>;
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

    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Self::peek(self, buffer)
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
    fn accept(&self) -> io::Result<(Box<dyn Socket>, SocketAddr)> {
        let (stream, peer) = Self::accept(self)?;
        prepare(&stream)?;
        Ok((Box::new(stream), peer))
    }
}

/// Reads from a socket with the standard library's tools.
pub(super) struct Reading<'a>(pub(super) &'a dyn Socket);

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer)
    }
}

//! Copies bytes from one connection to another without waiting for either.

use std::io::{self, ErrorKind, Read, Write};

/// Bytes on their way from one connection to another, in a buffer of fixed size.
pub(crate) struct Pipe {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Pipe {
    pub(crate) fn new(chunk: usize) -> Self {
        Self {
            buffer: vec![0; chunk],
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Moves bytes until one side would wait; returns how many were written.
    pub(crate) fn pump(&mut self, from: &mut impl Read, to: &mut impl Write) -> Result<u64, Ended> {
        let mut written = 0;
        loop {
            while !self.is_empty() {
                let unsent = self.buffer.get(self.start..self.end).unwrap_or_default();
                match attempt(|| to.write(unsent))? {
                    Some(0) => return Err(Ended::Sink),
                    Some(count) => {
                        self.start += count;
                        written += count as u64;
                    }
                    None => return Ok(written),
                }
            }
            match attempt(|| from.read(&mut self.buffer))? {
                Some(0) => return Err(Ended::Source),
                Some(count) => (self.start, self.end) = (0, count),
                None => return Ok(written),
            }
        }
    }
}

/// Which end of a pipe is no more.
#[derive(Debug)]
pub(crate) enum Ended {
    Source,
    Sink,
    Failed(io::Error),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Tries something that does not wait; `None` where it would have to, and 0
/// where the connection is gone.
fn attempt(mut io: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match io() {
            Ok(count) => return Ok(Some(count)),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock => return Ok(None),
                ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::NotConnected => return Ok(Some(0)),
                _ => return Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes or gives a few bytes at a time, and then would have to wait.
    struct Choppy {
        bytes: Vec<u8>,
        allowed: usize,
        ended: bool,
    }

    impl Choppy {
        fn new(bytes: &[u8], allowed: usize) -> Self {
            Self {
                bytes: bytes.to_vec(),
                allowed,
                ended: false,
            }
        }

        fn turn(&mut self, wanted: usize) -> io::Result<usize> {
            let count = wanted.min(3).min(self.allowed);
            self.allowed -= count;
            match count {
                0 if !self.ended => Err(ErrorKind::WouldBlock.into()),
                count => Ok(count),
            }
        }
    }

    impl Read for Choppy {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.turn(buffer.len().min(self.bytes.len()))?;
            buffer[..count].copy_from_slice(&self.bytes[..count]);
            self.bytes.drain(..count);
            Ok(count)
        }
    }

    impl Write for Choppy {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            let count = self.turn(buffer.len())?;
            self.bytes.extend_from_slice(&buffer[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn bytes_wait_in_the_pipe_while_the_sink_is_full() {
        let mut pipe = Pipe::new(8);
        let mut source = Choppy::new(b"0123456789", 100);
        let mut sink = Choppy::new(b"", 4);
        assert_eq!(pipe.pump(&mut source, &mut sink).unwrap(), 4);
        assert!(!pipe.is_empty());
        sink.allowed = 100;
        assert_eq!(pipe.pump(&mut source, &mut sink).unwrap(), 6);
        assert!(pipe.is_empty());
        assert_eq!(sink.bytes, b"0123456789");
    }

    #[test]
    fn the_end_that_is_gone_is_named() {
        let mut pipe = Pipe::new(8);
        let mut source = Choppy::new(b"", 0);
        source.ended = true;
        let ended = pipe
            .pump(&mut source, &mut Choppy::new(b"", 9))
            .unwrap_err();
        assert!(matches!(ended, Ended::Source));
        let mut sink = Choppy::new(b"", 0);
        sink.ended = true;
        let ended = pipe.pump(&mut Choppy::new(b"a", 9), &mut sink).unwrap_err();
        assert!(matches!(ended, Ended::Sink));
    }
}

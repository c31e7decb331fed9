//! One publisher's connection.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use zmtp::{Assembler, Command, Found, Handshake, HandshakeError, Role, StreamError};

use crate::attempt::{HANDSHAKE, MAX_UNSENT, Progress, attempt, flush, is_end};
use crate::platform::prepare;

/// How much is read from a connection at once.
pub(crate) const READ: usize = 256 << 10;
/// A part of a message up to this size is copied to the front of the next
/// read; a larger one is read into memory of its own.
const SMALL: usize = 32 << 10;
/// When so much of a message has come, the memory for all of it is taken.
const TRUSTED: usize = 1 << 20;

/// One publisher's connection: bytes come in, whole messages come out.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    state: State,
    /// What has come of a message, or of the handshake.
    held: Vec<u8>,
    /// How much is known to be missing of it.
    missing: usize,
    /// What has to be sent: the handshake, answers to heartbeats.
    unsent: Vec<u8>,
    last_read: Instant,
}

#[derive(Debug)]
enum State {
    Handshake(Handshake),
    Messages(Assembler),
}

/// Why a connection has ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("it has left")]
    Left,
    #[error("the handshake took too long")]
    Silent,
    #[error("it takes no answers")]
    Deaf,
    #[error("it left a message unfinished while others waited for the memory")]
    Unfinished,
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("it sent a malformed command")]
    Command(#[from] zmtp::CommandError),
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

impl Publisher {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr) -> io::Result<Self> {
        prepare(&stream)?;
        Ok(Self {
            stream,
            peer,
            state: State::Handshake(Handshake::new(Role::Subscriber)),
            held: Vec::new(),
            missing: 1,
            unsent: Vec::new(),
            last_read: Instant::now(),
        })
    }

    /// Returns how many bytes of an unfinished message are in memory.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Tells whether an unfinished message has memory of its own.
    pub(crate) fn is_large(&self) -> bool {
        self.held.len() >= SMALL
    }

    /// Tells whether the publisher may send messages.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, State::Messages(_))
    }

    /// Returns when bytes came last.
    pub(crate) fn last_read(&self) -> Instant {
        self.last_read
    }

    /// Tells whether something waits to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Refuses a peer that begins a handshake and does not end it.
    pub(crate) fn check_handshake(&self) -> Result<(), Ended> {
        if !self.is_ready() && self.last_read.elapsed() > HANDSHAKE {
            return Err(Ended::Silent);
        }
        Ok(())
    }

    /// Sends what waits, as far as that goes.
    pub(crate) fn flush(&mut self) -> Result<(), Ended> {
        if let State::Handshake(handshake) = &mut self.state {
            self.unsent.extend(handshake.take_unsent());
        }
        if flush(&self.stream, &mut self.unsent)? == Progress::End {
            return Err(Ended::Left);
        }
        match self.unsent.len() {
            0..=MAX_UNSENT => Ok(()),
            _ => Err(Ended::Deaf),
        }
    }

    /// Reads once, and gives each message that is whole to `take`. Returns
    /// whether anything came.
    pub(crate) fn receive(
        &mut self,
        limit: u64,
        scratch: &mut [u8],
        take: &mut impl FnMut(Cow<'_, [u8]>),
    ) -> Result<bool, Ended> {
        let came = if self.is_large() {
            self.read_large(take)?
        } else {
            self.read_small(limit, scratch, take)?
        };
        if self.has_unsent() || !self.is_ready() {
            self.flush()?;
        }
        Ok(came)
    }

    /// Reads behind the part that is held, in memory that all publishers share.
    fn read_small(
        &mut self,
        limit: u64,
        scratch: &mut [u8],
        take: &mut impl FnMut(Cow<'_, [u8]>),
    ) -> Result<bool, Ended> {
        let held = self.held.len();
        let Some((front, space)) = scratch.split_at_mut_checked(held) else {
            return Ok(false);
        };
        let count = match attempt(|| (&self.stream).read(space))? {
            Progress::Bytes(count) => count,
            Progress::Wait => return Ok(false),
            Progress::End => return Err(Ended::Left),
        };
        front.copy_from_slice(&self.held);
        self.held.clear();
        self.last_read = Instant::now();
        let bytes = scratch.get_mut(..held + count).unwrap_or_default();
        let start = self.shake_hands(limit, bytes)?;
        self.take_messages(bytes, start, take)?;
        Ok(true)
    }

    /// Goes on with the handshake, and returns how many bytes it consumed.
    fn shake_hands(&mut self, limit: u64, bytes: &[u8]) -> Result<usize, Ended> {
        let State::Handshake(handshake) = &mut self.state else {
            return Ok(0);
        };
        let (consumed, done) = handshake.advance(bytes)?;
        self.unsent.extend(handshake.take_unsent());
        if done {
            // Everything is recorded, whether or not anybody subscribes to it.
            zmtp::push_frame(&mut self.unsent, b"\x01", false);
            self.state = State::Messages(Assembler::new(limit));
        }
        Ok(consumed)
    }

    /// Takes whole messages from the bytes behind `start`, and holds the rest.
    fn take_messages(
        &mut self,
        bytes: &mut [u8],
        mut start: usize,
        take: &mut impl FnMut(Cow<'_, [u8]>),
    ) -> Result<(), Ended> {
        let mut length = bytes.len();
        while let State::Messages(assembler) = &mut self.state {
            let rest = bytes.get(start..length).unwrap_or_default();
            match assembler.look(rest)? {
                Found::Message(end) => {
                    take(Cow::Borrowed(rest.get(..end).unwrap_or_default()));
                    start += end;
                }
                Found::Command { frame, body, end } => {
                    answer(&mut self.unsent, rest.get(body..end).unwrap_or_default())?;
                    bytes.copy_within(start + end..length, start + frame);
                    length -= end - frame;
                }
                Found::Part { missing } => {
                    self.missing = missing;
                    break;
                }
            }
        }
        let rest = bytes.get(start..length).unwrap_or_default();
        self.held.extend_from_slice(rest);
        Ok(())
    }

    /// Reads what is missing of a message into its own memory.
    fn read_large(&mut self, take: &mut impl FnMut(Cow<'_, [u8]>)) -> Result<bool, Ended> {
        if self.held.len() >= TRUSTED && self.held.capacity() - self.held.len() < self.missing {
            self.held.reserve_exact(self.missing);
        }
        // Where the next frame's length is not known yet, a little more than
        // its header is read.
        let wanted = match self.missing {
            1 => SMALL,
            missing => missing.min(4 * READ),
        };
        let before = self.held.len();
        let result = (&self.stream)
            .take(wanted as u64)
            .read_to_end(&mut self.held);
        let came = self.held.len() - before;
        match result {
            Ok(count) if count < wanted => return Err(Ended::Left),
            Err(error) if is_end(&error) => return Err(Ended::Left),
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error.into()),
            _ if came == 0 => return Ok(false),
            _ => self.last_read = Instant::now(),
        }
        self.take_large(take)?;
        Ok(true)
    }

    fn take_large(&mut self, take: &mut impl FnMut(Cow<'_, [u8]>)) -> Result<(), Ended> {
        while let State::Messages(assembler) = &mut self.state {
            match assembler.look(&self.held)? {
                Found::Message(end) => {
                    let rest = self.held.split_off(end.min(self.held.len()));
                    take(Cow::Owned(mem::replace(&mut self.held, rest)));
                }
                Found::Command { frame, body, end } => {
                    let command = self.held.get(body..end).unwrap_or_default();
                    answer(&mut self.unsent, command)?;
                    self.held.drain(frame..end);
                }
                Found::Part { missing } => {
                    self.missing = missing;
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Answers a command where it wants an answer.
fn answer(unsent: &mut Vec<u8>, body: &[u8]) -> Result<(), Ended> {
    match Command::parse(body)? {
        Command::Ping(context) => zmtp::push_pong(unsent, context),
        Command::Error(_) => return Err(Ended::Left),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;

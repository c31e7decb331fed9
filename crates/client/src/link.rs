//! A connection whose handshake is done: messages in and out.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use socket2::Socket;
use zmtp::curve::{Opened, Opener, Sealer, Session};
use zmtp::{Assembler, Command, Found, Peer};

use crate::wait::is_pause;

/// How much is read at once.
const READ: usize = 64 << 10;
/// Answers to heartbeats wait for a peer that does not read only up to this many bytes.
const MAX_UNSENT: usize = 64 << 10;

/// The frames of a message.
pub(crate) type Frames = Vec<Vec<u8>>;

pub(crate) struct Link {
    pub(crate) stream: Socket,
    pub(crate) peer: Peer,
    /// With keys, what makes boxes and what opens them.
    sealer: Option<Sealer>,
    opener: Option<Opener>,
    /// What has come and is in no whole box.
    sealed: Vec<u8>,
    /// What was in boxes, or came without them, and is no whole message.
    plain: Vec<u8>,
    /// Where the frame begins in it that was not looked at.
    next: usize,
    assembler: Assembler,
    unsent: Vec<u8>,
    /// How many bytes of it have left.
    sent: usize,
    buffer: Vec<u8>,
}

impl Link {
    /// Goes on after a handshake, behind which these bytes have come already.
    pub(crate) fn new(
        stream: Socket,
        peer: Peer,
        session: Option<Session>,
        behind: Vec<u8>,
    ) -> Self {
        let (sealer, opener) = match session {
            Some(Session { sealer, opener }) => (Some(sealer), Some(opener)),
            None => (None, None),
        };
        let (sealed, plain) = match opener {
            Some(_) => (behind, Vec::new()),
            None => (Vec::new(), behind),
        };
        Self {
            stream,
            peer,
            sealer,
            opener,
            sealed,
            plain,
            next: 0,
            assembler: Assembler::new(u64::MAX),
            unsent: Vec::new(),
            sent: 0,
            buffer: vec![0; READ],
        }
    }

    /// Returns how many bytes wait to be sent.
    pub(crate) fn owed(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// Takes whole frames to be sent, as they stand on the wire without keys.
    pub(crate) fn push(&mut self, plain: &[u8]) -> io::Result<()> {
        match &mut self.sealer {
            Some(sealer) => sealer
                .push(&mut self.unsent, plain)
                .map_err(io::Error::other),
            None => {
                self.unsent.extend_from_slice(plain);
                Ok(())
            }
        }
    }

    /// Sends what waits, as far as that goes without waiting.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.owed() > 0 {
            let rest = self.unsent.get(self.sent..).unwrap_or_default();
            match (&self.stream).write(rest) {
                Ok(count) => self.sent += count,
                Err(error) if is_pause(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(())
    }

    /// Reads once without waiting, and adds the messages that are whole.
    pub(crate) fn read(&mut self, messages: &mut VecDeque<Frames>) -> io::Result<()> {
        let count = match (&self.stream).read(&mut self.buffer) {
            Ok(0) => {
                let text = "the broker has closed the connection";
                return Err(io::Error::new(ErrorKind::ConnectionReset, text));
            }
            Ok(count) => count,
            Err(error) if is_pause(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let bytes = self.buffer.get(..count).unwrap_or_default();
        match self.opener {
            Some(_) => self.sealed.extend_from_slice(bytes),
            None => self.plain.extend_from_slice(bytes),
        }
        self.take(messages)
    }

    /// Adds the messages that are whole among what has come.
    pub(crate) fn take(&mut self, messages: &mut VecDeque<Frames>) -> io::Result<()> {
        self.open_boxes()?;
        self.find_messages(messages)
    }

    fn open_boxes(&mut self) -> io::Result<()> {
        let Some(opener) = &mut self.opener else {
            return Ok(());
        };
        let mut at = 0;
        loop {
            let rest = self.sealed.get_mut(at..).unwrap_or_default();
            match opener.open(rest).map_err(io::Error::other)? {
                Opened::Frame { plain, end, .. } => {
                    let frame = rest.get(plain).unwrap_or_default();
                    self.plain.extend_from_slice(frame);
                    at += end;
                }
                Opened::Part { .. } => break,
            }
        }
        self.sealed.drain(..at);
        Ok(())
    }

    fn find_messages(&mut self, messages: &mut VecDeque<Frames>) -> io::Result<()> {
        // Where the message begins whose frames are being looked at.
        let mut start = 0;
        loop {
            let rest = self.plain.get(self.next..).unwrap_or_default();
            match self.assembler.look(rest).map_err(io::Error::other)? {
                Found::Frame { end, last } => {
                    self.next += end;
                    if last {
                        let whole = self.plain.get(start..self.next).unwrap_or_default();
                        messages.push_back(zmtp::frames(whole).map(<[u8]>::to_vec).collect());
                        start = self.next;
                    }
                }
                Found::Command { body, end } => {
                    let at = self.next;
                    let command = self.plain.get(at + body..at + end).unwrap_or_default();
                    let command = command.to_vec();
                    self.obey(&command, messages)?;
                    // Between messages nothing has to be moved for it.
                    if start == at {
                        start += end;
                        self.next += end;
                    } else {
                        self.plain.drain(at..at + end);
                    }
                }
                Found::Part { .. } => break,
            }
        }
        self.plain.drain(..start);
        self.next -= start;
        Ok(())
    }

    fn obey(&mut self, command: &[u8], messages: &mut VecDeque<Frames>) -> io::Result<()> {
        let subscription = |first: u8, topic: &[u8]| vec![[&[first], topic].concat()];
        match Command::parse(command) {
            Ok(Command::Ping { context, .. }) if self.owed() < MAX_UNSENT => {
                let mut pong = Vec::new();
                zmtp::push_pong(&mut pong, context);
                self.push(&pong)
            }
            // An XPUB socket gets both forms of a subscription as a message.
            Ok(Command::Subscribe(topic)) => {
                messages.push_back(subscription(1, topic));
                Ok(())
            }
            Ok(Command::Cancel(topic)) => {
                messages.push_back(subscription(0, topic));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;

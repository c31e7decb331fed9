//! Takes commands out of received bytes, so that the frames of each message lie
//! directly behind each other.

use std::ops::Range;
use std::time::Duration;

use zmtp::{Assembler, Command, Found};

use super::ended::Ended;

/// A walk through received bytes.
///
/// Every byte is moved at most once, however many commands stand between the
/// frames: what lies behind a command is not moved before it was looked at.
#[derive(Debug)]
pub(super) struct Sift<'a> {
    bytes: &'a mut [u8],
    /// Where the message under way begins.
    first: usize,
    /// Where its whole frames end, now that they lie behind each other.
    end: usize,
    /// Where the bytes begin that were not looked at.
    next: usize,
}

/// What the walk has come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole message, in this stretch of the bytes.
    Message(Range<usize>),
    /// The end of the bytes; at least `missing` more are needed.
    Part { missing: usize },
}

impl<'a> Sift<'a> {
    /// Begins at `first`; the `kept` bytes from there on are whole frames that
    /// an earlier walk has looked at.
    pub(super) fn new(bytes: &'a mut [u8], first: usize, kept: usize) -> Self {
        Self {
            bytes,
            first,
            end: first + kept,
            next: first + kept,
        }
    }

    /// Goes on to the end of a message, or of the bytes, and answers commands.
    pub(super) fn step(
        &mut self,
        assembler: &mut Assembler,
        answers: &mut Answers<'_>,
    ) -> Result<Step, Ended> {
        loop {
            let rest = self.bytes.get(self.next..).unwrap_or_default();
            match assembler.look(rest)? {
                Found::Frame { end, last } => {
                    self.close_gap(end);
                    if last {
                        let message = self.first..self.end;
                        (self.first, self.end) = (self.next, self.next);
                        return Ok(Step::Message(message));
                    }
                }
                Found::Command { body, end } => {
                    answers.to(rest.get(body..end).unwrap_or_default())?;
                    self.next += end;
                }
                Found::Part { missing } => return Ok(Step::Part { missing }),
            }
        }
    }

    /// Moves the frame of `length` bytes that was just found to the others of
    /// its message.
    fn close_gap(&mut self, length: usize) {
        if self.end != self.next {
            let frame = self.next..self.next + length;
            self.bytes.copy_within(frame, self.end);
        }
        self.end += length;
        self.next += length;
    }

    /// Returns the bytes of a message.
    pub(super) fn get(&self, message: Range<usize>) -> &[u8] {
        self.bytes.get(message).unwrap_or_default()
    }

    /// Returns the whole frames of the unfinished message, and what stands
    /// behind them without having been understood.
    pub(super) fn rest(&self) -> (&[u8], &[u8]) {
        (
            self.get(self.first..self.end),
            self.get(self.next..self.bytes.len()),
        )
    }

    /// Returns where the bytes begin that were not looked at.
    pub(super) fn next(&self) -> usize {
        self.next
    }
}

/// What comes of commands.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    /// What is to be sent.
    out: &'a mut Vec<u8>,
    heartbeats: &'a mut Heartbeats,
}

/// What a peer has said with its heartbeats.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heartbeats {
    /// Whether it has asked for a sign of life: then it waits for the answer.
    pub(super) asked: bool,
    /// For how long the peer may be silent by its own word; zero is for ever.
    pub(super) ttl: Duration,
}

impl<'a> Answers<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, heartbeats: &'a mut Heartbeats) -> Self {
        Self { out, heartbeats }
    }

    /// Answers a command where it wants an answer.
    fn to(&mut self, body: &[u8]) -> Result<(), Ended> {
        match Command::parse(body)? {
            Command::Ping { ttl, context } => {
                *self.heartbeats = Heartbeats { asked: true, ttl };
                zmtp::push_pong(self.out, context);
            }
            Command::Error(_) => return Err(Ended::Left),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: &[u8] = b"\x04\x0a\x04PING\0\x0aabc";

    /// Walks through all of it, held over in pieces as a connection does.
    fn sift(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut assembler = Assembler::new(1 << 20);
        let (mut messages, mut out) = (Vec::new(), Vec::new());
        let mut heartbeats = Heartbeats::default();
        let (mut held, mut kept) = (Vec::new(), 0);
        for chunk in stream.chunks(piece) {
            let mut bytes = [&held[..], chunk].concat();
            let mut sift = Sift::new(&mut bytes, 0, kept);
            let mut answers = Answers::new(&mut out, &mut heartbeats);
            while let Step::Message(message) = sift.step(&mut assembler, &mut answers).unwrap() {
                messages.push(sift.get(message).to_vec());
            }
            let (frames, rest) = sift.rest();
            kept = frames.len();
            held = [frames, rest].concat();
        }
        assert!(held.is_empty());
        assert!(heartbeats.asked);
        assert_eq!(heartbeats.ttl, Duration::from_secs(1), "the PING's word");
        (messages, out)
    }

    #[test]
    fn commands_are_taken_out_from_between_messages_and_from_between_their_frames() {
        let frames: [&[u8]; 3] = [b"\x01\x05topic", b"\x01\x00", b"\x00\x04last"];
        let message = frames.concat();
        let spread = frames.map(|frame| [PING, frame, PING, PING].concat());
        let stream = [&spread.concat()[..], &message, PING, &spread.concat()].concat();
        for piece in 1..=stream.len() {
            let (messages, answers) = sift(&stream, piece);
            assert_eq!(messages, vec![message.clone(); 3], "pieces of {piece}");
            assert_eq!(answers, b"\x04\x08\x04PONGabc".repeat(19));
        }
    }
}

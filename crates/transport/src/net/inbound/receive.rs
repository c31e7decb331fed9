//! Reads from a connection, and finds the messages in what has come.

use std::borrow::Cow;
use std::io::{ErrorKind, Read as _};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::{ConnectionState, Inbound, READ, SMALL};
use crate::keys::Member;
use crate::net::boxes::{Plain, open_boxes};
use crate::net::ended::Ended;
use crate::net::sift::{Answers, Sift, Step};
use crate::net::socket::Reading;
use crate::net::{Progress, attempt, is_end};

/// When this much of a message has come, the memory for all of it is taken.
const TRUSTED: usize = 1 << 20;

impl Inbound {
    /// Reads once, and gives each message that is whole to `take`. Returns
    /// whether anything came.
    pub(crate) fn receive(
        &mut self,
        limit: u64,
        scratch: &mut [u8],
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<bool, Ended> {
        let came = if self.is_large() {
            self.read_large(take)?
        } else {
            self.read_small(limit, scratch, take)?
        };
        if self.has_unsent() || !self.is_ready() {
            self.flush();
        }
        Ok(came)
    }

    /// Reads behind the part that is held, in memory that all publishers share.
    fn read_small(
        &mut self,
        limit: u64,
        scratch: &mut [u8],
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<bool, Ended> {
        let held = self.held.len();
        let Some((front, space)) = scratch.split_at_mut_checked(held) else {
            return Ok(false);
        };
        let count = match attempt(|| self.socket.recv(space))? {
            Progress::Bytes(count) => count,
            Progress::Wait => return Ok(false),
            Progress::End => return Err(Ended::Left),
        };
        front.copy_from_slice(&self.held);
        self.held.clear();
        self.note_received(count);
        let bytes = scratch.get_mut(..held + count).unwrap_or_default();
        let start = self.shake_hands(limit, bytes)?;
        self.take_messages(bytes, start, take)?;
        Ok(true)
    }

    fn note_received(&mut self, count: usize) {
        self.silent = Duration::ZERO;
        self.received += count as u64;
    }

    /// Takes whole messages from the bytes behind `start`, and holds the rest.
    fn take_messages(
        &mut self,
        bytes: &mut [u8],
        start: usize,
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<(), Ended> {
        let ConnectionState::Messages(assembler) = &mut self.state else {
            self.held
                .extend_from_slice(bytes.get(start..).unwrap_or_default());
            return Ok(());
        };
        let kept = mem::take(&mut self.kept);
        let mut plain = Plain::all(bytes.len());
        if let Some(opener) = &mut self.opener {
            plain = open_boxes(opener, bytes, start + kept, false);
        }
        let Some((open, behind)) = bytes.split_at_mut_checked(plain.end) else {
            return Ok(());
        };
        let sealed = behind.get(plain.rest - plain.end..).unwrap_or_default();
        let mut answers = Answers::new(self.outbox.end(), &mut self.heartbeats);
        let mut sift = Sift::new(open, start, kept);
        let missing = loop {
            match sift.step(assembler, &mut answers) {
                Ok(Step::Message(message)) => {
                    take(self.member.as_ref(), Cow::Borrowed(sift.get(message)));
                }
                Ok(Step::Part { missing }) => break Ok(missing),
                Err(end) => break Err(end),
            }
        };
        let (frames, rest) = sift.rest();
        self.kept = frames.len();
        self.held.extend_from_slice(frames);
        // Also where it ends here: a request that is too large is answered by its header.
        self.missing = plain.missing.unwrap_or(missing?);
        self.held.extend_from_slice(rest);
        self.held.extend_from_slice(sealed);
        plain.check(assembler)
    }

    /// Reads what is missing of a message into its own memory.
    fn read_large(
        &mut self,
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<bool, Ended> {
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
        let result = Reading(&*self.socket)
            .take(wanted as u64)
            .read_to_end(&mut self.held);
        // What has come before the end of the connection was sent in time: it
        // is looked at first.
        let came = self.held.len() - before;
        if came > 0 {
            self.note_received(came);
            self.take_large(take)?;
        }
        match result {
            Ok(_) if came < wanted => Err(Ended::Left),
            Err(error) if is_end(&error) => Err(Ended::Left),
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error.into()),
            _ => Ok(came > 0),
        }
    }

    /// Takes the message that has memory of its own, if it is whole now, and
    /// the small ones behind it.
    fn take_large(
        &mut self,
        take: &mut impl FnMut(Option<&Arc<Member>>, Cow<'_, [u8]>),
    ) -> Result<(), Ended> {
        let ConnectionState::Messages(assembler) = &mut self.state else {
            return Ok(());
        };
        let mut held = mem::take(&mut self.held);
        let kept = mem::take(&mut self.kept);
        let mut plain = Plain::all(held.len());
        if let Some(opener) = &mut self.opener {
            plain = open_boxes(opener, &mut held, kept, true);
        }
        let mut answers = Answers::new(self.outbox.end(), &mut self.heartbeats);
        let open = held.get_mut(..plain.end).unwrap_or_default();
        let mut sift = Sift::new(open, 0, kept);
        let step = match sift.step(assembler, &mut answers) {
            Ok(step) => step,
            Err(end) => {
                self.kept = sift.rest().0.len();
                held.truncate(self.kept);
                self.held = held;
                return Err(end);
            }
        };
        // With keys, all that was opened ends here at the latest.
        let next = match plain.missing {
            Some(_) => plain.rest,
            None => sift.next(),
        };
        match step {
            Step::Message(message) => {
                let mut rest = held.split_off(next);
                held.truncate(message.end);
                self.turns_lost = 0;
                take(self.member.as_ref(), Cow::Owned(held));
                plain.check(assembler)?;
                self.take_messages(&mut rest, 0, take)
            }
            Step::Part { missing } => {
                self.missing = plain.missing.unwrap_or(missing);
                self.kept = sift.rest().0.len();
                // Where commands stood, and what was around the frames.
                held.drain(self.kept..next);
                self.held = held;
                plain.check(assembler)
            }
        }
    }
}

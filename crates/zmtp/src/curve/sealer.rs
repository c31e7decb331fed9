//! What goes out: frames become boxes.

use super::boxes::{MAC, Shared};
use super::nonce::{self, SHORT};
use super::{COMMAND, MESSAGE, MORE, OVERHEAD};
use crate::frame::{FrameError, Header, push_header};

/// Makes the boxes that a peer opens. Each has a nonce of its own: what was sealed
/// is to be sent once, and in order.
#[derive(Debug)]
pub struct Sealer {
    shared: Shared,
    purpose: [u8; 16],
    /// The nonce of the last box.
    said: u64,
}

impl Sealer {
    pub(super) fn new(shared: Shared, purpose: [u8; 16], said: u64) -> Self {
        Self {
            shared,
            purpose,
            said,
        }
    }

    /// Appends the box for whole frames as they would stand on the wire without
    /// CURVE, messages' or commands'.
    ///
    /// # Errors
    /// [`FrameError`] where `plain` is none.
    pub fn push(&mut self, out: &mut Vec<u8>, mut plain: &[u8]) -> Result<(), FrameError> {
        while let Some(header) = Header::parse(plain)? {
            let start = push_start(out, header);
            let body = usize::try_from(header.body).unwrap_or(usize::MAX);
            let rest = plain.get(header.length..).unwrap_or_default();
            let Some((body, rest)) = rest.split_at_checked(body) else {
                break;
            };
            out.extend_from_slice(body);
            self.finish(out.get_mut(start..).unwrap_or_default());
            plain = rest;
        }
        Ok(())
    }

    /// Closes the box whose bytes behind the outer header are these.
    pub(super) fn finish(&mut self, sealed: &mut [u8]) {
        // More than can be sent in any lifetime.
        self.said = self.said.saturating_add(1);
        let nonce = nonce::counted(&self.purpose, self.said);
        let behind_name = sealed.get_mut(MESSAGE.len()..).unwrap_or_default();
        let Some((counter, rest)) = behind_name.split_first_chunk_mut::<SHORT>() else {
            return;
        };
        *counter = self.said.to_be_bytes();
        if let Some((mac, data)) = rest.split_first_chunk_mut::<MAC>() {
            *mac = self.shared.seal(data, &nonce);
        }
    }
}

/// Appends what stands before a frame's body, with room for what is known when the
/// body is; returns where that begins, behind the outer header.
fn push_start(out: &mut Vec<u8>, header: Header) -> usize {
    // Not marked as a command on the outside, which stock clients do not understand.
    push_header(out, header.body.saturating_add(OVERHEAD as u64), false);
    let start = out.len();
    out.extend_from_slice(MESSAGE);
    out.extend_from_slice(&[0; SHORT + MAC]);
    let mut flags = 0;
    if header.more {
        flags |= MORE;
    }
    if header.command {
        flags |= COMMAND;
    }
    out.push(flags);
    start
}

/// Bytes that go out in boxes, whatever the pieces are in which they come.
///
/// A frame's box can be sent when its last byte has come, since what proves it
/// stands before it.
#[derive(Debug)]
pub struct Sealed {
    sealer: Sealer,
    out: Vec<u8>,
    /// How many bytes of it have left.
    sent: usize,
    /// The beginning of a frame's header that is not whole yet.
    header: Vec<u8>,
    open: Option<Open>,
}

/// A box whose frame is not whole yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// Where its outer header begins in what goes out.
    at: usize,
    /// Where it begins behind that.
    start: usize,
    /// How many bytes of the frame are missing.
    missing: usize,
}

impl Sealed {
    /// Begins with nothing.
    #[must_use]
    pub fn new(sealer: Sealer) -> Self {
        Self {
            sealer,
            out: Vec::new(),
            sent: 0,
            header: Vec::new(),
            open: None,
        }
    }

    /// Returns how many bytes are in memory, those of an unfinished box included.
    #[must_use]
    pub fn held(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Returns what can be sent.
    #[must_use]
    pub fn ready(&self) -> &[u8] {
        let end = self.open.map_or(self.out.len(), |open| open.at);
        self.out.get(self.sent..end).unwrap_or_default()
    }

    /// Tells whether a frame has begun that is not whole.
    #[must_use]
    pub fn is_within_frame(&self) -> bool {
        self.open.is_some() || !self.header.is_empty()
    }

    /// Forgets bytes of [`ready`](Self::ready) that have been sent.
    pub fn consume(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.out.len() {
            self.out.clear();
            self.out.shrink_to(KEPT);
            self.sent = 0;
        } else if self.sent >= KEPT && self.sent > self.out.len() / 2 {
            // Each byte is moved at most once.
            self.out.drain(..self.sent);
            if let Some(open) = &mut self.open {
                (open.at, open.start) = (open.at - self.sent, open.start - self.sent);
            }
            self.sent = 0;
        }
    }

    /// Takes the next of the bytes that would stand on the wire without CURVE.
    /// Memory for a frame is taken as it comes.
    ///
    /// # Errors
    /// [`FrameError`] where they are no frames.
    pub fn push(&mut self, mut plain: &[u8]) -> Result<(), FrameError> {
        while !plain.is_empty() {
            plain = match self.open.take() {
                Some(open) => self.fill(open, plain),
                None => self.begin(plain)?,
            };
        }
        Ok(())
    }

    /// Adds to the box that is open; returns what belongs to the next one.
    fn fill<'a>(&mut self, open: Open, plain: &'a [u8]) -> &'a [u8] {
        let (body, rest) = plain.split_at(open.missing.min(plain.len()));
        self.out.extend_from_slice(body);
        let missing = open.missing - body.len();
        if missing == 0 {
            let sealed = self.out.get_mut(open.start..).unwrap_or_default();
            self.sealer.finish(sealed);
        } else {
            self.open = Some(Open { missing, ..open });
        }
        rest
    }

    /// Opens the next box when its frame's header is whole.
    fn begin<'a>(&mut self, plain: &'a [u8]) -> Result<&'a [u8], FrameError> {
        let before = self.header.len();
        let (header, rest) = if before == 0 {
            (Header::parse(plain)?, plain)
        } else {
            let (first, rest) = plain.split_at(1);
            self.header.extend_from_slice(first);
            (Header::parse(&self.header)?, rest)
        };
        let Some(header) = header else {
            if before == 0 {
                self.header.extend_from_slice(rest);
                return Ok(&[]);
            }
            return Ok(rest);
        };
        let rest = match before {
            0 => rest.get(header.length..).unwrap_or_default(),
            _ => rest,
        };
        self.header.clear();
        let missing = usize::try_from(header.body).map_err(|_| FrameError::Length {
            length: header.body,
        })?;
        let at = self.out.len();
        let start = push_start(&mut self.out, header);
        let open = Open { at, start, missing };
        Ok(self.fill(open, rest))
    }
}

/// How much memory is kept for what goes out next.
const KEPT: usize = 256 << 10;

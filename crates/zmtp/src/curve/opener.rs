//! What comes in: boxes become frames again, in the place where they stand.

use std::ops::Range;

use super::boxes::{MAC, Shared};
use super::error::CurveError;
use super::nonce::{self, SHORT};
use super::{COMMAND, MESSAGE, MORE, OVERHEAD};
use crate::frame::{FrameError, Header, write_header};

/// Opens the boxes that a peer sends.
#[derive(Debug)]
pub struct Opener {
    shared: Shared,
    purpose: [u8; 16],
    /// The nonce of the last box.
    heard: u64,
}

/// What stands at the beginning of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// A whole box, now open.
    Frame {
        /// Where the frame that was in it stands now: with its header, as it
        /// would without CURVE.
        plain: Range<usize>,
        /// Whether a message ends with it.
        last: bool,
        /// Where the box ends.
        end: usize,
    },
    /// A part of a box.
    Part {
        /// At least this many more bytes are missing.
        missing: usize,
        /// How many bytes of a frame it carries, where that is known already.
        carries: Option<u64>,
    },
}

/// Why a peer's stream can't be read any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Something is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Something is no box of this connection.
    #[error(transparent)]
    Curve(#[from] CurveError),
}

const NAME: &str = "MESSAGE";

impl Opener {
    pub(super) fn new(shared: Shared, purpose: [u8; 16], heard: u64) -> Self {
        Self {
            shared,
            purpose,
            heard,
        }
    }

    /// Looks at the bytes from the beginning of a box on, and opens it where it is
    /// whole. It is to be called next with what is behind it, or with the same bytes
    /// and more.
    ///
    /// # Errors
    /// [`OpenError`] where the peer breaks the protocol, or somebody has changed what
    /// it sent. Nothing after that may be believed: the connection has to end.
    pub fn open(&mut self, bytes: &mut [u8]) -> Result<Opened, OpenError> {
        let Some(header) = Header::parse(bytes)? else {
            let (missing, carries) = (1, None);
            return Ok(Opened::Part { missing, carries });
        };
        let malformed = CurveError::Malformed { expected: NAME };
        // Some set the command bit on the outside, as the RFC can be read; none
        // the bit for more frames.
        if header.more || header.body < OVERHEAD as u64 {
            return Err(malformed.into());
        }
        let end = usize::try_from(header.body)
            .ok()
            .and_then(|body| body.checked_add(header.length));
        let end = end.ok_or(FrameError::Length {
            length: header.body,
        })?;
        let there = bytes.len();
        let Some(sealed) = bytes.get_mut(..end) else {
            return Ok(Opened::Part {
                missing: end - there,
                carries: Some(header.body - OVERHEAD as u64),
            });
        };
        let Some(flags) = self.open_body(sealed.get_mut(header.length..).unwrap_or_default())?
        else {
            return Err(malformed.into());
        };
        let (data, length) = (header.length + OVERHEAD, header.body - OVERHEAD as u64);
        let front = sealed.get_mut(..data).unwrap_or_default();
        let (more, command) = (flags & MORE != 0, flags & COMMAND != 0);
        let written = write_header(front, length, more, command);
        if flags > (MORE | COMMAND) || (more && command) {
            return Err(FrameError::Flags { flags }.into());
        }
        Ok(Opened::Frame {
            plain: data - written..end,
            last: !more && !command,
            end,
        })
    }

    /// Opens what follows a frame's header; returns the flags that were in the box.
    fn open_body(&mut self, body: &mut [u8]) -> Result<Option<u8>, CurveError> {
        let Some(rest) = body
            .split_at_mut_checked(MESSAGE.len())
            .and_then(|(name, rest)| (name == MESSAGE).then_some(rest))
        else {
            return Ok(None);
        };
        let Some((counter, rest)) = rest.split_first_chunk_mut::<SHORT>() else {
            return Ok(None);
        };
        let Some((mac, data)) = rest.split_first_chunk_mut::<MAC>() else {
            return Ok(None);
        };
        let (nonce, last) = (u64::from_be_bytes(*counter), self.heard);
        if nonce <= last {
            let command = NAME;
            return Err(CurveError::Nonce {
                command,
                nonce,
                last,
            });
        }
        let whole = self
            .shared
            .open(data, mac, &nonce::counted(&self.purpose, nonce));
        if !whole {
            return Err(CurveError::Box {
                command: NAME,
                reason: "it was changed on its way",
            });
        }
        self.heard = nonce;
        Ok(data.first().copied())
    }

    #[cfg(test)]
    pub(super) fn heard(&self) -> u64 {
        self.heard
    }

    #[cfg(test)]
    pub(super) fn set_heard(&mut self, heard: u64) {
        self.heard = heard;
    }
}

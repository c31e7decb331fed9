//! Finds where the messages end in a peer's stream of bytes.

use crate::frame::{FrameError, Header};

/// The largest number of frames in a message: they take memory also where they
/// are empty.
pub const MAX_FRAMES: u64 = 1 << 20;
/// No command that a publisher may send is longer.
const MAX_COMMAND: u64 = 64 << 10;

/// Finds where the messages end in a peer's stream of bytes, behind the handshake.
///
/// It holds no bytes itself, and remembers how far it has looked: a message that
/// comes in many parts is looked at once.
///
/// ```
/// use zmtp::{Assembler, Found};
///
/// let mut assembler = Assembler::new(1024);
/// assert_eq!(assembler.look(b"\x01\x01t\x00\x05he")?, Found::Part { missing: 3 });
/// assert_eq!(assembler.look(b"\x01\x01t\x00\x05hello...")?, Found::Message(10));
/// # Ok::<(), zmtp::StreamError>(())
/// ```
#[derive(Debug)]
pub struct Assembler {
    /// The largest message that is taken, in bytes of all its frames.
    limit: u64,
    /// So many bytes at the beginning are whole frames of the message.
    scanned: usize,
    frames: u64,
    size: u64,
}

/// What stands at the beginning of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A message that takes so many bytes.
    Message(usize),
    /// A command, by its offsets. It may come between the frames of a message.
    Command {
        /// Where its frame begins.
        frame: usize,
        /// Where its body begins.
        body: usize,
        /// Where it ends.
        end: usize,
    },
    /// A part of a message.
    Part {
        /// At least so many more bytes are missing.
        missing: usize,
    },
}

/// Why a connection can't be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The message under way is too large.
    #[error("{size} bytes in {frames} frames: the limits are {limit} and {MAX_FRAMES}")]
    TooLarge {
        /// Its size in bytes so far, with the frame that was just announced.
        size: u64,
        /// Its frames so far.
        frames: u64,
        /// The largest size in bytes that is taken.
        limit: u64,
    },
    /// A command is longer than any that there is.
    #[error("it sent a command of {length} bytes")]
    Command {
        /// Its length in bytes.
        length: u64,
    },
    /// Something is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Assembler {
    /// Takes messages of up to `limit` bytes in all their frames.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            scanned: 0,
            frames: 0,
            size: 0,
        }
    }

    /// Looks at the bytes from the beginning of a message on. After
    /// [`Found::Message`] those are to be taken away, after [`Found::Command`]
    /// the command's; then it is to be called again.
    ///
    /// # Errors
    /// [`StreamError`] where the stream breaks the protocol or a limit.
    pub fn look(&mut self, bytes: &[u8]) -> Result<Found, StreamError> {
        loop {
            let rest = bytes.get(self.scanned..).unwrap_or_default();
            let Some(header) = Header::parse(rest)? else {
                return Ok(Found::Part { missing: 1 });
            };
            self.check(header)?;
            let body = self.scanned + header.length;
            let end = usize::try_from(header.body)
                .ok()
                .and_then(|length| body.checked_add(length))
                .ok_or(FrameError::Length {
                    length: header.body,
                })?;
            if end > bytes.len() {
                let missing = end - bytes.len();
                return Ok(Found::Part { missing });
            }
            if header.command {
                let frame = self.scanned;
                return Ok(Found::Command { frame, body, end });
            }
            self.scanned = end;
            self.frames += 1;
            self.size += header.body;
            if !header.more {
                (self.scanned, self.frames, self.size) = (0, 0, 0);
                return Ok(Found::Message(end));
            }
        }
    }

    /// Refuses what is too large as soon as it is announced.
    fn check(&self, header: Header) -> Result<(), StreamError> {
        let (limit, length) = (self.limit, header.body);
        if header.command {
            return match length {
                0..=MAX_COMMAND => Ok(()),
                _ => Err(StreamError::Command { length }),
            };
        }
        let (size, frames) = (self.size.saturating_add(length), self.frames + 1);
        if size > limit || frames > MAX_FRAMES {
            return Err(StreamError::TooLarge {
                size,
                frames,
                limit,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(frames: &[&[u8]]) -> Vec<u8> {
        let mut wire = Vec::new();
        crate::push_message(&mut wire, frames.iter().copied());
        wire
    }

    #[test]
    fn a_message_is_found_when_its_last_byte_has_come() {
        let message = wire(&[b"topic", &[7; 300], b""]);
        let mut assembler = Assembler::new(1000);
        for end in 0..message.len() {
            let found = assembler.look(&message[..end]).unwrap();
            assert!(matches!(found, Found::Part { .. }), "{end}: {found:?}");
        }
        let two = [&message[..], b"\0"].concat();
        assert_eq!(assembler.look(&two), Ok(Found::Message(message.len())));
        let missing = assembler.look(b"\0\x05ab");
        assert_eq!(missing, Ok(Found::Part { missing: 3 }));
    }

    #[test]
    fn a_command_is_found_between_the_frames_of_a_message() {
        let (front, command, back) = (b"\x01\x01a", b"\x04\x02\x01P", b"\0\x01b");
        let mut assembler = Assembler::new(1000);
        let bytes = [&front[..], command, back].concat();
        assert_eq!(
            assembler.look(&bytes),
            Ok(Found::Command {
                frame: 3,
                body: 5,
                end: 7
            })
        );
        let bytes = [&front[..], back].concat();
        assert_eq!(assembler.look(&bytes), Ok(Found::Message(6)));
    }

    #[test]
    fn a_message_is_too_large_when_its_frames_together_are() {
        let mut assembler = Assembler::new(10);
        let fits = wire(&[b"12345", b"67890"]);
        assert_eq!(assembler.look(&fits), Ok(Found::Message(fits.len())));
        let (size, frames, limit) = (11, 2, 10);
        let announced = b"\x01\x0512345\0\x06";
        assert_eq!(
            assembler.look(announced),
            Err(StreamError::TooLarge {
                size,
                frames,
                limit
            })
        );
    }

    #[test]
    fn commands_and_frames_have_limits() {
        let mut assembler = Assembler::new(u64::MAX);
        let long = b"\x06\0\0\0\0\0\x01\0\x01";
        let length = 65_537;
        assert_eq!(assembler.look(long), Err(StreamError::Command { length }));
        let mut bytes = b"\x01\0".repeat(usize::try_from(MAX_FRAMES).unwrap());
        assert_eq!(assembler.look(&bytes), Ok(Found::Part { missing: 1 }));
        bytes.extend_from_slice(b"\0\0");
        let error = assembler.look(&bytes).unwrap_err();
        assert!(matches!(error, StreamError::TooLarge { size: 0, .. }));
    }
}

//! Finds where the messages end in a peer's stream of bytes.

use crate::frame::{FrameError, Header};

/// The largest number of frames in a message: they take memory also where they
/// are empty.
pub const MAX_FRAMES: u64 = 1 << 20;
/// No command that a publisher may send is longer.
const MAX_COMMAND: u64 = 64 << 10;

/// Finds where frames and messages end in a peer's stream of bytes, behind the handshake.
///
/// It holds no bytes itself, and each byte is looked at once, however small the
/// pieces are in which a message comes.
///
/// ```
/// use zmtp::{Assembler, Found};
///
/// let mut assembler = Assembler::new(1024);
/// let bytes = b"\x01\x01t\x00\x05hello";
/// assert_eq!(assembler.look(bytes)?, Found::Frame { end: 3, last: false });
/// assert_eq!(assembler.look(&bytes[3..7])?, Found::Part { missing: 3 });
/// assert_eq!(assembler.look(&bytes[3..])?, Found::Frame { end: 7, last: true });
/// # Ok::<(), zmtp::StreamError>(())
/// ```
#[derive(Debug)]
pub struct Assembler {
    /// The largest message that is taken, in bytes of all its frames.
    limit: u64,
    /// Whole frames of the message under way.
    frames: u64,
    /// The bytes in them.
    size: u64,
}

/// What stands at the beginning of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A whole frame of a message.
    Frame {
        /// How many bytes it takes, its header included.
        end: usize,
        /// Whether it is the last one of its message.
        last: bool,
    },
    /// A command. It may come between the frames of a message.
    Command {
        /// Where its body begins.
        body: usize,
        /// Where it ends.
        end: usize,
    },
    /// A part of a frame.
    Part {
        /// At least this many more bytes are missing.
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
            frames: 0,
            size: 0,
        }
    }

    /// Looks at the bytes from the beginning of a frame on. After
    /// [`Found::Frame`] and [`Found::Command`] it is to be called with the bytes
    /// behind that; after [`Found::Part`] with the same bytes and more.
    ///
    /// # Errors
    /// [`StreamError`] where the stream breaks the protocol or a limit.
    pub fn look(&mut self, bytes: &[u8]) -> Result<Found, StreamError> {
        let Some(header) = Header::parse(bytes)? else {
            return Ok(Found::Part { missing: 1 });
        };
        self.check(header)?;
        let body = header.length;
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
            return Ok(Found::Command { body, end });
        }
        let last = !header.more;
        if last {
            (self.frames, self.size) = (0, 0);
        } else {
            self.frames += 1;
            self.size += header.body;
        }
        Ok(Found::Frame { end, last })
    }

    /// Refuses the next frame by its size alone, where it comes in a box that is not
    /// whole yet. What may be a command passes.
    ///
    /// # Errors
    /// [`StreamError::TooLarge`] where no message may go on with such a frame.
    pub fn expect(&self, body: u64) -> Result<(), StreamError> {
        let header = Header {
            more: false,
            command: body <= MAX_COMMAND,
            length: 0,
            body,
        };
        self.check(header)
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

    /// Looks at all frames of whole messages; returns what came of the last look.
    fn walk(assembler: &mut Assembler, mut bytes: &[u8]) -> Result<Found, StreamError> {
        loop {
            match assembler.look(bytes)? {
                Found::Frame { end, last: false } => bytes = &bytes[end..],
                found => return Ok(found),
            }
        }
    }

    #[test]
    fn a_frame_is_found_when_its_last_byte_has_come() {
        let message = wire(&[b"topic", &[7; 300], b""]);
        let mut assembler = Assembler::new(1000);
        let (mut start, mut frames) = (0, Vec::new());
        for end in 0..=message.len() {
            match assembler.look(&message[start..end]).unwrap() {
                Found::Frame { end: length, last } => {
                    start += length;
                    assert_eq!(start, end, "not before its last byte");
                    frames.push(last);
                }
                found => assert!(matches!(found, Found::Part { .. }), "{end}: {found:?}"),
            }
        }
        assert_eq!(frames, [false, false, true]);
        let missing = assembler.look(b"\0\x05ab");
        assert_eq!(missing, Ok(Found::Part { missing: 3 }));
    }

    #[test]
    fn a_command_is_found_between_the_frames_of_a_message() {
        let mut assembler = Assembler::new(1000);
        let bytes = b"\x01\x01a\x04\x02\x01P\0\x01b";
        let frame = |last| Ok(Found::Frame { end: 3, last });
        assert_eq!(assembler.look(bytes), frame(false));
        let command = Found::Command { body: 2, end: 4 };
        assert_eq!(assembler.look(&bytes[3..]), Ok(command));
        assert_eq!(assembler.look(&bytes[7..]), frame(true));
    }

    #[test]
    fn a_message_is_too_large_when_its_frames_together_are() {
        let mut assembler = Assembler::new(10);
        let fits = wire(&[b"12345", b"67890"]);
        let last = Found::Frame { end: 7, last: true };
        assert_eq!(walk(&mut assembler, &fits), Ok(last));
        let (size, frames, limit) = (11, 2, 10);
        let announced = b"\x01\x0512345\0\x06";
        assert_eq!(
            walk(&mut assembler, announced),
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
        for _ in 0..MAX_FRAMES {
            assembler.look(b"\x01\0").unwrap();
        }
        let error = assembler.look(b"\0\0").unwrap_err();
        assert!(matches!(error, StreamError::TooLarge { size: 0, .. }));
    }
}

//! Frames: a byte of flags, a length of one or of eight bytes, a body.

/// More frames of the same message follow.
const MORE: u8 = 1;
/// The length has eight bytes.
const LONG: u8 = 2;
/// A command, and no part of a message.
const COMMAND: u8 = 4;

/// The beginning of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whether further frames of the same message follow.
    pub more: bool,
    /// Whether it is a command, and no part of a message.
    pub command: bool,
    /// How many bytes the header itself takes: 2 or 9.
    pub length: usize,
    /// How many bytes follow it.
    pub body: u64,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Flags are set that mean nothing, or do not go together.
    #[error("a frame begins with {flags:#04x}, which is no combination of ZMTP's flags")]
    Flags {
        /// The first byte.
        flags: u8,
    },
    /// The length is above 2^63 - 1.
    #[error("a frame claims {length} bytes")]
    Length {
        /// The claim, in bytes.
        length: u64,
    },
}

impl Header {
    /// Reads the header at the beginning of `bytes`; `None` where it is not
    /// whole yet.
    ///
    /// # Errors
    /// [`FrameError`] where no frame can begin so.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some((&flags, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let command = flags & COMMAND != 0;
        let more = flags & MORE != 0;
        if flags > (MORE | LONG | COMMAND) || (command && more) {
            return Err(FrameError::Flags { flags });
        }
        if flags & LONG == 0 {
            return Ok(rest.first().map(|&body| Self {
                more,
                command,
                length: 2,
                body: u64::from(body),
            }));
        }
        let Some(length) = rest.first_chunk() else {
            return Ok(None);
        };
        let body = u64::from_be_bytes(*length);
        if i64::try_from(body).is_err() {
            return Err(FrameError::Length { length: body });
        }
        Ok(Some(Self {
            more,
            command,
            length: 9,
            body,
        }))
    }
}

/// Appends one frame of a message.
pub fn push_frame(out: &mut Vec<u8>, body: &[u8], more: bool) {
    push_header(out, body.len() as u64, more);
    out.extend_from_slice(body);
}

/// Appends the header of a message's frame, whose body of `body` bytes follows.
pub fn push_header(out: &mut Vec<u8>, body: u64, more: bool) {
    push_start(out, if more { MORE } else { 0 }, body);
}

fn push_start(out: &mut Vec<u8>, flags: u8, body: u64) {
    let (bytes, length) = header_bytes(flags, body);
    out.extend_from_slice(bytes.get(..length).unwrap_or_default());
}

/// Returns a header, and how many of these bytes it has.
fn header_bytes(flags: u8, body: u64) -> ([u8; 9], usize) {
    let mut bytes = [0; 9];
    match u8::try_from(body) {
        Ok(short) => {
            [bytes[0], bytes[1]] = [flags, short];
            (bytes, 2)
        }
        Err(_) => {
            bytes[0] = flags | LONG;
            bytes[1..].copy_from_slice(&body.to_be_bytes());
            (bytes, 9)
        }
    }
}

/// Writes a header so that it ends where `front` does; returns its length.
pub(crate) fn write_header(front: &mut [u8], body: u64, more: bool, command: bool) -> usize {
    let flags = (if more { MORE } else { 0 }) | (if command { COMMAND } else { 0 });
    let (bytes, length) = header_bytes(flags, body);
    if let Some(at) = front.len().checked_sub(length) {
        let header = bytes.get(..length).unwrap_or_default();
        front
            .get_mut(at..)
            .unwrap_or_default()
            .copy_from_slice(header);
    }
    length
}

/// Appends a message of these frames.
pub fn push_message<'a>(out: &mut Vec<u8>, frames: impl IntoIterator<Item = &'a [u8]>) {
    let mut frames = frames.into_iter().peekable();
    while let Some(frame) = frames.next() {
        push_frame(out, frame, frames.peek().is_some());
    }
}

/// Appends a command with this body: the length of its name, its name, its data.
pub(crate) fn push_command(out: &mut Vec<u8>, body: &[u8]) {
    push_start(out, COMMAND, body.len() as u64);
    out.extend_from_slice(body);
}

/// Goes over the bodies of the frames in `message`, which is a whole message
/// as it stands on the wire; it ends at the first thing that is no whole frame.
#[must_use]
pub fn frames(message: &[u8]) -> Frames<'_> {
    Frames { rest: message }
}

/// Returns the body of a message's first frame, which is empty where there is none.
#[must_use]
pub fn first_frame(message: &[u8]) -> &[u8] {
    frames(message).next().unwrap_or_default()
}

/// Goes over the bodies of a message's frames: see [`frames`].
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let header = Header::parse(self.rest).ok()??;
        let end = usize::try_from(header.body)
            .ok()?
            .checked_add(header.length)?;
        let body = self.rest.get(header.length..end)?;
        self.rest = self.rest.get(end..).unwrap_or_default();
        Some(body)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_is_read_when_it_is_whole() {
        assert_eq!(Header::parse(b""), Ok(None));
        assert_eq!(Header::parse(b"\x01"), Ok(None));
        let header = Header::parse(b"\x01\x05rest").unwrap().unwrap();
        assert!(header.more && !header.command);
        assert_eq!((header.length, header.body), (2, 5));
        let long = b"\x06\0\0\0\0\0\x01\x02\x03";
        assert_eq!(Header::parse(&long[..8]), Ok(None));
        let header = Header::parse(long).unwrap().unwrap();
        assert!(header.command);
        assert_eq!((header.length, header.body), (9, 0x0001_0203));
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for flags in [5, 7, 8, 0x10, 0x80, 0xff, b'G'] {
            assert_eq!(
                Header::parse(&[flags, 0]),
                Err(FrameError::Flags { flags }),
                "{flags}"
            );
        }
        assert_eq!(
            Header::parse(b"\x02\xff\xff\xff\xff\xff\xff\xff\xff"),
            Err(FrameError::Length { length: u64::MAX })
        );
    }

    proptest! {
        #[test]
        fn frames_come_back(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 1..6)) {
            let mut wire = Vec::new();
            push_message(&mut wire, frames.iter().map(Vec::as_slice));
            prop_assert_eq!(super::frames(&wire).map(<[u8]>::to_vec).collect::<Vec<_>>(), frames.clone());
            prop_assert_eq!(first_frame(&wire), &frames[0][..]);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let total: usize = super::frames(&bytes).map(<[u8]>::len).sum();
            prop_assert!(total <= bytes.len());
        }
    }
}

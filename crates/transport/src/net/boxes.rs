//! Opens the boxes in received bytes, so that the frames in them lie behind each
//! other as they would without keys.

use zmtp::Assembler;
use zmtp::curve::{OpenError, Opened, Opener};

use super::ended::Ended;

/// Received bytes of which the first ones can be read.
#[derive(Debug)]
pub(super) struct Plain {
    /// Where that ends which can be read.
    pub(super) end: usize,
    /// Where that begins which is still in a box; the bytes between mean nothing.
    pub(super) rest: usize,
    /// How many bytes are missing of the next box; `None` where there are no boxes.
    pub(super) missing: Option<usize>,
    /// How many bytes of a frame the next box carries, as far as it tells.
    carries: Option<u64>,
    /// What is wrong with the next box. What came before it is as it was sent.
    error: Option<OpenError>,
}

impl Plain {
    /// Bytes that are in no boxes.
    pub(super) fn all(length: usize) -> Self {
        Self {
            end: length,
            rest: length,
            missing: None,
            carries: None,
            error: None,
        }
    }

    /// Ends the connection where the next box is no good, or too large.
    pub(super) fn check(self, assembler: &Assembler) -> Result<(), Ended> {
        match (self.error, self.carries) {
            (Some(error), _) => Err(error.into()),
            (None, Some(body)) => Ok(assembler.expect(body)?),
            (None, None) => Ok(()),
        }
    }
}

/// Opens the boxes from `start` on, all that are whole, or with `one_message` those
/// up to the end of a message.
pub(super) fn open_boxes(
    opener: &mut Opener,
    bytes: &mut [u8],
    start: usize,
    one_message: bool,
) -> Plain {
    let mut plain = Plain {
        missing: Some(1),
        ..Plain::all(start)
    };
    loop {
        match opener.open(bytes.get_mut(plain.rest..).unwrap_or_default()) {
            Ok(Opened::Frame {
                plain: frame,
                last,
                end,
            }) => {
                let length = frame.len();
                let frame = plain.rest + frame.start..plain.rest + frame.end;
                bytes.copy_within(frame, plain.end);
                plain.end += length;
                plain.rest += end;
                if last && one_message {
                    return plain;
                }
            }
            Ok(Opened::Part { missing, carries }) => {
                (plain.missing, plain.carries) = (Some(missing), carries);
                return plain;
            }
            Err(error) => {
                plain.error = Some(error);
                return plain;
            }
        }
    }
}

//! What zstd has packed: frames, one behind the other.

use std::io::{self, BufRead, BufReader, Read, Write};

use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::{Broken, Counted, copy};

const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// A frame that holds something else than data: its first byte is 0x50 to 0x5f.
const SKIPPED: &[u8] = &[0x2a, 0x4d, 0x18];

/// Tells whether a file begins as zstd's do.
pub(super) fn is_one(first: &[u8]) -> bool {
    let is_skipped = |first: &[u8]| {
        let kind = first.first().is_some_and(|byte| byte & 0xf0 == 0x50);
        kind && first.get(1..4) == Some(SKIPPED)
    };
    first.starts_with(MAGIC) || is_skipped(first)
}

/// Unpacks up to the first frame that can't be; returns where that is.
pub(super) fn unpack(
    input: impl Read,
    length: u64,
    out: &mut dyn Write,
) -> io::Result<Option<Broken>> {
    let mut input = BufReader::new(Counted { input, taken: 0 });
    while !input.fill_buf()?.is_empty() {
        if !frame(&mut input, out)? {
            let ahead = input.buffer().len() as u64;
            let offset = input.get_ref().taken.saturating_sub(ahead);
            return Ok(Some(Broken {
                offset,
                length: length.saturating_sub(offset),
            }));
        }
    }
    Ok(None)
}

/// Unpacks one frame, and tells whether that went well.
fn frame(input: &mut impl Read, out: &mut dyn Write) -> io::Result<bool> {
    let mut decoder = match StreamingDecoder::new(&mut *input) {
        Ok(decoder) => decoder,
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
            length,
            ..
        })) => {
            let skipped = io::copy(&mut input.take(length.into()), &mut io::sink())?;
            return Ok(skipped == u64::from(length));
        }
        Err(_) => return Ok(false),
    };
    let copied = copy(&mut decoder, out)?.is_ok();
    let frame = &decoder.decoder;
    let stored = frame.get_checksum_from_data();
    Ok(copied && stored.is_none_or(|stored| frame.get_calculated_checksum() == Some(stored)))
}

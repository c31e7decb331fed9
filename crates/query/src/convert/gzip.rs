//! What gzip has packed.

use std::io::{self, BufRead, Read, Write};

use flate2::bufread::MultiGzDecoder;

use super::{Broken, Counted, copy};

pub(super) const MAGIC: &[u8] = &[0x1f, 0x8b, 8];

/// Unpacks up to the first byte that can't be; returns where that is.
pub(super) fn unpack(
    input: impl Read,
    length: u64,
    out: &mut dyn Write,
) -> io::Result<Option<Broken>> {
    let mut decoder = MultiGzDecoder::new(io::BufReader::new(Counted { input, taken: 0 }));
    if copy(&mut decoder, out)?.is_ok() {
        return Ok(None);
    }
    // What is in the buffer was taken, but not looked at.
    let mut buffered = decoder.into_inner();
    let ahead = buffered.fill_buf().map_or(0, <[u8]>::len) as u64;
    let offset = buffered.get_ref().taken.saturating_sub(ahead);
    Ok(Some(Broken {
        offset,
        length: length.saturating_sub(offset),
    }))
}

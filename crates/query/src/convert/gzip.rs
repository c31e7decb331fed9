//! What gzip has packed: members, one behind the other.

use std::io::{self, BufRead, BufReader, Read, Write};

use flate2::bufread::GzDecoder;

use super::{Broken, Counted, copy};

pub(super) const MAGIC: &[u8] = &[0x1f, 0x8b, 8];

/// Unpacks up to the first byte that can't be; returns where that is. Zeros behind the
/// last member fill up a block of a tape or a disk.
pub(super) fn unpack(
    input: impl Read,
    length: u64,
    out: &mut dyn Write,
) -> io::Result<Option<Broken>> {
    let mut input = BufReader::new(Counted { input, taken: 0 });
    loop {
        let start = place(&input);
        if skip_zeros(&mut input)? {
            return Ok(None);
        }
        let mut member = GzDecoder::new(&mut input);
        if copy(&mut member, out)?.is_ok() {
            continue;
        }
        // Where not even a header is, all of it is something else.
        let has_header = member.header().is_some();
        let offset = if has_header { place(&input) } else { start };
        return Ok(Some(Broken {
            offset,
            length: length.saturating_sub(offset),
        }));
    }
}

/// Tells how much was looked at: what is in the buffer was not.
fn place<R: Read>(input: &BufReader<Counted<R>>) -> u64 {
    input
        .get_ref()
        .taken
        .saturating_sub(input.buffer().len() as u64)
}

/// Goes behind zeros, and tells whether the input ends there.
fn skip_zeros(input: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(true);
        }
        let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
        let is_more = zeros == buffer.len();
        input.consume(zeros);
        if !is_more {
            return Ok(false);
        }
    }
}

//! CRC-32C of a line, of which three parts are worked on at the same time.
//!
//! The processor's instruction waits for its own last result. Of long texts the
//! `crc32c` crate works on three parts at once; lines are too short for that.
//! Here the parts are calculated one after the other, so close together that
//! the processor begins with the next one before it has done the last.

/// The length in bytes of the second and the third part.
const PART: usize = 192;
/// From here on splitting a line pays off. The crate itself splits text that is
/// longer than [`MOST`].
const LEAST: usize = 2 * PART + 64;
const MOST: usize = 767;

/// The polynomial, its bits in reverse order.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// Returns the CRC-32C of some bytes.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    if !(LEAST..=MOST).contains(&bytes.len()) {
        return crc32c::crc32c(bytes);
    }
    let (first, rest) = bytes.split_at(bytes.len().saturating_sub(2 * PART));
    let (second, third) = rest.split_at(rest.len().min(PART));
    // A checksum is inverted at the beginning and at the end. In between it is
    // a remainder, and a part's own begins with nothing.
    let remainder = |part: &[u8]| !crc32c::crc32c_append(!0, part);
    let (first, second, third) = (!crc32c::crc32c(first), remainder(second), remainder(third));
    !(passed(passed(first) ^ second) ^ third)
}

/// Returns what becomes of a remainder when [`PART`] zero bytes follow.
fn passed(remainder: u32) -> u32 {
    let bytes = remainder.to_le_bytes();
    let pairs = PASSED.iter().zip(bytes);
    pairs.fold(0, |sum, (table, byte)| {
        sum ^ table.get(usize::from(byte)).copied().unwrap_or(0)
    })
}

/// The same for each value of each of a remainder's bytes.
static PASSED: [[u32; 256]; 4] = tables();

#[allow(
    clippy::indexing_slicing,
    reason = "indices are bounded by the loops, at compile time"
)]
const fn tables() -> [[u32; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut bit = 0;
    while bit < 32 {
        let mut remainder = 1_u32 << bit;
        let mut step = 0;
        while step < PART * 8 {
            let carry = if remainder & 1 == 1 { POLYNOMIAL } else { 0 };
            remainder = remainder >> 1 ^ carry;
            step += 1;
        }
        let (table, mask) = (bit / 8, 1 << (bit % 8));
        let mut value = 0;
        while value < 256 {
            if value & mask != 0 {
                tables[table][value] ^= remainder;
            }
            value += 1;
        }
        bit += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_however_long_the_text_is() {
        let bytes: Vec<u8> = (0..1_000_u32)
            .map(|at| ((at * at) >> 3).to_le_bytes()[0])
            .collect();
        for start in 0..9 {
            for end in start..bytes.len() {
                let bytes = &bytes[start..end];
                assert_eq!(checksum(bytes), crc32c::crc32c(bytes));
            }
        }
    }
}

//! Which bytes of a text are special to a JSON string, 64 at a time.

use wide::u8x16;

/// How many bytes are looked at together.
const BLOCK: usize = 64;

/// Finds special bytes going forward: quotes, backslashes and control bytes.
///
/// A block is looked at once, however many strings it holds: in the messages of
/// agents most strings are shorter than a search takes to get going.
#[derive(Debug)]
pub(crate) struct Specials {
    /// Where the block begins that was looked at last; at first, none.
    block: usize,
    /// A bit for each of its bytes that is special.
    bits: u64,
}

impl Specials {
    pub(crate) const fn new() -> Self {
        Self {
            block: usize::MAX,
            bits: 0,
        }
    }

    /// Returns where the next special byte at or after `from` stands, else the end.
    #[inline]
    pub(crate) fn next(&mut self, bytes: &[u8], from: usize) -> usize {
        let (block, place) = (from - from % BLOCK, from % BLOCK);
        let rest = self.bits >> place;
        if block == self.block && rest != 0 {
            return from + rest.trailing_zeros() as usize;
        }
        self.search(bytes, from)
    }

    /// Looks at one block after the other.
    #[inline(never)]
    fn search(&mut self, bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while at < bytes.len() {
            let block = at - at % BLOCK;
            if block != self.block {
                (self.block, self.bits) = (block, specials(bytes, block));
            }
            let rest = self.bits >> (at % BLOCK);
            if rest != 0 {
                return at + rest.trailing_zeros() as usize;
            }
            at = block + BLOCK;
        }
        bytes.len().max(from)
    }
}

/// Looks at the block that begins at `start`, which may be cut short by the end.
#[inline]
fn specials(bytes: &[u8], start: usize) -> u64 {
    let rest = bytes.get(start..).unwrap_or_default();
    if let Some(block) = rest.first_chunk() {
        return specials_of(block);
    }
    // Spaces are not special.
    let mut padded = [b' '; BLOCK];
    if let Some(front) = padded.get_mut(..rest.len()) {
        front.copy_from_slice(rest);
    }
    specials_of(&padded)
}

#[inline]
fn specials_of(block: &[u8; BLOCK]) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    parts.iter().rev().fold(0, |bits, part| {
        let part = u8x16::new(*part);
        let quotes = part.simd_eq(u8x16::splat(b'"'));
        let slashes = part.simd_eq(u8x16::splat(b'\\'));
        let controls = part.min(u8x16::splat(0x1f)).simd_eq(part);
        bits << 16 | u64::from((quotes | slashes | controls).to_bitmask())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(bytes: &[u8], from: usize) -> usize {
        let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        let found = (from..bytes.len()).find(|&at| is_special(bytes[at]));
        found.unwrap_or(bytes.len().max(from))
    }

    proptest! {
        #[test]
        fn special_bytes_are_found_going_forward(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'a')], 0..300),
            steps in prop::collection::vec(0..90_usize, 1..9),
        ) {
            let mut specials = Specials::new();
            let mut from = 0;
            for step in steps {
                prop_assert_eq!(specials.next(&bytes, from), slow(&bytes, from));
                from += step;
            }
        }
    }

    #[test]
    fn special_bytes_are_found_at_every_place() {
        for special in [b'"', b'\\', 0, 0x1f] {
            for neighbour in [b'!', b'#', b'[', b']', 0x20, 0x80, 0xff, 0xa2, 0xdc] {
                for at in 0..150 {
                    let mut bytes = [neighbour; 150];
                    assert_eq!(Specials::new().next(&bytes, 0), 150);
                    bytes[at] = special;
                    let found = Specials::new().next(&bytes, 0);
                    assert_eq!(found, at, "{special} among {neighbour}");
                }
            }
        }
    }
}

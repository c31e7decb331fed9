//! Tokens that come again and again, found by comparing instead of searching.

use crate::intern::Handle;

const SLOTS: usize = 256;
/// How many tokens get a number before numbers begin anew.
const NUMBERED: u32 = 1_000;
/// More words than this are lists of tokens.
const LIST: usize = 4;

/// Tokens of one field that were met before, of up to `N` words of eight bytes.
///
/// A token is recognised by its bytes, of which the last is one that ends it
/// wherever it stands. So no search for its end is needed, and no branch that
/// depends on its length.
pub(super) struct Tokens<const N: usize> {
    slots: Vec<Slot<N>>,
    issued: u32,
}

#[derive(Clone, Copy)]
struct Slot<const N: usize> {
    text: [u64; N],
    /// All bits of the bytes that belong to the token.
    mask: [u64; N],
    length: usize,
    number: u32,
}

impl<const N: usize> Tokens<N> {
    /// Returns the length and the number of the token that some bytes begin with.
    #[inline(always)]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<(usize, u32)> {
        let (block, slot) = block::<N>(bytes)?;
        let slot = self.slots.get(slot)?;
        let mut differences = 0;
        for (word, (text, mask)) in block.iter().zip(slot.text.iter().zip(&slot.mask)) {
            differences |= (u64::from_le_bytes(*word) ^ text) & mask;
        }
        (differences == 0 && slot.length > 0).then_some((slot.length, slot.number))
    }

    /// Remembers the token of this length that some bytes begin with, and
    /// returns its number; 0 where it is too long, `None` where there is no
    /// number left.
    pub(super) fn insert(&mut self, bytes: &[u8], length: usize) -> Option<u32> {
        let Some((block, at)) = block::<N>(bytes).filter(|_| length <= N * 8) else {
            return Some(Handle::NONE);
        };
        if self.issued == NUMBERED {
            return None;
        }
        self.issued += 1;
        let mut slot = Slot {
            length,
            number: self.issued,
            ..Self::EMPTY
        };
        for (at, word) in block.iter().enumerate() {
            let used = length.saturating_sub(at * 8).min(8);
            let mut mask = [0; 8];
            mask.iter_mut().take(used).for_each(|byte| *byte = u8::MAX);
            slot.mask[at] = u64::from_le_bytes(mask);
            slot.text[at] = u64::from_le_bytes(*word);
        }
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        }
        Some(slot.number)
    }

    const EMPTY: Slot<N> = Slot {
        text: [0; N],
        mask: [0; N],
        length: 0,
        number: Handle::NONE,
    };
}

impl<const N: usize> Default for Tokens<N> {
    fn default() -> Self {
        Self {
            slots: vec![Self::EMPTY; SLOTS],
            issued: 0,
        }
    }
}

/// Returns the words that a token may have, and its slot.
///
/// That is chosen by what a token begins with, and of lists of tokens, which
/// often begin alike, also by what stands before the first bracket.
#[inline(always)]
fn block<const N: usize>(bytes: &[u8]) -> Option<(&[[u8; 8]; N], usize)> {
    // Odd, and its bits are in no order: the upper ones of a product depend on
    // all bits.
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, _) = bytes.as_chunks::<8>();
    let block: &[[u8; 8]; N] = words.first_chunk()?;
    let word = |word: Option<&[u8; 8]>| u64::from_le_bytes(*word.unwrap_or(&[0; 8]));
    let mut mixed = word(block.first()) ^ word(block.get(1)).rotate_left(23);
    if N > LIST {
        let end = memchr::memchr(b']', block.as_flattened())?;
        let before = bytes.get(..end)?;
        let last = before
            .len()
            .checked_sub(16)
            .and_then(|at| before.get(at..)?.first_chunk());
        mixed ^= word(before.last_chunk()).rotate_left(41) ^ word(last).rotate_left(11);
        mixed = mixed.wrapping_add(end as u64);
    }
    let slot = mixed.wrapping_mul(MIX) >> (u64::BITS - SLOTS.ilog2());
    Some((block, usize::try_from(slot).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(text: &str) -> Vec<u8> {
        format!("{text:.<40}").into_bytes()
    }

    #[test]
    fn tokens_are_found_again_whatever_follows() {
        let mut tokens = Tokens::<4>::default();
        let bytes = padded("claude_code\",\"tier\":\"A\"");
        assert_eq!(tokens.find(&bytes), None);
        assert_eq!(tokens.insert(&bytes, 12), Some(1));
        assert_eq!(tokens.find(&bytes), Some((12, 1)));
        let other = padded("claude_code\",\"tier\":\"B\"");
        assert_eq!(tokens.find(&other), Some((12, 1)));
        assert_eq!(tokens.find(&padded("claude_codf\",\"tier\":\"A\"")), None);
        assert_eq!(tokens.find(&bytes[..31]), None);
    }

    #[test]
    fn long_tokens_have_no_number_and_numbers_have_an_end() {
        let mut tokens = Tokens::<4>::default();
        assert_eq!(tokens.insert(&padded(""), 33), Some(0));
        assert_eq!(tokens.insert(b"short", 5), Some(0));
        for number in 1..=NUMBERED {
            assert_eq!(tokens.insert(&padded(&number.to_string()), 8), Some(number));
        }
        assert_eq!(tokens.insert(&padded("one more"), 8), None);
    }
}

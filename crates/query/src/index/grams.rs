//! Which sequences of four bytes occur in the text of a block's messages.
//!
//! The text is that of the values in the content, as filters see it: without
//! escapes. ASCII letters are taken in lower case, so that one bitmap serves
//! whoever asks for a certain case and whoever does not.

/// Bytes of a sequence.
pub(super) const LENGTH: usize = 4;
/// Bits of a bitmap before it is folded: 1 for 4 bytes of a full block.
pub(super) const MOST: usize = 1 << 17;
/// Bits of a bitmap below which it is not folded.
pub(super) const LEAST: usize = 512;

/// Gives the bit of each sequence in a text.
pub(super) fn each_bit(text: &[u8], mut see: impl FnMut(usize)) {
    let mut gram = 0_u32;
    for (at, byte) in text.iter().enumerate() {
        gram = gram << 8 | u32::from(byte.to_ascii_lowercase());
        if at + 1 >= LENGTH {
            see(bit(gram));
        }
    }
}

/// Each bit of the result depends on each of the sequence, also of those that are
/// left when a bitmap is folded.
fn bit(gram: u32) -> usize {
    let mixed = (gram ^ gram >> 16).wrapping_mul(0x7feb_352d);
    let mixed = (mixed ^ mixed >> 15).wrapping_mul(0x846c_a68b);
    (mixed >> 15) as usize % MOST
}

/// A bit for each sequence; several sequences may have the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Bitmap {
    /// Empty where no bit is set.
    words: Vec<u64>,
}

impl Bitmap {
    /// Sets the bits of a text.
    pub(super) fn add(&mut self, text: &[u8]) {
        if text.len() < LENGTH {
            return;
        }
        self.words.resize(MOST / 64, 0);
        each_bit(text, |bit| {
            if let Some(word) = self.words.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        });
    }

    /// Returns how many bits are set.
    pub(super) fn count(&self) -> usize {
        let counts = self.words.iter().map(|word| word.count_ones() as usize);
        counts.sum()
    }

    /// Puts its halves together until it has `bits` bits, a power of two.
    pub(super) fn fold(&mut self, bits: usize) {
        while self.words.len() * 64 > bits {
            let upper = self.words.split_off(self.words.len() / 2);
            let both = self.words.iter_mut().zip(upper);
            both.for_each(|(lower, upper)| *lower |= upper);
        }
    }

    /// Gives the bits that are set between two.
    pub(super) fn each_set(&self, from: usize, to: usize, mut see: impl FnMut(usize)) {
        let words = self.words.get(from / 64..to / 64).unwrap_or_default();
        for (word, start) in words.iter().zip((from..).step_by(64)) {
            let mut left = *word;
            while left != 0 {
                see(start + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(bitmap: &Bitmap, size: usize) -> Vec<usize> {
        let mut bits = Vec::new();
        bitmap.each_set(0, size, |bit| bits.push(bit));
        bits
    }

    #[test]
    fn a_folded_bitmap_has_each_sequence_at_its_bit_of_the_smaller_size() {
        let mut bitmap = Bitmap::default();
        bitmap.add(b"abc");
        assert_eq!((bitmap.count(), bits(&bitmap, MOST)), (0, vec![]));
        bitmap.add(b"some text");
        let whole = bits(&bitmap, MOST);
        assert_eq!(whole.len(), 6);
        bitmap.fold(LEAST);
        let mut expected: Vec<_> = whole.iter().map(|bit| bit % LEAST).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(bits(&bitmap, LEAST), expected);
    }

    #[test]
    fn sequences_are_spread_over_all_bits_whatever_the_size() {
        let mut bitmap = Bitmap::default();
        (0..10_000).for_each(|number| bitmap.add(format!("{number:04}").as_bytes()));
        // As many as different ones by chance.
        assert!((9_500..9_750).contains(&bitmap.count()));
        bitmap.fold(8_192);
        assert!((5_600..6_000).contains(&bitmap.count()));
        let hits = |text: &[u8]| {
            let mut bits = Vec::new();
            each_bit(text, |bit| bits.push(bit));
            bits
        };
        assert_eq!(hits(b"TeXt"), hits(b"tExT"));
        assert_ne!(hits(b"text"), hits(b"texu"));
    }
}

//! The values of one field of many messages, packed.

use std::ops::Range;

/// What there is a column of, in the order in which columns are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Bytes of the line, without its newline.
    Length,
    /// Milliseconds from the block's earliest time to when it was recorded.
    Time,
    Sender,
    Topic,
    Tier,
    Chain,
    Tags,
    /// A hash of the sender's name for the message; 0 where it has none.
    Id,
}

impl Column {
    pub(super) const ALL: [Self; 8] = [
        Self::Length,
        Self::Time,
        Self::Sender,
        Self::Topic,
        Self::Tier,
        Self::Chain,
        Self::Tags,
        Self::Id,
    ];
    /// Those whose values are numbers of a dictionary.
    pub(super) const NAMED: [Self; 5] = [
        Self::Sender,
        Self::Topic,
        Self::Tier,
        Self::Chain,
        Self::Tags,
    ];

    pub(super) const fn at(self) -> usize {
        self as usize
    }
}

/// Packs values into as few bytes each as the largest one needs: 0, 1, 2 or 4.
pub(super) fn pack(values: impl Iterator<Item = u32> + Clone) -> (u8, Vec<u8>) {
    let most = values.clone().max().unwrap_or(0);
    let width: u8 = match most {
        0 => 0,
        1..=0xff => 1,
        0x100..=0xffff => 2,
        _ => 4,
    };
    let bytes = values.flat_map(|value| value.to_le_bytes().into_iter().take(width.into()));
    (width, bytes.collect())
}

/// Packed values.
#[derive(Debug)]
pub(super) struct Values {
    width: u8,
    bytes: Vec<u8>,
}

impl Values {
    pub(super) const fn is_width(width: u8) -> bool {
        matches!(width, 0 | 1 | 2 | 4)
    }

    pub(super) fn new(width: u8, bytes: Vec<u8>) -> Self {
        Self { width, bytes }
    }

    /// Gives the values of some rows, one after the other.
    #[inline]
    pub(super) fn each(&self, rows: Range<usize>, mut see: impl FnMut(u32)) {
        let width = usize::from(self.width);
        if width == 0 {
            rows.for_each(|_| see(0));
            return;
        }
        let range = rows.start * width..rows.end * width;
        let bytes = self.bytes.get(range).unwrap_or_default();
        match self.width {
            1 => bytes.iter().for_each(|byte| see(u32::from(*byte))),
            2 => {
                let pairs = bytes.as_chunks().0.iter();
                pairs.for_each(|pair| see(u32::from(u16::from_le_bytes(*pair))));
            }
            _ => {
                let words = bytes.as_chunks().0.iter();
                words.for_each(|word| see(u32::from_le_bytes(*word)));
            }
        }
    }

    /// Tells whether each value is below `end`.
    pub(super) fn are_below(&self, end: usize, rows: usize) -> bool {
        let mut most = 0;
        self.each(0..rows, |value| most = most.max(value));
        rows == 0 || usize::try_from(most).is_ok_and(|most| most < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_whatever_their_size() {
        for most in [0, 1, 255, 256, 65_535, 65_536, u32::MAX] {
            let values = [0, most / 2, most, 0, most / 3];
            let (width, bytes) = pack(values.into_iter());
            assert!(Values::is_width(width));
            assert_eq!(bytes.len(), values.len() * usize::from(width));
            let packed = Values::new(width, bytes);
            let mut found = Vec::new();
            packed.each(1..4, |value| found.push(value));
            assert_eq!(found, values[1..4]);
            assert!(most == u32::MAX || packed.are_below(most as usize + 1, values.len()));
            assert!(!packed.are_below(most as usize, values.len()));
        }
    }
}

//! Where a name stands in a table, for names that come again and again.

const SLOTS: usize = 64;
/// Names up to this length are told apart by their ends alone.
const SHORT: usize = 16;

/// A number that the reader of some lines gave to a value: the same one has the
/// same value, and has been seen by the same reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Handle {
    /// Which reader; never used again.
    pub(crate) reader: u32,
    /// Which value, or [`Self::NONE`].
    pub(crate) number: u32,
}

impl Handle {
    pub(crate) const NONE: u32 = 0;
}

/// What a table knows of values with a handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places<T> {
    reader: u32,
    known: Vec<Option<T>>,
}

impl<T> Places<T> {
    #[inline(always)]
    pub(crate) fn get(&self, handle: Handle) -> Option<&T> {
        let known = self.known.get(handle.number as usize)?.as_ref();
        known.filter(|_| handle.reader == self.reader)
    }

    pub(crate) fn set(&mut self, handle: Handle, place: T) {
        let Handle { reader, number } = handle;
        if number == Handle::NONE {
            return;
        }
        if self.reader != reader {
            self.reader = reader;
            self.known.clear();
        }
        let number = number as usize;
        if self.known.len() <= number {
            self.known.resize_with(number + 1, || None);
        }
        self.known[number] = Some(place);
    }
}

/// Remembers for each of many slots where the name stands that had it last.
#[derive(Debug, Clone)]
pub(crate) struct Recent {
    slots: [Slot; SLOTS],
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    name: Ends,
    at: u32,
}

/// Length and ends of a name; of a short one that is all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    first: u64,
    last: u64,
    length: usize,
}

impl Ends {
    #[inline]
    fn of(name: &[u8]) -> Self {
        let ends = (name.first_chunk(), name.last_chunk());
        let (first, last) = if let (Some(first), Some(last)) = ends {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            let word = |bytes: [u8; 4]| u64::from(u32::from_le_bytes(bytes));
            (word(*first), word(*last))
        } else {
            let byte = |at: usize| u64::from(name.get(at).copied().unwrap_or(0));
            (byte(0), byte(1) | byte(2) << 8)
        };
        let length = name.len();
        Self {
            first,
            last,
            length,
        }
    }

    fn slot(self) -> usize {
        // Odd, and its bits are in no order: the upper ones of the product
        // depend on all of the name's.
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = (self.first ^ self.last.rotate_left(29)).wrapping_add(self.length as u64);
        let slot = mixed.wrapping_mul(MIX) >> (u64::BITS - SLOTS.ilog2());
        usize::try_from(slot).unwrap_or(0)
    }
}

impl Recent {
    /// Returns where a name stands, if it is remembered; `is_at` looks whether it
    /// does, where its ends alone don't tell.
    #[inline]
    pub(crate) fn find(&self, name: &[u8], is_at: impl FnOnce(usize) -> bool) -> Option<usize> {
        let at = self.get(Ends::of(name))?;
        (is_certain(name) || is_at(at)).then_some(at)
    }

    fn get(&self, ends: Ends) -> Option<usize> {
        let slot = self.slots.get(ends.slot())?;
        (slot.name == ends).then_some(slot.at as usize)
    }

    /// Remembers where a name stands.
    pub(crate) fn set(&mut self, name: &[u8], at: usize) {
        let ends = Ends::of(name);
        if let (Some(slot), Ok(at)) = (self.slots.get_mut(ends.slot()), u32::try_from(at)) {
            *slot = Slot { name: ends, at };
        }
    }
}

/// Tells whether a name is told apart from all others by its ends.
const fn is_certain(name: &[u8]) -> bool {
    name.len() <= SHORT
}

impl Default for Recent {
    fn default() -> Self {
        let nothing = Ends {
            first: 0,
            last: 0,
            length: usize::MAX,
        };
        let slot = Slot {
            name: nothing,
            at: 0,
        };
        Self {
            slots: [slot; SLOTS],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_one_reader_numbered_says_nothing_of_another() {
        let mut places = Places::default();
        let handle = |reader, number| Handle { reader, number };
        places.set(handle(1, 2), 7);
        assert_eq!(places.get(handle(1, 2)), Some(&7));
        assert_eq!(places.get(handle(1, 1)), None);
        assert_eq!(places.get(handle(2, 2)), None);
        places.set(handle(2, 3), 8);
        assert_eq!(places.get(handle(2, 2)), None);
        assert_eq!(places.get(handle(2, 3)), Some(&8));
        places.set(handle(2, Handle::NONE), 9);
        assert_eq!(places.get(Handle::default()), None);
        assert_eq!(places.get(handle(2, Handle::NONE)), None);
    }

    proptest! {
        #[test]
        fn short_names_are_told_apart(a in "[ab\0]{0,18}", b in "[ab\0]{0,18}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let mut recent = Recent::default();
            prop_assert_eq!(recent.get(Ends::of(a)), None);
            recent.set(a, 7);
            prop_assert_eq!(recent.get(Ends::of(a)), Some(7));
            if is_certain(a) || is_certain(b) {
                prop_assert_eq!(recent.get(Ends::of(b)).is_some(), a == b);
            }
        }
    }
}

//! Which numbers there are, to tell which are missing.

/// More separate ranges than this are not remembered.
const RANGES: usize = if cfg!(test) { 16 } else { 1 << 16 };

/// Ranges of numbers, in any order until they are put in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Coverage {
    /// First and last number.
    pub(super) ranges: Vec<(u64, u64)>,
    pub(super) is_too_scattered: bool,
}

impl Coverage {
    pub(super) fn add(&mut self, number: u64) {
        match self.ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => self.push((number, number)),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.is_too_scattered |= other.is_too_scattered;
        for range in other.ranges {
            self.push(range);
        }
    }

    fn push(&mut self, range: (u64, u64)) {
        if self.is_too_scattered {
            return;
        }
        self.ranges.push(range);
        if self.ranges.len() > RANGES {
            self.tidy();
            // Room for as many again, or tidying up would take all the time.
            self.is_too_scattered = self.ranges.len() > RANGES / 2;
        }
    }

    /// Puts ranges in order, and those together that touch.
    fn tidy(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, range| {
            let touches = next.0 <= range.1.saturating_add(1);
            if touches {
                range.1 = range.1.max(next.1);
            }
            touches
        });
    }

    /// Returns the first and the last of each range of numbers that is missing
    /// between others; `None` where there are too many to tell.
    pub(super) fn gaps(&self) -> Option<Vec<(u64, u64)>> {
        let mut tidy = self.clone();
        tidy.tidy();
        let pairs = tidy.ranges.windows(2);
        let gaps = pairs.filter_map(|pair| Some((pair.first()?.1 + 1, pair.last()?.0 - 1)));
        let gaps = gaps.collect();
        (!self.is_too_scattered).then_some(gaps)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn too_many_gaps_are_not_counted() {
        let mut coverage = Coverage::default();
        (0..100).for_each(|number| coverage.add(number * 2));
        assert_eq!(coverage.gaps(), None);
        assert!(coverage.ranges.len() <= RANGES + 1);
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter(
            missing in prop::collection::btree_set(2..29_u64, 0..6),
            split in 0..30_usize,
            turn in 0..30_usize,
        ) {
            let numbers: Vec<u64> = (1..30).filter(|number| !missing.contains(number)).collect();
            let mut shuffled = numbers.clone();
            let turn = turn % shuffled.len();
            shuffled.rotate_left(turn);
            let (first, second) = shuffled.split_at(split.min(shuffled.len()));
            let of = |numbers: &[u64]| {
                let mut coverage = Coverage::default();
                numbers.iter().for_each(|number| coverage.add(*number));
                coverage
            };
            let mut coverage = of(second);
            coverage.merge(of(first));
            let found = coverage.gaps().unwrap();
            let found: Vec<_> = found.into_iter().flat_map(|(from, to)| from..=to).collect();
            prop_assert_eq!(found, Vec::from_iter(missing));
        }
    }
}

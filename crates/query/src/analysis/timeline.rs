//! When messages came, in buckets that become wider when there are many.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// More buckets than this are put together to fewer, wider ones.
const BUCKETS: usize = if cfg!(test) { 32 } else { 1 << 14 };
/// How wide they are, in milliseconds; each is a multiple of the one before.
const WIDTHS: [i64; 11] = [
    1_000,
    5_000,
    15_000,
    60_000,
    300_000,
    900_000,
    3_600_000,
    21_600_000,
    86_400_000,
    31_536_000_000,
    3_153_600_000_000,
];

/// How many messages came when.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    buckets: HashMap<i64, Moment, BuildHasherDefault<KeyHasher>>,
    /// Buckets of this level that were read from an index, and are in no other yet.
    stored: Vec<Moment>,
    /// The bucket of the last message, which is that of the next one most of the time.
    open: Option<(i64, Moment)>,
    pub(super) level: usize,
}

/// However keys are chosen, there are too few of them to make it slow.
#[derive(Debug, Clone, Copy, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, key: u64) {
        // Its upper bits depend on all of the key's, the lower ones on them.
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = (self.0 ^ key).wrapping_mul(MIX);
        self.0 = mixed ^ mixed >> 32;
    }

    fn write_i64(&mut self, key: i64) {
        self.write_u64(key.cast_unsigned());
    }
}

/// The messages of one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// The earliest and the latest time, in milliseconds since 1970.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) messages: u64,
}

/// The longest time without a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Longest {
    /// Between these times, in milliseconds since 1970.
    Between(i64, i64),
    /// Less than this many milliseconds.
    Below(i64),
}

impl Timeline {
    #[inline]
    pub(super) fn add(&mut self, time: i64) {
        let width = self.width();
        if let Some((key, known)) = &mut self.open
            && let Some(within) = time.checked_sub(key.saturating_mul(width))
            && (0..width).contains(&within)
        {
            known.first = known.first.min(time);
            known.last = known.last.max(time);
            known.messages += 1;
            return;
        }
        self.add_new(time);
    }

    fn add_new(&mut self, time: i64) {
        let key = time.div_euclid(self.width());
        let moment = Moment {
            first: time,
            last: time,
            messages: 1,
        };
        match &mut self.open {
            Some((open, known)) if *open == key => known.merge(moment),
            _ => {
                let before = self.open.replace((key, moment));
                self.close(before);
            }
        }
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        self.settle();
        let other_open = other.open.take();
        other.close(other_open);
        while self.level < other.level {
            self.widen();
        }
        let width = self.width();
        for moment in other.stored.into_iter().chain(other.buckets.into_values()) {
            self.close(Some((moment.first.div_euclid(width), moment)));
        }
    }

    /// Makes a timeline of buckets of one level; `None` where there is no such level.
    pub(super) fn of(level: usize, moments: Vec<Moment>) -> Option<Self> {
        (level < WIDTHS.len()).then(|| Self {
            level,
            stored: moments,
            ..Self::default()
        })
    }

    /// Puts everything in its bucket.
    fn settle(&mut self) {
        let open = self.open.take();
        self.close(open);
        let width = self.width();
        for moment in std::mem::take(&mut self.stored) {
            self.close(Some((moment.first.div_euclid(width), moment)));
        }
    }

    /// Returns the buckets of its own level and of each wider one.
    pub(super) fn levels(&self) -> Vec<(usize, Vec<Moment>)> {
        let mut all = self.clone();
        all.settle();
        let mut levels = Vec::new();
        loop {
            let mut moments: Vec<_> = all.buckets.values().copied().collect();
            moments.sort_unstable_by_key(|moment| moment.first);
            levels.push((all.level, moments));
            if all.level + 1 >= WIDTHS.len() {
                return levels;
            }
            all.widen();
        }
    }

    fn close(&mut self, bucket: Option<(i64, Moment)>) {
        let Some((key, moment)) = bucket else {
            return;
        };
        // It may have become wider meanwhile.
        let key = match moment.first.div_euclid(self.width()) {
            wider if wider != key => wider,
            _ => key,
        };
        let known = self.buckets.entry(key);
        known
            .and_modify(|known| known.merge(moment))
            .or_insert(moment);
        while self.buckets.len() > BUCKETS && self.level + 1 < WIDTHS.len() {
            self.widen();
        }
        let width = self.width();
        if let Some((key, open)) = &mut self.open {
            *key = open.first.div_euclid(width);
        }
    }

    fn widen(&mut self) {
        self.level = (self.level + 1).min(WIDTHS.len() - 1);
        let width = self.width();
        for moment in std::mem::take(&mut self.buckets).into_values() {
            let known = self.buckets.entry(moment.first.div_euclid(width));
            known
                .and_modify(|known| known.merge(moment))
                .or_insert(moment);
        }
    }

    fn width(&self) -> i64 {
        WIDTHS.get(self.level).copied().unwrap_or(i64::MAX)
    }

    /// Returns the buckets in the order of time.
    pub(super) fn moments(&self) -> Vec<Moment> {
        self.closed().0
    }

    /// Returns the buckets in the order of time, and how wide they are.
    fn closed(&self) -> (Vec<Moment>, i64) {
        if self.buckets.is_empty() && self.open.is_none() {
            let mut moments = self.stored.clone();
            moments.sort_unstable_by_key(|moment| moment.first);
            return (moments, self.width());
        }
        let mut all = self.clone();
        all.settle();
        let width = all.width();
        let mut moments: Vec<_> = all.buckets.into_values().collect();
        moments.sort_unstable_by_key(|moment| moment.first);
        (moments, width)
    }

    /// Returns the longest time without a message, the first one of equal ones.
    pub(super) fn longest_silence(&self) -> Option<Longest> {
        let (moments, width) = self.closed();
        let mut longest: Option<(i64, i64)> = None;
        for (before, after) in moments.iter().zip(moments.iter().skip(1)) {
            let known = longest.map_or(0, |(from, to)| to - from);
            if after.first - before.last > known {
                longest = Some((before.last, after.first));
            }
        }
        match longest {
            // A longer one would not fit into a bucket.
            Some((from, to)) if to - from >= width => Some(Longest::Between(from, to)),
            _ if moments.iter().map(|moment| moment.messages).sum::<u64>() < 2 => None,
            _ => Some(Longest::Below(width)),
        }
    }
}

impl Moment {
    fn merge(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.messages += other.messages;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timeline(times: &[i64]) -> Timeline {
        let mut timeline = Timeline::default();
        times.iter().for_each(|time| timeline.add(*time));
        timeline
    }

    fn obvious(times: &[i64]) -> Option<i64> {
        let mut times = times.to_vec();
        times.sort_unstable();
        times.windows(2).map(|pair| pair[1] - pair[0]).max()
    }

    proptest! {
        #[test]
        fn silence_is_that_of_the_sorted_times(
            times in prop::collection::vec(-5_000_000..5_000_000_i64, 0..120),
            split in 0..120_usize,
        ) {
            let (first, second) = times.split_at(split.min(times.len()));
            let mut merged = timeline(second);
            merged.merge(timeline(first));
            let whole = timeline(&times);
            prop_assert_eq!(merged.moments(), whole.moments());
            prop_assert_eq!(merged.longest_silence(), whole.longest_silence());
            prop_assert!(whole.buckets.len() <= BUCKETS);
            let messages: u64 = whole.moments().iter().map(|moment| moment.messages).sum();
            prop_assert_eq!(messages, times.len() as u64);
            match (whole.longest_silence(), obvious(&times)) {
                (Some(Longest::Between(from, to)), Some(longest)) => {
                    prop_assert_eq!(to - from, longest);
                    prop_assert!(times.contains(&from) && times.contains(&to));
                }
                (Some(Longest::Below(width)), Some(longest)) => prop_assert!(longest < width),
                (None, None) => {}
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

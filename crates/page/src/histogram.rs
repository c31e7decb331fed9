//! When who said how much.

use std::collections::HashMap;

use query::{Accumulator, Found, Instant};
use serde::Serialize;

use crate::drawn::Palette;

/// More cells than this are put together to fewer, wider ones.
const CELLS: usize = 1 << 14;
/// How many senders are told apart at most; the others are counted as one.
const SENDERS: usize = 64;

/// Counts by sender and time, in memory that does not grow.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    senders: Vec<Vec<u8>>,
    cells: HashMap<(i64, usize), u64>,
    /// The first number of each bucket of time.
    first: HashMap<i64, u64>,
    /// Buckets are 2 to the power of this many seconds wide.
    level: u32,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Histogram {
    /// How many seconds each bucket is wide.
    seconds: u64,
    buckets: Vec<Bucket>,
    senders: Vec<Lane>,
}

#[derive(Debug, Serialize)]
struct Bucket {
    start: String,
    messages: u64,
    /// The lowest number in it, if its messages have numbers.
    first: Option<u64>,
}

/// The messages of one sender, in the same buckets.
#[derive(Debug, Serialize)]
struct Lane {
    name: Option<String>,
    kind: Option<usize>,
    messages: u64,
    counts: Vec<u64>,
}

impl Moments {
    fn sender(&mut self, name: &[u8]) -> usize {
        let known = self.senders.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            if self.senders.len() < SENDERS {
                self.senders.push(name.to_owned());
                self.senders.len() - 1
            } else {
                SENDERS
            }
        })
    }

    fn put(&mut self, bucket: i64, sender: usize, count: u64, number: Option<u64>) {
        *self.cells.entry((bucket, sender)).or_default() += count;
        if let Some(number) = number {
            let first = self.first.entry(bucket).or_insert(number);
            *first = number.min(*first);
        }
        if self.cells.len() > CELLS {
            self.widen(self.level + 1);
        }
    }

    fn widen(&mut self, level: u32) {
        let shift = level - self.level;
        self.level = level;
        for ((bucket, sender), count) in std::mem::take(&mut self.cells) {
            *self.cells.entry((bucket >> shift, sender)).or_default() += count;
        }
        for (bucket, number) in std::mem::take(&mut self.first) {
            let first = self.first.entry(bucket >> shift).or_insert(number);
            *first = number.min(*first);
        }
    }

    /// Makes up to `most` buckets of it, without gaps.
    pub(crate) fn histogram(mut self, most: usize, palette: &Palette) -> Histogram {
        let range = |moments: &Self| {
            let buckets = moments.cells.keys().map(|(bucket, _)| *bucket);
            Some((buckets.clone().min()?, buckets.max()?))
        };
        while range(&self).is_some_and(|(first, last)| last - first >= most as i64) {
            self.widen(self.level + 1);
        }
        let (first, last) = range(&self).unwrap_or((0, -1));
        let mut lanes: Vec<Lane> = Vec::new();
        for sender in 0..=SENDERS {
            let counts: Vec<u64> = (first..=last)
                .map(|bucket| self.cells.get(&(bucket, sender)).copied().unwrap_or(0))
                .collect();
            let messages = counts.iter().sum();
            if messages > 0 {
                let name = self.senders.get(sender);
                let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
                let kind = None;
                lanes.push(Lane {
                    name,
                    kind,
                    messages,
                    counts,
                });
            }
        }
        lanes.sort_by_key(|lane| std::cmp::Reverse(lane.messages));
        for lane in &mut lanes {
            lane.kind = lane.name.as_deref().map(|name| palette.kind(name));
        }
        let buckets = (first..=last)
            .zip(0..)
            .map(|(bucket, at): (i64, usize)| Bucket {
                start: time(bucket << self.level),
                messages: lanes.iter().filter_map(|lane| lane.counts.get(at)).sum(),
                first: self.first.get(&bucket).copied(),
            });
        Histogram {
            seconds: 1 << self.level,
            buckets: buckets.collect(),
            senders: lanes,
        }
    }
}

fn time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds);
    time.map_or_else(|_| String::new(), |time| time.to_string())
}

impl Accumulator for Moments {
    fn add(&mut self, found: &Found<'_>) {
        let fields = found.fields;
        let time = fields.recorded_at.as_ref().unwrap_or(&fields.timestamp);
        let time = std::str::from_utf8(time).ok().and_then(Instant::parse);
        // Nobody means times before the year 1 or after the year 9999.
        let Some(seconds) = time.map(|time| time.milliseconds().div_euclid(1_000)) else {
            return;
        };
        let sender = self.sender(&fields.sender);
        self.put(seconds >> self.level, sender, 1, found.number);
    }

    fn merge(&mut self, mut other: Self) {
        let level = self.level.max(other.level);
        self.widen(level);
        other.widen(level);
        let names: Vec<usize> = other.senders.iter().map(|name| self.sender(name)).collect();
        for ((bucket, sender), count) in other.cells {
            let sender = names.get(sender).copied().unwrap_or(SENDERS);
            let shift = self.level - level;
            self.put(bucket >> shift, sender, count, None);
        }
        for (bucket, number) in other.first {
            let shift = self.level - level;
            let first = self.first.entry(bucket >> shift).or_insert(number);
            *first = number.min(*first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_moments_are_put_together_and_none_is_lost() {
        let mut moments = Moments::default();
        for at in 0..100_000_i64 {
            let sender = moments.sender(format!("sender {}", at % 100).as_bytes());
            moments.put(
                (at * 60) >> moments.level,
                sender,
                1,
                Some(at.unsigned_abs() + 1),
            );
        }
        assert!(moments.cells.len() <= CELLS);
        let mut other = Moments::default();
        let sender = other.sender(b"sender 7");
        other.put(5, sender, 3, Some(1));
        moments.merge(other);
        let histogram = moments.histogram(50, &Palette::default());
        assert!(histogram.buckets.len() <= 50);
        let all: u64 = histogram.buckets.iter().map(|bucket| bucket.messages).sum();
        assert_eq!(all, 100_003);
        assert_eq!(histogram.buckets[0].first, Some(1));
        assert_eq!(histogram.senders.len(), SENDERS + 1);
        assert!(histogram.senders[0].name.is_none(), "the others are most");
    }
}

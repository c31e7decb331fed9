//! Durations counted in a fixed number of classes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::Commits;

/// Eight classes for each doubling: a percentile is off by 12.5% at most.
const STEPS: u32 = 8;
/// Up to 2^40 microseconds, which is 12 days.
const CLASSES: usize = 38 * STEPS as usize;

/// Counts durations; any number of threads may look at it.
#[derive(Debug)]
pub(crate) struct Histogram {
    classes: [AtomicU64; CLASSES],
    longest: AtomicU64,
    /// All durations together, in microseconds.
    sum: AtomicU64,
}

/// How long commits took: one write and one fsync each.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitTimes {
    /// Upper bounds in seconds, and how many commits took no longer.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// All of them together, in seconds.
    pub sum: f64,
}

/// Upper bounds of what is shown to others, in microseconds.
const BOUNDS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000, 30_000_000,
];

impl Default for Histogram {
    fn default() -> Self {
        Self {
            classes: std::array::from_fn(|_| AtomicU64::new(0)),
            longest: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    pub(crate) fn add(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(class) = self.classes.get(class(us)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        self.longest.fetch_max(us, Ordering::Relaxed);
        self.sum.fetch_add(us, Ordering::Relaxed);
    }

    /// Returns the counts up to fixed bounds. A class that reaches beyond a bound counts
    /// for the next one, so a count is low by an eighth at most.
    pub(crate) fn times(&self) -> CommitTimes {
        let counts: Vec<u64> = self
            .classes
            .iter()
            .map(|class| class.load(Ordering::Relaxed))
            .collect();
        let within = |bound: u64| {
            let classes = counts.iter().enumerate();
            let classes = classes.filter(|(class, _)| upper(*class) <= bound);
            classes.map(|(_, count)| count).sum()
        };
        let seconds = |us: u64| Duration::from_micros(us).as_secs_f64();
        CommitTimes {
            buckets: BOUNDS.map(|bound| (seconds(bound), within(bound))).to_vec(),
            count: counts.iter().sum(),
            sum: seconds(self.sum.load(Ordering::Relaxed)),
        }
    }

    /// Returns the percentiles; `None` before anything was counted.
    pub(crate) fn percentiles(&self) -> Option<Commits> {
        let counts: Vec<u64> = self
            .classes
            .iter()
            .map(|class| class.load(Ordering::Relaxed))
            .collect();
        let count: u64 = counts.iter().sum();
        let max_us = self.longest.load(Ordering::Relaxed);
        let at = |percent: u64| {
            let rank = (count * percent).div_ceil(100);
            let mut seen = 0;
            let class = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            class.map_or(max_us, |class| upper(class).min(max_us))
        };
        (count > 0).then(|| Commits {
            count,
            p50_us: at(50),
            p90_us: at(90),
            p99_us: at(99),
            max_us,
        })
    }
}

/// Small numbers have a class each; above, the highest bits decide.
fn class(us: u64) -> usize {
    let doublings = us.max(1).ilog2().saturating_sub(STEPS.ilog2());
    let step = us >> doublings;
    let class = u64::from(doublings * STEPS) + step;
    usize::try_from(class).map_or(CLASSES - 1, |class| class.min(CLASSES - 1))
}

/// The largest number of a class.
fn upper(class: usize) -> u64 {
    let (class, steps) = (class as u64, u64::from(STEPS));
    let doublings = (class / steps).saturating_sub(1);
    let step = class - doublings * steps;
    ((step + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_a_class_that_is_close_to_it() {
        let mut us = 0u64;
        while us < 1 << 39 {
            let upper = upper(class(us));
            assert!(upper >= us, "{us} {upper}");
            assert!(upper - us <= us / 8, "{us} {upper}");
            us += 1 + us / 100;
        }
        assert_eq!(class(u64::MAX), CLASSES - 1);
    }

    #[test]
    fn percentiles_are_those_of_what_was_counted() {
        let histogram = Histogram::default();
        assert_eq!(histogram.percentiles(), None);
        for ms in 1..=100 {
            histogram.add(Duration::from_millis(ms));
        }
        let times = histogram.times();
        assert_eq!((times.count, times.sum), (100, 5.05));
        assert!(times.buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
        let up_to = |bound| times.buckets.iter().find(|(at, _)| *at == bound).unwrap().1;
        assert_eq!((up_to(0.0005), up_to(0.25)), (0, 100));
        assert!((44..=50).contains(&up_to(0.05)), "{times:?}");
        let found = histogram.percentiles().unwrap();
        assert_eq!((found.count, found.max_us), (100, 100_000));
        assert!((50_000..57_000).contains(&found.p50_us), "{found:?}");
        assert!((99_000..=100_000).contains(&found.p99_us), "{found:?}");
    }
}

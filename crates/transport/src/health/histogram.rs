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
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            classes: std::array::from_fn(|_| AtomicU64::new(0)),
            longest: AtomicU64::new(0),
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
        let found = histogram.percentiles().unwrap();
        assert_eq!((found.count, found.max_us), (100, 100_000));
        assert!((50_000..57_000).contains(&found.p50_us), "{found:?}");
        assert!((99_000..=100_000).contains(&found.p99_us), "{found:?}");
    }
}

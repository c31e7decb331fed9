//! Medians and percentiles.

use std::time::Duration;

/// Returns the median; the mean of the middle two where their number is even.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (length, half) if length % 2 == 1 => sorted[half],
        (_, half) => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// Returns the median of the ratios of what was measured in the same round, so
/// that a machine that gets slower meanwhile does not count.
pub(crate) fn ratio(values: &[f64], others: &[f64]) -> f64 {
    let ratios: Vec<f64> = values
        .iter()
        .zip(others)
        .map(|(value, other)| value / other)
        .collect();
    median(&ratios)
}

/// Latencies in order.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Sorts them.
    pub(crate) fn new(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self(latencies)
    }

    /// Returns the smallest latency that `part` in a thousand don't exceed, in
    /// microseconds.
    pub(crate) fn per_mille(&self, part: usize) -> f64 {
        let rank = (self.0.len() * part).div_ceil(1_000).max(1);
        let latency = self.0.get(rank - 1);
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        // Twice as fast in each round, on a machine that gets slower.
        assert_eq!(ratio(&[8.0, 4.0, 2.0], &[4.0, 2.0, 1.0]), 2.0);
    }

    #[test]
    fn percentiles_are_latencies_that_occurred() {
        let all = Latencies::new((1..=1_000).rev().map(Duration::from_micros).collect());
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-6);
        near(all.per_mille(500), 500.0);
        near(all.per_mille(990), 990.0);
        near(all.per_mille(999), 999.0);
        near(
            Latencies::new(vec![Duration::from_micros(7)]).per_mille(990),
            7.0,
        );
    }
}

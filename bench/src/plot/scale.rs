//! A logarithmic axis.

/// Maps values to places, with whole powers of ten at both ends.
#[derive(Debug)]
pub(crate) struct Scale {
    /// The exponents at the ends.
    low: f64,
    high: f64,
    top: f64,
    bottom: f64,
}

impl Scale {
    /// Makes the scale that has room for all values.
    pub(crate) fn around(values: impl Iterator<Item = f64>, top: f64, bottom: f64) -> Self {
        let exponents = values.filter(|value| *value > 0.0).map(f64::log10);
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = exponents.fold(start, |(low, high), exponent| {
            (low.min(exponent.floor()), high.max(exponent.ceil()))
        });
        let low = if low.is_finite() { low } else { 0.0 };
        Self {
            low,
            high: high.max(low + 1.0),
            top,
            bottom,
        }
    }

    /// Returns where a value is.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let part = (value.log10() - self.low) / (self.high - self.low);
        self.bottom - part * (self.bottom - self.top)
    }

    /// Returns the powers of ten.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = f64> {
        let (low, high) = (self.low, self.high);
        (0_i16..)
            .map(move |step| low + f64::from(step))
            .take_while(move |exponent| *exponent <= high)
            .map(|exponent| 10_f64.powf(exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_around_the_values_are_at_the_ends() {
        let scale = Scale::around([20.0, 4_000.0].into_iter(), 0.0, 300.0);
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-6);
        near(scale.place(10.0), 300.0);
        near(scale.place(10_000.0), 0.0);
        near(scale.place(100.0), 200.0);
        assert_eq!(scale.ticks().count(), 4);
        assert_eq!(Scale::around([].into_iter(), 0.0, 1.0).ticks().count(), 2);
    }
}

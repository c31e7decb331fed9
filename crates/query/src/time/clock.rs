//! Reading many timestamps that are close to each other.

use super::Instant;

/// Reads times as milliseconds since 1970, those of one hour faster than others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    /// `2025-11-20T04:`, and when that is.
    hour: Option<([u8; HOUR], i64)>,
}

const HOUR: usize = 14;

impl Clock {
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<i64> {
        if let Some((known, start)) = &self.hour
            && text.starts_with(known)
            && let Some(within) = within_hour(text)
        {
            return Some(start + within);
        }
        let time = Instant::parse(std::str::from_utf8(text).ok()?)?;
        let (seconds, nanoseconds) = time.parts();
        let time = seconds * 1_000 + i64::from(nanoseconds / 1_000_000);
        if let (Some(hour), Some(within)) = (text.first_chunk(), within_hour(text)) {
            self.hour = Some((*hour, time - within));
        }
        Some(time)
    }
}

/// Reads the milliseconds of `30:00.123Z` in a text of the usual form.
fn within_hour(text: &[u8]) -> Option<i64> {
    let [a, b, b':', c, d, b'.', e, f, g, b'Z'] = *text.get(HOUR..)? else {
        return None;
    };
    let digits = [a, b, c, d, e, f, g].map(|digit| i64::from(digit.wrapping_sub(b'0')));
    let [a, b, c, d, e, f, g] = digits;
    let is_usual = digits.iter().all(|digit| *digit < 10) && a < 6 && c < 6;
    let seconds = (a * 10 + b) * 60 + c * 10 + d;
    is_usual.then_some(seconds * 1_000 + e * 100 + f * 10 + g)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_read_as_everywhere(
            seconds in 1_763_600_000..1_763_700_000_i64,
            milliseconds in 0..1_000_i64,
        ) {
            let time = jiff::Timestamp::new(seconds, i32::try_from(milliseconds).unwrap() * 1_000_000).unwrap();
            let text = time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            let mut clock = Clock::default();
            let expected = Some(seconds * 1_000 + milliseconds);
            prop_assert_eq!(clock.read(text.as_bytes()), expected);
            prop_assert_eq!(clock.read(text.as_bytes()), expected);
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let mut clock = Clock::default();
        assert!(clock.read(b"2025-11-20T04:30:00.123Z").is_some());
        for text in [
            "2025-11-20T04:61:00.123Z",
            "2025-11-20T04:30:0x.123Z",
            "soon",
        ] {
            assert_eq!(clock.read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(
            clock.read(b"2025-11-20T04:30:00Z"),
            clock.read(b"2025-11-20T04:30:00.000Z")
        );
    }
}

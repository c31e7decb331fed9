//! Keeps one kind of message from flooding the log.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::sync::held;

/// How often one kind of message is logged at most.
const EVERY: Duration = Duration::from_secs(5);

/// Decides for one kind of message whether it is logged now.
#[derive(Debug)]
pub(crate) struct Throttle(Mutex<ThrottleState>);

#[derive(Debug)]
struct ThrottleState {
    last: Option<Instant>,
    kept_back: u64,
}

impl Throttle {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(ThrottleState {
            last: None,
            kept_back: 0,
        }))
    }

    /// Returns what to add to the message, or `None` to keep it back.
    pub(crate) fn pass(&self) -> Option<String> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Option<String> {
        let mut state = held(self.0.lock());
        if state
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < EVERY)
        {
            state.kept_back += 1;
            return None;
        }
        state.last = Some(now);
        Some(match std::mem::take(&mut state.kept_back) {
            0 => String::new(),
            count => format!(" ({count} more like this were not logged)"),
        })
    }
}

/// Logs at most once in a while, and says how many were kept back.
macro_rules! log_throttled {
    ($level:expr, $($message:tt)+) => {{
        static THROTTLE: $crate::throttle::Throttle = $crate::throttle::Throttle::new();
        if let Some(more) = THROTTLE.pass() {
            log::log!($level, "{}{more}", format_args!($($message)+));
        }
    }};
}
pub(crate) use log_throttled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_passes_and_those_behind_it_are_counted() {
        let throttle = Throttle::new();
        let now = Instant::now();
        assert_eq!(throttle.pass_at(now), Some(String::new()));
        assert_eq!(throttle.pass_at(now + EVERY / 2), None);
        assert_eq!(throttle.pass_at(now + EVERY / 2), None);
        let more = throttle.pass_at(now + EVERY).unwrap();
        assert_eq!(more, " (2 more like this were not logged)");
        assert_eq!(throttle.pass_at(now + 2 * EVERY), Some(String::new()));
    }
}

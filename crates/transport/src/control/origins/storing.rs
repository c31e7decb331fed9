//! When is it stored again how far other journals' messages are recorded?

use std::time::{Duration, Instant};

/// How often it is looked whether a session was closed since.
const PERIOD: Duration = Duration::from_secs(1);

/// What is stored, and whether that is going on.
#[derive(Debug, Default)]
pub(in crate::control) struct Storing {
    /// Up to which record it is stored.
    through: u64,
    busy: bool,
    looked: Option<Instant>,
}

impl Storing {
    /// Tells whether it is time to look.
    pub(in crate::control) fn looks(&mut self, now: Instant) -> bool {
        let early = |looked: Instant| now.duration_since(looked) < PERIOD;
        if self.busy || self.looked.is_some_and(early) {
            return false;
        }
        self.looked = Some(now);
        true
    }

    /// Tells whether what is known up to the record `through` is to be stored, where the
    /// current session begins at `first`, and takes it as begun.
    pub(in crate::control) fn begins(&mut self, through: u64, first: u64) -> bool {
        self.busy = self.through + 1 < first && through + 1 >= first;
        self.busy
    }

    /// Notes what came of it; what has failed is tried again.
    pub(in crate::control) fn done(&mut self, stored: Result<u64, String>) {
        self.busy = false;
        match stored {
            Ok(through) => self.through = through,
            Err(reason) => log::warn!(
                "how far other journals' messages are recorded could not be stored, so no \
                 session that they may be in can be removed: {reason}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stored_once_a_session_was_closed_and_all_of_it_is_known() {
        let mut storing = Storing::default();
        let now = Instant::now();
        assert!(storing.looks(now) && !storing.looks(now));
        assert!(!storing.begins(50, 1), "the first session is not closed");
        assert!(
            !storing.begins(50, 61),
            "a message may be between 51 and 60"
        );
        assert!(storing.begins(60, 61));
        assert!(!storing.looks(now + PERIOD), "it is going on");
        storing.done(Err("full".to_owned()));
        assert!(storing.looks(now + PERIOD) && storing.begins(60, 61));
        storing.done(Ok(60));
        assert!(!storing.begins(70, 61), "that session is covered");
        assert!(storing.begins(80, 81));
    }
}

//! The time that waits and limits are measured by.

/// Returns the time, or the simulated one where a test has set it.
#[cfg(not(test))]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
pub(crate) use self::simulated::{is_simulated, now};

#[cfg(test)]
pub(crate) mod simulated {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    thread_local! {
        static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
    }

    pub(crate) fn now() -> Instant {
        NOW.get().unwrap_or_else(Instant::now)
    }

    /// Tells whether this thread's time stands still between steps.
    pub(crate) fn is_simulated() -> bool {
        NOW.get().is_some()
    }

    /// From now on this thread's time goes on by [`advance`] alone.
    pub(crate) fn start() {
        NOW.set(Some(Instant::now()));
    }

    pub(crate) fn advance(by: Duration) {
        NOW.set(NOW.get().map(|now| now + by));
    }

    /// Gives the thread back its real time.
    pub(crate) fn stop() {
        NOW.set(None);
    }
}

//! The newest messages in memory, for whoever watches.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// Held for watchers that are a little behind; others read the journal.
const MESSAGES: usize = 4_096;
const BYTES: usize = 8 << 20;
/// For the rate of messages.
const MINUTE: Duration = Duration::from_secs(60);

/// A message that was recorded since the server was started.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) number: u64,
    pub(crate) line: Box<[u8]>,
}

/// What a watcher gets that has seen everything up to some number.
#[derive(Debug)]
pub(crate) enum After {
    /// The next messages.
    Next(Vec<Arc<Recorded>>),
    /// There is nothing new.
    Nothing,
    /// The next messages are in the journal alone: those before this number.
    Behind(u64),
    /// Numbers have begun again, and go on behind this one.
    Anew(u64),
}

/// The newest messages. One thread adds to it, any number of watchers read.
#[derive(Debug)]
pub(crate) struct Tail {
    state: Mutex<State>,
    head: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    recorded: VecDeque<Arc<Recorded>>,
    bytes: usize,
    last: u64,
    /// How many messages came in each of the last seconds.
    rate: VecDeque<(Instant, u64)>,
    damaged: u64,
}

impl Tail {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            head: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, number: u64, line: &[u8]) {
        let mut state = self.state();
        if number <= state.last {
            state.recorded.clear();
            state.bytes = 0;
        }
        state.last = number;
        state.bytes += line.len();
        state.recorded.push_back(Arc::new(Recorded {
            number,
            line: line.into(),
        }));
        while state.recorded.len() > MESSAGES || state.bytes > BYTES && state.recorded.len() > 1 {
            let oldest = state.recorded.pop_front();
            state.bytes -= oldest.map_or(0, |oldest| oldest.line.len());
        }
        let now = Instant::now();
        match state.rate.back_mut() {
            Some((second, count)) if now - *second < Duration::from_secs(1) => *count += 1,
            _ => state.rate.push_back((now, 1)),
        }
        let is_old = |(second, _): &(Instant, u64)| now - *second > MINUTE;
        while state.rate.front().is_some_and(is_old) {
            state.rate.pop_front();
        }
    }

    /// Wakes whoever waits for new messages.
    pub(crate) fn tell(&self) {
        let last = self.state().last;
        self.head
            .send_if_modified(|head| std::mem::replace(head, last) != last);
    }

    pub(crate) fn add_damage(&self, damaged: u64) {
        self.state().damaged += damaged;
    }

    /// Returns what tells that there may be new messages.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Returns the number of the newest message, if one is known.
    pub(crate) fn last(&self) -> Option<u64> {
        Some(self.state().last).filter(|last| *last > 0)
    }

    /// Returns how many messages came within the last minute, and how many damaged
    /// lines since the beginning.
    pub(crate) fn health(&self) -> (u64, u64) {
        let state = self.state();
        let is_new = |(second, _): &&(Instant, u64)| second.elapsed() <= MINUTE;
        let rate = state.rate.iter().filter(is_new).map(|(_, count)| count);
        (rate.sum(), state.damaged)
    }

    /// Returns up to so many messages behind a number.
    pub(crate) fn after(&self, number: u64, most: usize) -> After {
        let state = self.state();
        let Some(first) = state.recorded.front() else {
            return After::Nothing;
        };
        if number > state.last {
            return After::Anew(first.number - 1);
        }
        if number + 1 < first.number {
            return After::Behind(first.number);
        }
        let from = state
            .recorded
            .partition_point(|recorded| recorded.number <= number);
        let next: Vec<_> = state
            .recorded
            .iter()
            .skip(from)
            .take(most)
            .cloned()
            .collect();
        match next.is_empty() {
            true => After::Nothing,
            false => After::Next(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_in_number_and_in_bytes() {
        let tail = Tail::new();
        for number in 1..=10_000 {
            tail.push(number, b"{}");
        }
        assert!(matches!(tail.after(5, 10), After::Behind(first) if first == 10_001 - 4_096));
        for number in 10_001..=10_010 {
            tail.push(number, &vec![b' '; BYTES / 2 - 1]);
        }
        assert!(matches!(tail.after(10_007, 10), After::Behind(10_009)));
        let After::Next(next) = tail.after(10_008, 10) else {
            panic!("two are held");
        };
        assert_eq!(next.len(), 2);
        assert!(matches!(tail.after(10_010, 10), After::Nothing));
    }

    #[test]
    fn numbers_that_begin_again_are_told() {
        let tail = Tail::new();
        tail.push(100, b"{}");
        tail.push(3, b"{}");
        assert!(matches!(tail.after(100, 10), After::Anew(2)));
        assert!(matches!(tail.after(2, 10), After::Next(next) if next[0].number == 3));
    }
}

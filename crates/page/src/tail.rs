//! The newest messages in memory, for whoever watches.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::numbers::Numbers;
use crate::sync::held;

/// Held for watchers that are a little behind; others read the journal.
const MESSAGES: usize = 4_096;
const BYTES: usize = 8 << 20;
/// How many spans of numbers are known at most; without gaps all are one.
const RUNS: usize = 1_024;
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
pub(crate) enum After<T> {
    /// The next messages, or their numbers.
    Next(T),
    /// There is nothing new.
    Nothing,
    /// The next messages are in the journal alone: those before this number.
    Behind(u64),
    /// Numbers have begun again, and go on behind this one.
    Anew(u64),
}

impl<T> After<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> After<U> {
        match self {
            Self::Next(next) => After::Next(change(next)),
            Self::Nothing => After::Nothing,
            Self::Behind(first) => After::Behind(first),
            Self::Anew(number) => After::Anew(number),
        }
    }
}

/// The newest messages. One thread adds to it, any number of watchers read.
#[derive(Debug)]
pub(crate) struct Tail {
    state: Mutex<TailState>,
    head: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct TailState {
    recorded: VecDeque<Arc<Recorded>>,
    bytes: usize,
    /// Numbers of all that came since the server was started, as stretches. Who wants
    /// numbers alone gets them from here, however far behind: with many messages a
    /// second, those in memory are of a moment only.
    runs: VecDeque<(u64, u64)>,
    last: u64,
    /// How many messages came in each of the last seconds.
    rate: VecDeque<(Instant, u64)>,
    damaged: u64,
    has_begun: bool,
}

impl TailState {
    fn add_to_runs(&mut self, number: u64) {
        match self.runs.back_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => self.runs.push_back((number, number)),
        }
        if self.runs.len() > RUNS {
            self.runs.pop_front();
        }
    }

    /// Tells what there is behind a number, where what is known begins with `first`.
    fn place<T>(&self, number: u64, first: Option<u64>) -> Option<After<T>> {
        let Some(first) = first else {
            return Some(After::Nothing);
        };
        if number > self.last {
            return Some(After::Anew(first - 1));
        }
        if number == self.last {
            return Some(After::Nothing);
        }
        (number + 1 < first).then_some(After::Behind(first))
    }
}

impl Tail {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            head: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, TailState> {
        // Each change leaves it whole.
        held(self.state.lock())
    }

    pub(crate) fn push(&self, number: u64, line: &[u8]) {
        let mut state = self.state();
        if number <= state.last {
            state.recorded.clear();
            state.runs.clear();
            state.bytes = 0;
        }
        state.last = number;
        state.add_to_runs(number);
        state.bytes += line.len();
        state.recorded.push_back(Arc::new(Recorded {
            number,
            line: line.into(),
        }));
        while state.recorded.len() > MESSAGES || state.bytes > BYTES && state.recorded.len() > 1 {
            let oldest = state.recorded.pop_front();
            state.bytes -= oldest.map_or(0, |oldest| oldest.line.len());
        }
        // The first one was there before.
        let now = Instant::now();
        let has_begun = std::mem::replace(&mut state.has_begun, true);
        match state.rate.back_mut() {
            _ if !has_begun => {}
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

    /// Returns how many messages came within the last minute.
    pub(crate) fn rate(&self) -> u64 {
        let state = self.state();
        let is_new = |(second, _): &&(Instant, u64)| second.elapsed() <= MINUTE;
        let rate = state.rate.iter().filter(is_new).map(|(_, count)| count);
        rate.sum()
    }

    /// Returns how many damaged lines were found since the beginning.
    pub(crate) fn damaged(&self) -> u64 {
        self.state().damaged
    }

    /// Returns up to `most` messages behind a number.
    pub(crate) fn after(&self, number: u64, most: usize) -> After<Vec<Arc<Recorded>>> {
        let state = self.state();
        let first = state.recorded.front().map(|recorded| recorded.number);
        if let Some(other) = state.place(number, first) {
            return other;
        }
        let from = state
            .recorded
            .partition_point(|recorded| recorded.number <= number);
        let next = state.recorded.iter().skip(from).take(most);
        After::Next(next.cloned().collect())
    }

    /// Returns the numbers of all messages behind a number.
    pub(crate) fn numbers_after(&self, number: u64) -> After<Numbers> {
        let state = self.state();
        let first = state.runs.front().map(|(first, _)| *first);
        if let Some(other) = state.place(number, first) {
            return other;
        }
        let from = state.runs.partition_point(|(_, last)| *last <= number);
        let mut numbers = Numbers::default();
        for (first, last) in state.runs.iter().skip(from) {
            numbers.push_run((*first).max(number + 1), *last);
        }
        After::Next(numbers)
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
    fn numbers_alone_are_known_however_far_one_is_behind() {
        let tail = Tail::new();
        for number in (11..=100_000).filter(|number| *number != 50) {
            tail.push(number, b"{}");
        }
        assert!(matches!(tail.after(20, 10), After::Behind(_)));
        let After::Next(numbers) = tail.numbers_after(20) else {
            panic!("all numbers are known");
        };
        assert_eq!(numbers.runs, [(21, 49), (51, 100_000)]);
        assert_eq!(numbers.count, 100_000 - 21);
        assert!(matches!(tail.numbers_after(9), After::Behind(11)));
        assert!(matches!(tail.numbers_after(10), After::Next(_)));
        assert!(matches!(tail.numbers_after(100_000), After::Nothing));
        // A bounded number of stretches.
        for number in 0..5_000 {
            tail.push(100_000 + 2 * number, b"{}");
        }
        assert!(tail.state().runs.len() <= RUNS);
        assert!(matches!(tail.numbers_after(20), After::Behind(_)));
        tail.push(5, b"{}");
        assert!(matches!(tail.numbers_after(20), After::Anew(4)));
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

//! Holds publishers back where subscribers are too far behind, so that
//! messages in flight take a bounded amount of memory without a high-water
//! mark that would drop some.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

/// How long nothing may move before a run has failed.
const STALL: Duration = Duration::from_secs(30);
/// How long a publisher sleeps before it looks again.
const NAP: Duration = Duration::from_micros(100);

/// What publishers and subscribers of a run know of each other.
#[derive(Debug)]
pub(crate) struct Flow {
    publishers: usize,
    /// For each publisher, what each subscriber has of it.
    received: Vec<Count>,
    ready: AtomicU64,
    go: AtomicBool,
    failed: AtomicBool,
    /// The first failure, which is the cause of the others.
    failure: Mutex<Option<anyhow::Error>>,
}

/// On a cache line of its own, since each has another writer.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count {
    messages: AtomicU64,
    heard: AtomicBool,
}

impl Flow {
    /// Makes the state of a run.
    pub(crate) fn new(publishers: usize, subscribers: usize) -> Self {
        Self {
            publishers,
            received: (0..publishers * subscribers)
                .map(|_| Count::default())
                .collect(),
            ready: AtomicU64::new(0),
            go: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Notes that a subscriber hears a publisher.
    pub(crate) fn hears(&self, subscriber: usize, publisher: usize) {
        self.count(subscriber, publisher)
            .heard
            .store(true, Ordering::Relaxed);
    }

    /// Notes how many messages of a publisher a subscriber has.
    pub(crate) fn received(&self, subscriber: usize, publisher: usize, messages: u64) {
        let count = self.count(subscriber, publisher);
        count.messages.store(messages, Ordering::Relaxed);
    }

    /// Tells whether all subscribers hear a publisher.
    pub(crate) fn is_heard(&self, publisher: usize) -> bool {
        self.of(publisher)
            .all(|count| count.heard.load(Ordering::Relaxed))
    }

    /// Waits, as a publisher that is heard, for the common start.
    pub(crate) fn wait_for_start(&self) -> anyhow::Result<()> {
        self.ready.fetch_add(1, Ordering::Relaxed);
        self.wait(|| self.go.load(Ordering::Relaxed))
    }

    /// Starts all publishers as soon as they are heard, and returns when.
    pub(crate) fn start(&self) -> anyhow::Result<Instant> {
        let publishers = self.publishers as u64;
        self.wait(|| self.ready.load(Ordering::Relaxed) == publishers)?;
        let start = Instant::now();
        self.go.store(true, Ordering::Relaxed);
        Ok(start)
    }

    /// Waits until all subscribers have a publisher's messages up to a number.
    pub(crate) fn wait_until_received(
        &self,
        publisher: usize,
        messages: u64,
    ) -> anyhow::Result<()> {
        let counts = || {
            self.of(publisher)
                .map(|count| count.messages.load(Ordering::Relaxed))
        };
        let are_there = || counts().all(|count| count >= messages);
        // A slow server may take as long as it needs, if it does move.
        while !are_there() {
            let before: u64 = counts().sum();
            self.wait(|| counts().sum::<u64>() > before || are_there())?;
        }
        Ok(())
    }

    /// Passes a result on; a failure makes everybody else stop.
    pub(crate) fn note<T>(&self, result: anyhow::Result<T>) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        self.failed.store(true, Ordering::Relaxed);
        None
    }

    /// Returns the first failure.
    pub(crate) fn into_failure(self) -> Option<anyhow::Error> {
        self.failure
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up where another has failed.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.failed.load(Ordering::Relaxed) {
            bail!("stopped, since another agent failed");
        }
        Ok(())
    }

    fn wait(&self, condition: impl Fn() -> bool) -> anyhow::Result<()> {
        let start = Instant::now();
        while !condition() {
            self.check()?;
            if start.elapsed() > STALL {
                bail!("nothing moved for {} s", STALL.as_secs());
            }
            thread::sleep(NAP);
        }
        Ok(())
    }

    fn count(&self, subscriber: usize, publisher: usize) -> &Count {
        &self.received[subscriber * self.publishers + publisher]
    }

    fn of(&self, publisher: usize) -> impl Iterator<Item = &Count> {
        self.received
            .iter()
            .skip(publisher)
            .step_by(self.publishers)
    }
}

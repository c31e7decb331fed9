//! Queue and turns as they are, and a recorder whose disk is a list.

use std::collections::VecDeque;

use journal::raw::Session;
use journal::{Archived, IoError};

use crate::batch::Batch;
use crate::error::Failure;
use crate::pool::BufferPool;
use crate::sync::{Arc, Mutex, mpsc};

#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/recorder/queue.rs"]
mod queue;
#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/recorder/turns.rs"]
mod turns;

pub(crate) use self::queue::{Queue, Taken};
pub(crate) use self::turns::Recording;

/// A batch of up to this many bytes intake records by itself.
pub(crate) const AT_ONCE: usize = 16 << 10;

/// What the disk does with a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Full,
    Fails,
}

/// The disk: it does these, one after the other, and from then on all goes well.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) fates: Mutex<VecDeque<Option<Fate>>>,
    pub(crate) numbers: Mutex<Vec<u64>>,
}

/// Whoever asks that the session is closed.
pub(crate) struct ArchiveRequest(pub(crate) mpsc::Sender<()>);

/// What the turns need of the recorder: the same order of steps, with a list for a disk.
pub(crate) struct Recorder {
    pub(crate) writer: Writer,
    pub(crate) queue: Arc<Queue>,
    pub(crate) spare: Arc<BufferPool>,
    pub(crate) requests: mpsc::Receiver<ArchiveRequest>,
    pub(crate) failed: Option<Failure>,
    pub(crate) held: Option<Vec<Batch>>,
    pub(crate) health: Health,
}

/// Nobody looks at it.
pub(crate) struct Health;

impl Health {
    pub(crate) fn turned(&self) {}
}

pub(crate) struct Writer {
    pub(crate) disk: Arc<Disk>,
    pub(crate) failed: bool,
}

impl Writer {
    pub(crate) fn session(&self) -> Session {
        unreachable!("nobody asks for it")
    }

    fn commit(&mut self, batches: &[Batch]) -> Result<(), Fate> {
        if self.failed {
            return Err(Fate::Fails);
        }
        if let Some(Some(fate)) = self.disk.fates.lock().unwrap().pop_front() {
            self.failed = fate == Fate::Fails;
            return Err(fate);
        }
        let mut numbers = self.disk.numbers.lock().unwrap();
        for batch in batches {
            let expected = numbers.last().map_or(1, |last| last + 1);
            assert_eq!(batch.first, expected, "in the order of the numbers");
            numbers.push(batch.first);
        }
        Ok(())
    }
}

impl Recorder {
    pub(crate) fn record(&mut self, batches: Vec<Batch>) -> Result<(), Failure> {
        match self.writer.commit(&batches) {
            Ok(()) => {
                self.queue.release(batches.iter().map(Batch::memory).sum());
                Ok(())
            }
            Err(Fate::Full) => {
                self.held = Some(batches);
                Ok(())
            }
            Err(Fate::Fails) => Err(Failure::Recording),
        }
    }

    pub(crate) fn retry(&mut self) -> Result<bool, Failure> {
        let Some(held) = self.held.take() else {
            return Ok(false);
        };
        self.record(held).map(|()| true)
    }

    pub(crate) fn record_at_once(&mut self, batch: Batch) {
        let batches = [batch];
        let result = self.writer.commit(&batches);
        let [batch] = batches;
        match result {
            Ok(()) => {}
            Err(Fate::Full) => self.queue.put(batch),
            Err(Fate::Fails) => {
                self.failed = Some(Failure::Recording);
                self.queue.nudge();
            }
        }
    }

    pub(crate) fn housekeeping(&mut self) {
        while let Ok(ArchiveRequest(reply)) = self.requests.try_recv() {
            // Who asked may have stopped waiting.
            let _told: Result<(), _> = reply.send(());
        }
    }

    pub(crate) fn close(&mut self, _: Option<&str>) -> Result<Option<Archived>, IoError> {
        Ok(None)
    }
}

//! Puts batches on disk, a group at a time, and makes them visible.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

use journal::raw::{Committed, Group, Writer};
use journal::{Archived, CommitError, IoError, Operation};
use log::Level;

use crate::batch::Batch;
use crate::clock;
use crate::config::Changeable;
use crate::error::Failure;
use crate::health::Health;
use crate::pending::Outcome;
use crate::pool::BufferPool;
use crate::recorder::{Queue, Rotation};
use crate::tail::Tail;
use crate::throttle::log_throttled;

/// A batch of up to this many bytes is recorded by intake itself while the
/// recorder is idle. What is larger comes fast, and more of it can be received
/// meanwhile.
pub(crate) const AT_ONCE: usize = 16 << 10;

/// How often a full disk is complained about.
const COMPLAIN: Duration = Duration::from_secs(5);

/// A request to close the session now.
pub(crate) struct ArchiveRequest {
    pub(crate) label: Option<String>,
    pub(crate) reply: Box<dyn FnOnce(Result<Option<Archived>, IoError>) + Send>,
}

/// What owns the journal's writer.
pub(crate) struct Recorder {
    pub(crate) writer: Writer,
    pub(crate) queue: Arc<Queue>,
    pub(crate) spare: Arc<BufferPool>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) requests: Receiver<ArchiveRequest>,
    pub(crate) changes: Receiver<Changeable>,
    pub(crate) rotation: Rotation,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) max_session: Option<u64>,
    pub(crate) recorded: Arc<AtomicU64>,
    pub(crate) health: Arc<Health>,
    pub(crate) on_archived: Arc<dyn Fn(&Path) + Send + Sync>,
    /// Why recording has failed on another thread than the recorder's.
    pub(crate) failed: Option<Failure>,
    /// What waits for room on a full disk.
    pub(crate) held: Option<Held>,
}

/// Batches that are committed as soon as the disk has room for them.
pub(crate) struct Held {
    batches: Vec<Batch>,
    /// When it was last said that they wait.
    complained: Option<Instant>,
}

impl Recorder {
    /// Records batches, or holds them where the disk is full.
    pub(crate) fn record(&mut self, batches: Vec<Batch>) -> Result<(), Failure> {
        self.commit(Held {
            batches,
            complained: None,
        })
    }

    /// Tries once more to record what is held; false where nothing is.
    pub(crate) fn retry(&mut self) -> Result<bool, Failure> {
        let Some(held) = self.held.take() else {
            return Ok(false);
        };
        self.commit(held)?;
        Ok(true)
    }

    /// Records a batch that was never in the queue.
    pub(crate) fn record_at_once(&mut self, batch: Batch) {
        match self.try_commit(&[&batch.group]) {
            Ok(committed) => self.publish(vec![batch], &committed),
            // The recorder's thread waits for room: intake can't.
            Err(CommitError::NoRoom { .. }) => self.queue.put(batch),
            Err(error) => {
                self.failed = Some(error.into());
                self.queue.nudge();
            }
        }
    }

    /// Makes batches visible that are on disk.
    fn publish(&mut self, batches: Vec<Batch>, committed: &Committed) {
        self.report_left(committed);
        let messages: usize = batches.iter().map(Batch::len).sum();
        self.recorded.fetch_add(messages as u64, Ordering::Relaxed);
        let small = committed.bytes <= AT_ONCE as u64;
        let (mut lines, mut acks) = (Vec::with_capacity(batches.len()), Vec::new());
        let batches = batches.into_iter().map(|mut batch| {
            let group = batch.take_lines();
            let bytes = group.bytes().len();
            lines.push(group);
            acks.append(&mut batch.take_acks());
            (batch, bytes)
        });
        let given_up = self.tail.publish(batches, committed);
        match small {
            true => self.tail.listeners.serve_all(&self.tail),
            false => self.tail.listeners.wake_all(),
        }
        for (number, ack) in acks {
            ack.answer(Outcome::Recorded(number));
        }
        self.spare.keep(lines, given_up);
        let full = |limit| self.writer.session().bytes >= limit;
        if self.max_session.is_some_and(full) {
            self.archive(None, "its size limit");
        }
    }

    /// Says which files were left before a group, and lets the cursors know
    /// where those are now.
    fn report_left(&self, committed: &Committed) {
        for fresh in &committed.fresh {
            log::error!("recording goes on in a fresh file: {}", fresh.reason);
            if let Some(archived) = &fresh.archived {
                log::error!("what was recorded before is in {}", archived.path.display());
                (self.on_archived)(&archived.path);
            }
        }
        if !committed.fresh.is_empty() || self.tail.lacks_file() {
            let archived = committed.fresh.iter();
            let archived = archived.filter_map(|fresh| fresh.archived.as_ref());
            let file = self.writer.session_file();
            self.tail.rotate(archived, self.before(committed), file);
        }
    }

    /// Returns the fresh session as it was before the group came into it.
    fn before(&self, committed: &Committed) -> journal::raw::Session {
        journal::raw::Session {
            bytes: committed.offset,
            ..self.writer.session()
        }
    }

    /// Commits a group, and makes it visible. While the disk is full it is held,
    /// unless the broker stops: then somebody has to know.
    fn commit(&mut self, mut held: Held) -> Result<(), Failure> {
        let groups: Vec<&Group> = held.batches.iter().map(|batch| &batch.group).collect();
        let error = match self.try_commit(&groups) {
            Ok(committed) => {
                if held.complained.is_some() {
                    log::warn!("there is room again: recording goes on");
                }
                let memory = held.batches.iter().map(Batch::memory).sum();
                self.publish(held.batches, &committed);
                self.queue.release(memory);
                return Ok(());
            }
            Err(error @ CommitError::NoRoom { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        self.health.stalled(&format!("disk full: {error}"));
        let now = clock::now();
        if held
            .complained
            .is_none_or(|at| now.duration_since(at) >= COMPLAIN)
        {
            log::error!("DISK FULL: {error}; nothing is lost, delivery waits until there is room");
            held.complained = Some(now);
        }
        self.refuse_requests();
        if self.queue.has_ended() {
            let in_hand: usize = held.batches.iter().map(Batch::len).sum();
            let messages = in_hand + self.queue.waiting();
            return Err(Failure::NotRecorded { messages });
        }
        self.held = Some(held);
        Ok(())
    }

    fn try_commit(&mut self, groups: &[&Group]) -> Result<Committed, CommitError> {
        self.health.begin();
        let committed = self.writer.commit(groups)?;
        self.health.committed(committed.bytes);
        Ok(committed)
    }

    /// Answers requests while the disk is full: who asks must not wait with it.
    fn refuse_requests(&self) {
        for ArchiveRequest { reply, .. } in self.requests.try_iter() {
            let error = IoError {
                operation: Operation::Archive,
                path: self.writer.session_path(),
                source: ErrorKind::StorageFull.into(),
            };
            reply(Err(error));
        }
    }

    /// Does what is due: changes, requests and the daily rotation.
    pub(crate) fn housekeeping(&mut self) {
        while let Ok(change) = self.changes.try_recv() {
            self.max_session = change.max_session;
            self.rotation.set(change.rotate_at, (self.clock)());
        }
        while let Ok(ArchiveRequest { label, reply }) = self.requests.try_recv() {
            let result = self.close(label.as_deref());
            self.note(&result);
            reply(result);
        }
        if self.rotation.is_due((self.clock)()) {
            self.archive(None, "the daily rotation");
        }
    }

    /// Closes the session.
    pub(crate) fn close(&mut self, label: Option<&str>) -> Result<Option<Archived>, IoError> {
        let health = Arc::clone(&self.health);
        health.closing(|| self.writer.archive(label))
    }

    fn archive(&mut self, label: Option<&str>, reason: &str) {
        let result = self.close(label);
        self.note(&result);
        match result {
            Ok(Some(Archived { path, records, .. })) => {
                log::info!(
                    "{reason}: archived {records} messages to {}",
                    path.display()
                );
            }
            Ok(None) => {}
            // A session over its size limit is tried again after every group.
            Err(error) => {
                log_throttled!(Level::Error, "{reason}: {}", with_source(&error));
            }
        }
    }

    /// Lets the cursors know where the session is now.
    fn note(&self, result: &Result<Option<Archived>, IoError>) {
        if let Ok(Some(archived)) = result {
            let (session, file) = (self.writer.session(), self.writer.session_file());
            self.tail.rotate([archived], session, file);
            (self.on_archived)(&archived.path);
        }
    }
}

fn with_source(error: &IoError) -> String {
    format!("{error}: {}", error.source)
}

#[cfg(test)]
mod tests;

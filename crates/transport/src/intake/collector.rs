//! Numbers and encodes what was received, and hands it on in batches.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use journal::raw::Group;
use message::Timestamp;

use crate::batch::Batch;
use crate::keys::{Keys, Member};
use crate::net::Strangers;
use crate::pending::PublishQueue;
use crate::pool::BufferPool;
use crate::recorder::{Queue, Recording};
use crate::throttle::log_throttled;

/// A batch is handed on when it holds this many bytes, or when nothing more is
/// there to receive.
const BATCH_BYTES: usize = 64 << 10;

/// What intake counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Messages that were taken from publishers, and their bytes on the wire.
    pub(crate) received: AtomicU64,
    pub(crate) received_bytes: AtomicU64,
    /// Messages refused because they were too large.
    pub(crate) refused: AtomicU64,
    /// Publishers disconnected for a message that was too large, or for
    /// something that is no ZeroMQ.
    pub(crate) disconnected: AtomicU64,
    /// Who can't be served whatever it does, at any port.
    pub(crate) strangers: Strangers,
}

/// The one place where messages get their numbers.
pub(crate) struct Collector {
    pub(crate) queue: Arc<Queue>,
    pub(crate) counters: Arc<Counters>,
    recording: Arc<Recording>,
    spare: Arc<BufferPool>,
    batch: Batch,
    recorded_at: Timestamp,
    max_line: usize,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// Whose names nobody else may say to be the sender of a message.
    strict: Option<Arc<Keys>>,
}

impl Collector {
    /// Gives the next message the number `next`.
    pub(crate) fn new(
        recording: Arc<Recording>,
        counters: Arc<Counters>,
        next: u64,
        max_line: usize,
        clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    ) -> Self {
        Self {
            queue: Arc::clone(&recording.queue),
            spare: Arc::clone(&recording.spare),
            counters,
            recording,
            batch: Batch::new(Group::new(next, max_line)),
            recorded_at: message::format_time(clock()),
            max_line,
            clock,
            strict: None,
        }
    }

    /// Lets nobody send messages in the name of another one of these keys.
    pub(crate) fn strict(mut self, keys: Option<Arc<Keys>>) -> Self {
        self.strict = keys;
        self
    }

    /// Reads the clock, for the messages that are added from now on.
    pub(crate) fn read_clock(&mut self) {
        self.recorded_at = message::format_time((self.clock)());
    }

    /// Adds a whole message, as it stands on the wire, of a peer that has shown a key
    /// where one is needed.
    pub(crate) fn add(&mut self, member: Option<&Arc<Member>>, message: Cow<'_, [u8]>) {
        if let Some(member) = member
            && let Err(denied) = member.check(|| zmtp::frames(&message), self.strict.as_deref())
        {
            return self.refuse(format_args!("{} bytes: {denied}", message.len()));
        }
        let key_name = member.map(|member| &*member.name);
        if matches!(message, Cow::Owned(_)) {
            // It gets a batch of its own, in which it need not be copied.
            self.hand_on();
        }
        let length = message.len();
        if let Err(error) = self.batch.push(message, &self.recorded_at, key_name) {
            self.refuse(format_args!("{length} bytes: {error}"));
        }
        if self.batch.group.bytes().len() >= BATCH_BYTES {
            self.hand_on();
        }
    }

    /// Adds messages from the control port, up to half of a batch, so that
    /// neither way of publishing starves the other; false where there are none.
    pub(crate) fn add_pending(&mut self, publishes: &PublishQueue) -> bool {
        if self.queue.is_full() {
            return false;
        }
        let taken = publishes.take(BATCH_BYTES / 2);
        let some = !taken.is_empty();
        for publish in taken {
            self.batch.push_pending(publish, &self.recorded_at);
        }
        some
    }

    /// Leaves what was collected to the recorder, because more is there.
    pub(crate) fn hand_on(&mut self) {
        if let Some(batch) = self.take() {
            self.queue.put(batch);
        }
    }

    /// Has recorded what was collected, because nothing more is there; the disk may be
    /// waited for.
    pub(crate) fn record(&mut self) {
        if let Some(batch) = self.take() {
            self.recording.record_or_leave(batch);
        }
    }

    fn take(&mut self) -> Option<Batch> {
        if self.batch.is_empty() {
            return None;
        }
        let (messages, bytes) = (self.batch.len() as u64, self.batch.wire().len() as u64);
        self.counters
            .received
            .fetch_add(messages, Ordering::Relaxed);
        self.counters
            .received_bytes
            .fetch_add(bytes, Ordering::Relaxed);
        let next = self.batch.group.next();
        let group = match self.spare.group() {
            Some(mut group) => {
                group.reset(next);
                group
            }
            None => Group::new(next, self.max_line),
        };
        let following = self.spare.following(&self.batch, group);
        Some(std::mem::replace(&mut self.batch, following))
    }

    /// Says what was not recorded: it is the only way in which the broker
    /// loses a message that reached it.
    pub(crate) fn refuse(&self, what: fmt::Arguments<'_>) {
        log_throttled!(log::Level::Error, "refused a message of {what}");
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;

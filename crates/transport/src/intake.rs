//! Receives what publishers send, and encodes it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use journal::Group;
use zmq::{Message, PollItem, Socket};

use crate::batch::Batch;
use crate::letterbox::Letterbox;
use crate::queue::Queue;
use crate::shutdown::Phase;
use crate::throttle::log_throttled;
use crate::waker::Sleeper;

/// A batch is handed on when it holds so many bytes, or when nothing more is
/// there to receive.
const BATCH_BYTES: usize = 64 << 10;
/// How long a broker that stops takes in what keeps coming.
const LAST_CALL: Duration = Duration::from_secs(1);
/// In milliseconds: when nothing has come for so long, all has arrived.
const QUIET: i64 = 50;
/// Frames take memory also where they are empty.
const MAX_FRAMES: u64 = 1 << 20;

/// What intake counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Messages refused because they were too large.
    pub(crate) refused: AtomicU64,
    /// Publishers disconnected for a message far too large, or for something
    /// that is no ZeroMQ.
    pub(crate) disconnected: AtomicU64,
}

/// The thread that owns the publishers' socket.
pub(crate) struct Intake {
    pub(crate) socket: Socket,
    pub(crate) queue: Arc<Queue>,
    /// Messages from the control port.
    pub(crate) letters: Arc<Letterbox>,
    pub(crate) phase: Arc<Phase>,
    pub(crate) sleeper: Sleeper,
    pub(crate) counters: Arc<Counters>,
    /// The number that the next message gets.
    pub(crate) next: u64,
    pub(crate) max_message: u64,
    pub(crate) max_line: usize,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Intake {
    /// Receives until the broker stops; then takes in what has arrived, so
    /// that a message which was sent in time is not lost.
    pub(crate) fn run(mut self) -> zmq::Result<()> {
        let mut frame = Message::new();
        let mut last_call: Option<Instant> = None;
        loop {
            if last_call.is_none() && !self.phase.is_running() {
                last_call = Some(Instant::now() + LAST_CALL);
            }
            let batch = self.receive(&mut frame)?;
            if !batch.is_empty() {
                self.next = batch.group.next();
                if !self.queue.put(batch) {
                    return Ok(());
                }
            }
            let waited_for = match last_call {
                None => self.wait()?,
                Some(end) if Instant::now() < end => self.wait_for_rest()?,
                Some(_) => false,
            };
            if !waited_for {
                return Ok(());
            }
        }
    }

    /// Receives what is there, up to a batch.
    fn receive(&self, frame: &mut Message) -> zmq::Result<Batch> {
        let mut batch = Batch::new(Group::new(self.next, self.max_line));
        let recorded_at = message::format_time((self.clock)());
        // Half of a batch at most: neither way of publishing starves the other.
        for letter in self.letters.take(BATCH_BYTES / 2) {
            batch.push_letter(letter, &recorded_at);
        }
        while batch.group.bytes().len() < BATCH_BYTES {
            if !self.receive_message(frame, &mut batch, &recorded_at)? {
                break;
            }
        }
        Ok(batch)
    }

    /// Receives one message; false where there is none.
    fn receive_message(
        &self,
        frame: &mut Message,
        batch: &mut Batch,
        recorded_at: &str,
    ) -> zmq::Result<bool> {
        if !receive_frame(&self.socket, frame)? {
            return Ok(false);
        }
        let (mut size, mut frames) = (0, 0);
        loop {
            size += frame.len() as u64;
            frames += 1;
            if size <= self.max_message && frames <= MAX_FRAMES {
                batch.push_frame(frame);
            }
            // The frames of a message arrive together.
            if !frame.get_more() || !receive_frame(&self.socket, frame)? {
                break;
            }
        }
        if size > self.max_message || frames > MAX_FRAMES {
            batch.drop_message();
            let limit = self.max_message;
            self.refuse(format_args!(
                "{size} bytes in {frames} frames: the limits are {limit} and {MAX_FRAMES}"
            ));
        } else if let Err(error) = batch.end_message(recorded_at) {
            self.refuse(format_args!("{size} bytes: {error}"));
        }
        Ok(true)
    }

    /// Says what was not recorded: it is the only way in which the broker
    /// loses a message that reached it.
    fn refuse(&self, what: fmt::Arguments<'_>) {
        log_throttled!(log::Level::Error, "refused a message of {what}");
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for something to receive, or for the broker to stop.
    fn wait(&mut self) -> zmq::Result<bool> {
        self.sleeper.about_to_sleep();
        if self.phase.is_running() && self.letters.is_empty() {
            let mut items = [
                self.socket.as_poll_item(zmq::POLLIN),
                PollItem::from_fd(self.sleeper.fd(), zmq::POLLIN),
            ];
            poll(&mut items, -1)?;
        }
        self.sleeper.awake();
        Ok(true)
    }

    /// Waits for what libzmq is still reading; false when nothing comes.
    fn wait_for_rest(&self) -> zmq::Result<bool> {
        if !self.letters.is_empty() {
            return Ok(true);
        }
        poll(&mut [self.socket.as_poll_item(zmq::POLLIN)], QUIET)
    }
}

/// Polls; false where the time was up.
fn poll(items: &mut [PollItem<'_>], timeout: i64) -> zmq::Result<bool> {
    match zmq::poll(items, timeout) {
        Ok(ready) => Ok(ready > 0),
        Err(zmq::Error::EINTR) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Receives a frame that is there; false where there is none.
fn receive_frame(socket: &Socket, frame: &mut Message) -> zmq::Result<bool> {
    loop {
        match socket.recv(frame, zmq::DONTWAIT) {
            Ok(()) => return Ok(true),
            Err(zmq::Error::EAGAIN) => return Ok(false),
            Err(zmq::Error::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

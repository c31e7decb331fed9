//! Messages whose senders wait for an acknowledgement, on their way to intake,
//! and the answers on their way back.
//!
//! Numbers are given in one place, the intake thread. A [`PendingPublish`] carries a
//! [`AckHandle`] that goes with the message to the disk; whoever knows what became
//! of the message answers it. A handle that is dropped answers by itself.

use std::collections::VecDeque;

use crate::sync::{Arc, Mutex, MutexGuard, held};

/// Frames take memory also where they are empty.
const FRAME: usize = 64;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is on stable storage under this number.
    Recorded(u64),
    /// It is not recorded, and never will be: its line would be too long.
    TooLarge(String),
    /// It is not recorded, and never will be: the broker takes no more.
    Stopped,
    /// Recording failed: nobody knows what the disk has.
    Unknown,
}

/// Takes answers, from any thread.
pub(crate) type Answer = dyn Fn(u64, Outcome) + Send + Sync;

/// The right, and the duty, to answer for one message.
pub(crate) struct AckHandle {
    id: u64,
    /// `None` once it was answered.
    answer: Option<Arc<Answer>>,
}

impl AckHandle {
    pub(crate) fn new(id: u64, answer: &Arc<Answer>) -> Self {
        Self {
            id,
            answer: Some(Arc::clone(answer)),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn answer(mut self, outcome: Outcome) {
        if let Some(answer) = self.answer.take() {
            answer(self.id, outcome);
        }
    }
}

impl Drop for AckHandle {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            answer(self.id, Outcome::Unknown);
        }
    }
}

impl std::fmt::Debug for AckHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AckHandle").field(&self.id).finish()
    }
}

/// A message whose sender waits.
#[derive(Debug)]
pub(crate) struct PendingPublish {
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) ack: AckHandle,
    /// The name of the key that its sender has shown to own.
    pub(crate) key_name: Option<Arc<str>>,
    /// The other journal in which the message was recorded first.
    pub(crate) origin: Option<Arc<protocol::Origin>>,
}

impl PendingPublish {
    fn memory(&self) -> usize {
        self.frames.iter().map(|frame| frame.len() + FRAME).sum()
    }
}

/// Where messages wait for intake: bounded by bytes and by number.
#[derive(Debug)]
pub(crate) struct PublishQueue {
    state: Mutex<PublishQueueState>,
    most: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct PublishQueueState {
    publishes: VecDeque<PendingPublish>,
    bytes: usize,
    closed: bool,
}

impl PublishQueue {
    /// Makes a queue of up to `most` messages, of up to `bytes` bytes altogether.
    pub(crate) fn new(most: usize, bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            most,
            bytes,
        }
    }

    /// Leaves a message; gives it back where there is no room, or no intake.
    ///
    /// One that is larger than that passes when it is alone.
    pub(crate) fn put(&self, publish: PendingPublish) -> Result<(), PendingPublish> {
        let memory = publish.memory();
        let mut state = self.lock();
        let full = state.publishes.len() >= self.most
            || (state.bytes > 0 && state.bytes + memory > self.bytes);
        if state.closed || full {
            return Err(publish);
        }
        state.bytes += memory;
        state.publishes.push_back(publish);
        Ok(())
    }

    /// Takes messages of about this many bytes, and at least one if there is any.
    pub(crate) fn take(&self, bytes: usize) -> Vec<PendingPublish> {
        let mut state = self.lock();
        let (mut taken, mut memory) = (Vec::new(), 0);
        while memory < bytes
            && let Some(publish) = state.publishes.pop_front()
        {
            memory += publish.memory();
            taken.push(publish);
        }
        state.bytes -= memory;
        taken
    }

    /// Takes back all messages that intake has not taken.
    pub(crate) fn take_back(&self) -> Vec<PendingPublish> {
        self.take(usize::MAX)
    }

    /// Lets nothing more in, and refuses what nobody will take.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        for publish in self.take_back() {
            publish.ack.answer(Outcome::Stopped);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().publishes.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, PublishQueueState> {
        held(self.state.lock())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn answers() -> (Arc<Answer>, Receiver<(u64, Outcome)>) {
        let (sender, receiver) = channel();
        let sender = Mutex::new(sender);
        let answer = move |id, outcome| sender.lock().unwrap().send((id, outcome)).unwrap();
        (Arc::new(answer), receiver)
    }

    fn publish(id: u64, size: usize, answer: &Arc<Answer>) -> PendingPublish {
        PendingPublish {
            frames: vec![vec![0; size]],
            ack: AckHandle::new(id, answer),
            key_name: None,
            origin: None,
        }
    }

    #[test]
    fn it_is_bounded_by_number_and_by_bytes() {
        let (answer, _answers) = answers();
        let publishes = PublishQueue::new(2, 1000);
        assert!(
            publishes.put(publish(1, 5000, &answer)).is_ok(),
            "it is alone"
        );
        assert!(publishes.put(publish(2, 1, &answer)).is_err());
        assert_eq!(publishes.take(1).len(), 1);
        assert!(publishes.put(publish(3, 100, &answer)).is_ok());
        assert!(publishes.put(publish(4, 100, &answer)).is_ok());
        assert!(
            publishes.put(publish(5, 100, &answer)).is_err(),
            "two at most"
        );
        assert_eq!(publishes.take(1000).len(), 2);
        assert!(publishes.is_empty());
    }

    #[test]
    fn every_handle_is_answered_once_whatever_becomes_of_it() {
        let (answer, answers) = answers();
        let publishes = PublishQueue::new(10, 1000);
        for id in 1..=3 {
            publishes.put(publish(id, 1, &answer)).unwrap();
        }
        let mut taken = publishes.take(FRAME + 1);
        taken.remove(0).ack.answer(Outcome::Recorded(7));
        assert_eq!(answers.try_recv().unwrap(), (1, Outcome::Recorded(7)));
        drop(publishes.take(FRAME + 1));
        assert_eq!(answers.try_recv().unwrap(), (2, Outcome::Unknown));
        publishes.close();
        assert_eq!(answers.try_recv().unwrap(), (3, Outcome::Stopped));
        drop(publishes.put(publish(4, 1, &answer)).unwrap_err());
        assert_eq!(answers.try_recv().unwrap(), (4, Outcome::Unknown));
        assert!(answers.try_recv().is_err());
    }
}

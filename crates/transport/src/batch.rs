//! Messages that travel through the broker together.

use journal::Group;

use crate::letterbox::{Letter, Outcome, Ticket};

/// Messages with their frames in one stretch of memory, and their lines.
///
/// It is handed from thread to thread as a whole: one hand-over costs more than
/// encoding a small message does.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The lines, numbered; given up once they are on disk.
    pub(crate) group: Group,
    frames: Arena,
    /// Where each message ends, counted in frames.
    message_ends: Vec<usize>,
    first: u64,
    /// Whoever waits for a message of this batch, with its number.
    tickets: Vec<(u64, Ticket)>,
}

/// Frames behind each other in one stretch of memory.
#[derive(Debug, Default)]
struct Arena {
    bytes: Vec<u8>,
    /// Where each frame ends in `bytes`.
    ends: Vec<usize>,
}

impl Arena {
    fn get(&self, index: usize) -> &[u8] {
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let end = self.ends.get(index).copied().unwrap_or(0);
        self.bytes
            .get(start.copied().unwrap_or(0)..end)
            .unwrap_or_default()
    }
}

impl Batch {
    pub(crate) fn new(group: Group) -> Self {
        let first = group.first();
        Self {
            group,
            frames: Arena::default(),
            message_ends: Vec::new(),
            first,
            tickets: Vec::new(),
        }
    }

    /// Adds a frame to the message that is being collected.
    pub(crate) fn push_frame(&mut self, frame: &[u8]) {
        self.frames.bytes.extend_from_slice(frame);
        self.frames.ends.push(self.frames.bytes.len());
    }

    /// Completes the message: records it in the group.
    pub(crate) fn end_message(&mut self, recorded_at: &str) -> Result<u64, journal::RecordError> {
        self.end(recorded_at, false)
    }

    /// Adds a message whose sender waits; answers at once where it can't be
    /// recorded.
    pub(crate) fn push_letter(&mut self, letter: Letter, recorded_at: &str) {
        let Letter { frames, ticket } = letter;
        for frame in &frames {
            self.push_frame(frame);
        }
        match self.end(recorded_at, true) {
            Ok(number) => self.tickets.push((number, ticket)),
            Err(error) => ticket.answer(Outcome::TooLarge(error.to_string())),
        }
    }

    /// Takes out who waits for an answer.
    pub(crate) fn take_tickets(&mut self) -> Vec<(u64, Ticket)> {
        std::mem::take(&mut self.tickets)
    }

    fn end(&mut self, recorded_at: &str, acked: bool) -> Result<u64, journal::RecordError> {
        let (from, to) = (self.collected_from(), self.frames.ends.len());
        let encode = |out: &mut Vec<u8>| match to - from {
            // Nearly all messages have two frames, and need no list of them.
            2 if !acked => {
                let frames = [self.frames.get(from), self.frames.get(from + 1)];
                message::encode(&frames, recorded_at, out);
            }
            _ => {
                let frames: Vec<&[u8]> = (from..to).map(|frame| self.frames.get(frame)).collect();
                if acked {
                    message::encode_acked(&frames, recorded_at, out);
                } else {
                    message::encode(&frames, recorded_at, out);
                }
            }
        };
        let pushed = self.group.push_with(encode);
        match pushed {
            Ok(_) => self.message_ends.push(to),
            Err(_) => self.drop_message(),
        }
        pushed
    }

    /// Forgets the frames of the message that is being collected.
    pub(crate) fn drop_message(&mut self) {
        self.frames.ends.truncate(self.collected_from());
        self.frames
            .bytes
            .truncate(self.frames.ends.last().copied().unwrap_or(0));
    }

    fn collected_from(&self) -> usize {
        self.message_ends.last().copied().unwrap_or(0)
    }

    /// Returns the frames of the message at `index`.
    pub(crate) fn frames(&self, index: usize) -> impl ExactSizeIterator<Item = &[u8]> {
        let start = index
            .checked_sub(1)
            .and_then(|before| self.message_ends.get(before));
        let end = self.message_ends.get(index).copied().unwrap_or(0);
        (start.copied().unwrap_or(0)..end).map(|frame| self.frames.get(frame))
    }

    pub(crate) fn len(&self) -> usize {
        self.message_ends.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.message_ends.is_empty()
    }

    /// Returns the number of the first message.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Returns the memory in bytes that the batch holds, lines included.
    pub(crate) fn memory(&self) -> usize {
        let ends = self.frames.ends.capacity() + self.message_ends.capacity();
        self.group.memory() + self.frames.bytes.capacity() + ends * size_of::<usize>()
    }

    /// Gives up the lines and what was allocated beyond need.
    pub(crate) fn forget_lines(&mut self) {
        self.group = Group::default();
        self.frames.bytes.shrink_to_fit();
        self.frames.ends.shrink_to_fit();
        self.message_ends.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_a_dropped_message_leaves_no_trace() {
        let mut batch = Batch::new(Group::new(5, 1 << 20));
        batch.push_frame(b"topic");
        batch.push_frame(b"{}");
        assert_eq!(batch.end_message("2025-11-20T04:30:00.123Z").unwrap(), 5);
        batch.push_frame(b"too much");
        batch.drop_message();
        batch.push_frame(b"");
        assert_eq!(batch.end_message("2025-11-20T04:30:00.123Z").unwrap(), 6);
        let frames = |index| batch.frames(index).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!((batch.len(), batch.first()), (2, 5));
        assert_eq!(frames(0), [b"topic".to_vec(), b"{}".to_vec()]);
        assert_eq!(frames(1), [b"".to_vec()]);
    }
}

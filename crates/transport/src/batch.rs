//! Messages that travel through the broker together.

use std::borrow::Cow;
use std::ops::Range;

use journal::RecordError;
use journal::raw::Group;
use message::{Arrival, Provenance};

use crate::pending::{AckHandle, Outcome, PendingPublish};

/// Room that is made for messages before they come: about a batch of small ones.
const ROOM: usize = 128 << 10;

/// Messages as they stood on the wire, behind each other in one stretch of
/// memory, and their lines.
///
/// It is handed from thread to thread as a whole: one hand-over costs more than
/// encoding a small message does. What goes out to subscribers are these very
/// bytes.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The lines, numbered; given up once they are on disk.
    pub(crate) group: Group,
    wire: Vec<u8>,
    /// Where each message ends.
    ends: Vec<End>,
    first: u64,
    /// Whoever waits for a message of this batch, with its number.
    acks: Vec<(u64, AckHandle)>,
}

/// Where a message ends.
#[derive(Debug, Clone, Copy)]
struct End {
    /// In the bytes that go out.
    wire: usize,
    /// In the lines: there the next record begins.
    line: usize,
}

impl Batch {
    pub(crate) fn new(group: Group) -> Self {
        let first = group.first();
        Self {
            group,
            wire: Vec::new(),
            ends: Vec::new(),
            first,
            acks: Vec::new(),
        }
    }

    /// Returns how much room the batch behind this one needs: as much as this one holds
    /// and a little more.
    pub(crate) fn room_behind(&self) -> usize {
        (self.wire.len() + self.wire.len() / 4).min(ROOM)
    }

    /// Makes an empty batch behind this one, in the memory of another one or in its own.
    pub(crate) fn following(&self, group: Group, memory: Option<Self>) -> Self {
        let Self { wire, ends, .. } = memory.unwrap_or_else(|| Self {
            wire: Vec::with_capacity(self.room_behind()),
            ends: Vec::with_capacity(self.ends.len()),
            ..Self::new(Group::default())
        });
        Self {
            wire,
            ends,
            ..Self::new(group)
        }
    }

    /// Empties the batch and keeps its memory.
    pub(crate) fn emptied(self) -> Self {
        let Self {
            mut wire, mut ends, ..
        } = self;
        wire.clear();
        ends.clear();
        Self {
            wire,
            ends,
            ..Self::new(Group::default())
        }
    }

    /// Tells whether the batch, which is empty, has memory for this many bytes
    /// and not for many more.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        (bytes..=2 * bytes).contains(&self.wire.capacity())
    }

    /// Adds a whole message, as it stands on the wire: records it in the group, with
    /// the name of the key that it came with.
    pub(crate) fn push(
        &mut self,
        message: Cow<'_, [u8]>,
        recorded_at: &str,
        key_name: Option<&str>,
    ) -> Result<u64, RecordError> {
        let arrival = Arrival {
            key_name,
            ..Arrival::at(recorded_at)
        };
        let number = self.group.push_with(|out| {
            let mut frames = zmtp::frames(&message);
            match (frames.next(), frames.next(), frames.next()) {
                // Nearly all messages have two frames, and need no list of them.
                (Some(topic), Some(payload), None) => {
                    message::encode_arrival(&[topic, payload], arrival, out);
                }
                _ => {
                    let frames: Vec<&[u8]> = zmtp::frames(&message).collect();
                    message::encode_arrival(&frames, arrival, out);
                }
            }
        })?;
        self.keep(message);
        Ok(number)
    }

    /// Adds a message whose sender waits; answers at once where it can't be
    /// recorded.
    pub(crate) fn push_pending(&mut self, publish: PendingPublish, recorded_at: &str) {
        let PendingPublish {
            frames,
            ack,
            key_name,
            origin,
        } = publish;
        let provenance = origin.as_deref().map(|origin| Provenance {
            journal: &origin.journal,
            name: &origin.name,
            message_num: origin.message_num,
        });
        let arrival = Arrival {
            // It names another journal's message: a message_id that is sent again here
            // has nothing to do with it.
            acked: provenance.is_none(),
            provenance,
            key_name: key_name.as_deref(),
            ..Arrival::at(recorded_at)
        };
        let frames: Vec<&[u8]> = frames.iter().map(|frame| &frame[..]).collect();
        let pushed = self
            .group
            .push_with(|out| message::encode_arrival(&frames, arrival, out));
        match pushed {
            Ok(number) => {
                let mut wire = Vec::new();
                zmtp::push_message(&mut wire, frames);
                self.keep(Cow::Owned(wire));
                self.acks.push((number, ack));
            }
            Err(error) => ack.answer(Outcome::TooLarge(error.to_string())),
        }
    }

    /// Takes out who waits for an answer.
    pub(crate) fn take_acks(&mut self) -> Vec<(u64, AckHandle)> {
        std::mem::take(&mut self.acks)
    }

    fn keep(&mut self, message: Cow<'_, [u8]>) {
        match message {
            // A large message that stands alone is not copied.
            Cow::Owned(message) if self.wire.is_empty() => self.wire = message,
            message => self.wire.extend_from_slice(&message),
        }
        self.ends.push(End {
            wire: self.wire.len(),
            line: self.group.bytes().len(),
        });
    }

    /// Returns all messages as they stand on the wire.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// Returns where some messages, by their places, stand in [`wire`](Self::wire).
    pub(crate) fn stretch(&self, messages: Range<usize>) -> Range<usize> {
        let end_of = |count: usize| {
            let last = count.checked_sub(1).and_then(|last| self.ends.get(last));
            last.map_or(0, |end| end.wire)
        };
        end_of(messages.start)..end_of(messages.end)
    }

    /// Returns where the line of the message at `index` begins, or would begin,
    /// in bytes behind the first line's beginning.
    pub(crate) fn line_start(&self, index: usize) -> usize {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        before.map_or(0, |end| end.line)
    }

    /// Returns how many messages have their line before an offset, which is
    /// counted as in [`line_start`](Self::line_start).
    pub(crate) fn lines_before(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| end.line <= offset)
    }

    /// Returns the first frame of the message at `index`.
    pub(crate) fn topic(&self, index: usize) -> &[u8] {
        let message = self.wire.get(self.stretch(index..index + 1));
        zmtp::first_frame(message.unwrap_or_default())
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the number of the first message.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Returns the memory in bytes that the batch holds, lines included.
    pub(crate) fn memory(&self) -> usize {
        self.group.memory() + self.wire.capacity() + self.ends.capacity() * size_of::<End>()
    }

    /// Gives up the lines, which are on disk, and what was allocated far beyond
    /// need.
    pub(crate) fn take_lines(&mut self) -> Group {
        // Shrinking costs as much as allocating: small batches may keep more.
        let slack = self.wire.len().min(ROOM / 2);
        self.wire.shrink_to(self.wire.len() + slack);
        self.ends.shrink_to(2 * self.ends.len());
        std::mem::take(&mut self.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(frames: &[&str]) -> Vec<u8> {
        let mut wire = Vec::new();
        zmtp::push_message(&mut wire, frames.iter().map(|frame| frame.as_bytes()));
        wire
    }

    #[test]
    fn messages_come_back_and_one_that_is_refused_leaves_no_trace() {
        const AT: &str = "2025-11-20T04:30:00.123Z";
        let mut batch = Batch::new(Group::new(5, 512));
        let first = message(&["topic", "{}"]);
        let number = batch.push(Cow::Borrowed(&first), AT, None).unwrap();
        assert_eq!(number, 5);
        let long = "x".repeat(1000);
        assert!(batch.push(Cow::Owned(message(&[&long])), AT, None).is_err());
        let last = message(&[""]);
        assert_eq!(batch.push(Cow::Owned(last.clone()), AT, None).unwrap(), 6);
        assert_eq!((batch.len(), batch.first()), (2, 5));
        assert_eq!(batch.wire(), [first.clone(), last].concat());
        assert_eq!(batch.stretch(0..1), 0..first.len());
        let (lines, second) = (batch.group.bytes().len(), batch.line_start(1));
        assert_eq!(batch.group.bytes()[second - 1], b'\n');
        assert_eq!((batch.line_start(0), batch.line_start(2)), (0, lines));
        let before = |offset| batch.lines_before(offset);
        assert_eq!((before(0), before(second), before(lines)), (0, 1, 2));
        assert_eq!((batch.topic(0), batch.topic(1)), (&b"topic"[..], &b""[..]));
    }
}

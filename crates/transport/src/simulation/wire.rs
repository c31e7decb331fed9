//! What a client says and hears: ZeroMQ's protocol over a simulated connection.

use std::collections::VecDeque;

use zmtp::Header;

use super::pipe::{Door, End};
use super::world::moved;
use crate::testing::greeting;

/// A client's side of a connection.
pub(super) struct Wire {
    end: End,
    /// What is still to be written.
    unsent: VecDeque<u8>,
    /// What has to wait until the broker's part of the handshake has come.
    later: Vec<u8>,
    ready: bool,
    written: u64,
    /// Ends of what was queued, by the offset behind them.
    marks: VecDeque<(u64, String)>,
    queued: u64,
    /// Where queued frames end.
    frame_ends: VecDeque<u64>,
    received: Vec<u8>,
    /// How many bytes of the broker's greeting have not come.
    greeting: usize,
    frames: Vec<Vec<u8>>,
}

impl Wire {
    /// Connects as a socket of a kind, and queues its greeting.
    pub(super) fn connect(door: &Door, kind: &str, capacity: usize) -> Option<Self> {
        let mut wire = Self {
            end: door.connect(capacity)?,
            unsent: VecDeque::new(),
            later: Vec::new(),
            ready: false,
            written: 0,
            marks: VecDeque::new(),
            queued: 0,
            frame_ends: VecDeque::new(),
            received: Vec::new(),
            greeting: zmtp::GREETING_BYTES,
            frames: Vec::new(),
        };
        let greeting = greeting(kind.as_bytes());
        wire.queued = greeting.len() as u64;
        wire.unsent = greeting.into();
        Some(wire)
    }

    pub(super) fn queue_message(&mut self, frames: &[&[u8]]) {
        let mut wire = Vec::new();
        zmtp::push_message(&mut wire, frames.iter().copied());
        let mut end = 0;
        while let Some(header) = Header::parse(&wire[end..]).unwrap() {
            end += header.length + usize::try_from(header.body).unwrap();
            self.frame_ends.push_back(self.queued + end as u64);
        }
        self.queued += wire.len() as u64;
        match self.ready {
            true => self.unsent.extend(wire),
            false => self.later.extend(wire),
        }
    }

    /// From when on all that is queued has left, the name is returned by
    /// [`write`](Self::write).
    pub(super) fn mark(&mut self, name: String) {
        self.marks.push_back((self.queued, name));
    }

    /// Tells whether something has not left, or was not read by the broker.
    pub(super) fn is_busy(&self) -> bool {
        self.has_unsent() || !self.is_read()
    }

    pub(super) fn has_unsent(&self) -> bool {
        !(self.unsent.is_empty() && self.later.is_empty())
    }

    /// Tells whether the broker has read all that was written.
    pub(super) fn is_read(&self) -> bool {
        self.end.is_read()
    }

    /// Returns how many bytes there are up to the end of the frame under way. A
    /// library writes large ones by themselves.
    pub(super) fn rest_of_frame(&mut self) -> usize {
        let is_written = |end: &mut u64| *end <= self.written;
        while self.frame_ends.pop_front_if(is_written).is_some() {}
        let end = self.frame_ends.front().map_or(0, |end| end - self.written);
        usize::try_from(end).unwrap()
    }

    /// Tells whether the connection is there for messages.
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Writes up to `most` bytes, and returns whose marks have left; `None` where
    /// the broker takes no more.
    pub(super) fn write(&mut self, most: usize) -> Option<Vec<String>> {
        let front = self.unsent.as_slices().0;
        let count = self.end.write(&front[..most.min(front.len())])?;
        self.unsent.drain(..count);
        moved(count);
        self.written += count as u64;
        let mut left = Vec::new();
        while let Some((_, name)) = self.marks.pop_front_if(|mark| mark.0 <= self.written) {
            left.push(name);
        }
        Some(left)
    }

    /// Reads up to `most` bytes, and returns the messages that are whole; `None`
    /// at the end of the connection.
    pub(super) fn read(&mut self, most: usize) -> Option<Vec<Vec<Vec<u8>>>> {
        let bytes = self.end.read(most)?;
        self.received.extend_from_slice(&bytes);
        moved(bytes.len());
        let skipped = self.greeting.min(self.received.len());
        self.received.drain(..skipped);
        self.greeting -= skipped;
        let mut messages = Vec::new();
        while let Some(header) = Header::parse(&self.received).unwrap() {
            let end = header.length + usize::try_from(header.body).unwrap();
            if self.greeting > 0 || self.received.len() < end {
                break;
            }
            let frame: Vec<u8> = self.received.drain(..end).skip(header.length).collect();
            if header.command {
                self.ready = true;
                self.unsent.extend(self.later.drain(..));
            } else {
                self.frames.push(frame);
                if !header.more {
                    messages.push(std::mem::take(&mut self.frames));
                }
            }
        }
        Some(messages)
    }
}

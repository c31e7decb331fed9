//! Messages that were chosen for a subscriber and are on their way to it.

use std::io::IoSlice;
use std::ops::Range;
use std::sync::Arc;

use crate::delivery::{Large, Link, LinkError, Rest};
use crate::segment::Lost;
use crate::tail::Recorded;

/// How many spans are sent at once.
const MAX_RUNS: usize = 64;

/// Whole messages as they stand on the wire: stretches of a batch in memory, or
/// messages that were read back from the journal.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// What the stretches lie in; without it, they lie in `read_back`.
    recorded: Option<Arc<Recorded>>,
    read_back: Vec<u8>,
    runs: Vec<Range<usize>>,
    /// How many bytes of the spans have been sent.
    sent: usize,
    total: usize,
    messages: u64,
    /// What has left since it was last asked for.
    delivered: Left,
    /// What comes behind that of large messages, which stays in the journal
    /// until the link has taken what is before it.
    rest: Rest,
}

/// How much has left.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Outgoing {
    /// Returns what has left since this was last asked.
    pub(crate) fn take_delivered(&mut self) -> Left {
        std::mem::take(&mut self.delivered)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.rest.is_empty()
    }

    /// Tells whether as much is chosen as is sent at once.
    pub(crate) fn is_full(&self) -> bool {
        self.runs.len() >= MAX_RUNS
    }

    /// Returns how many bytes were chosen.
    pub(crate) fn len(&self) -> usize {
        self.total.saturating_add(self.rest.len())
    }

    /// Returns how many of the chosen bytes are in memory.
    pub(crate) fn buffered(&self) -> usize {
        self.total
    }

    /// Returns how many messages were chosen.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Adds messages of a batch, by their places in it; all come from one batch.
    pub(crate) fn push_recorded(&mut self, recorded: &Arc<Recorded>, messages: Range<usize>) {
        if self.recorded.is_none() {
            self.recorded = Some(Arc::clone(recorded));
        }
        self.messages += messages.len() as u64;
        self.push_run(recorded.batch.stretch(messages));
    }

    /// Adds a message that was read back.
    pub(crate) fn push_frames<'a>(&mut self, frames: impl IntoIterator<Item = &'a [u8]>) {
        self.messages += 1;
        let start = self.read_back.len();
        zmtp::push_message(&mut self.read_back, frames);
        self.push_run(start..self.read_back.len());
    }

    /// Adds a large message that is to be read back piece by piece.
    pub(crate) fn push_large(&mut self, large: Large) {
        self.messages += 1;
        self.rest.push(large);
    }

    /// Reads back what comes next of large messages, if all before it has left.
    pub(crate) fn refill(&mut self) -> Result<(), Lost> {
        if self.runs.is_empty() && self.rest.take(&mut self.read_back)? {
            self.push_run(0..self.read_back.len());
        }
        Ok(())
    }

    fn push_run(&mut self, run: Range<usize>) {
        self.total += run.len();
        match self.runs.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => self.runs.push(run),
        }
    }

    /// Sends as much as the link takes of what is in memory; true when all of
    /// that has been sent.
    pub(crate) fn send(&mut self, link: &mut dyn Link) -> Result<bool, LinkError> {
        while self.sent < self.total {
            match link.send(&self.unsent(), self.rest.is_empty())? {
                0 => return Ok(false),
                sent => self.sent += sent,
            }
        }
        self.clear();
        Ok(true)
    }

    /// Returns what has not been sent.
    pub(crate) fn unsent(&self) -> Vec<IoSlice<'_>> {
        let mut skip = self.sent;
        let bytes = match &self.recorded {
            Some(recorded) => recorded.batch.wire(),
            None => &self.read_back,
        };
        let slices = self.runs.iter().filter_map(|run| {
            let skipped = skip.min(run.len());
            skip -= skipped;
            let rest = bytes.get(run.start + skipped..run.end)?;
            (!rest.is_empty()).then(|| IoSlice::new(rest))
        });
        slices.collect()
    }

    fn clear(&mut self) {
        self.recorded = None;
        self.read_back.clear();
        // One large message must not keep its memory for ever.
        self.read_back.shrink_to(KEPT);
        self.runs.clear();
        self.delivered.bytes += self.sent as u64;
        (self.sent, self.total) = (0, 0);
        if self.rest.is_empty() {
            self.delivered.messages += std::mem::take(&mut self.messages);
        }
    }
}

/// So much memory is kept for what is read back next.
const KEPT: usize = 512 << 10;

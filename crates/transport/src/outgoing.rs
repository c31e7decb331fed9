//! Messages that were chosen for a subscriber and are on their way to it.

use std::io::IoSlice;
use std::ops::Range;
use std::sync::Arc;

use crate::link::{Link, LinkError};
use crate::tail::Recorded;

/// So many stretches are sent at once.
const MAX_RUNS: usize = 64;

/// Whole messages as they stand on the wire: stretches of a batch in memory, or
/// messages that were read back from the journal.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// What the stretches lie in; without it, they lie in `read_back`.
    recorded: Option<Arc<Recorded>>,
    read_back: Vec<u8>,
    runs: Vec<Range<usize>>,
    /// So many bytes of the stretches have been sent.
    sent: usize,
    total: usize,
}

impl Outgoing {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Tells whether as much is chosen as is sent at once.
    pub(crate) fn is_full(&self) -> bool {
        self.runs.len() >= MAX_RUNS
    }

    /// Returns how many bytes were chosen.
    pub(crate) fn len(&self) -> usize {
        self.total
    }

    /// Adds messages of a batch, by their places in it; all come from one batch.
    pub(crate) fn push_recorded(&mut self, recorded: &Arc<Recorded>, messages: Range<usize>) {
        if self.recorded.is_none() {
            self.recorded = Some(Arc::clone(recorded));
        }
        self.push_run(recorded.batch.stretch(messages));
    }

    /// Adds a message that was read back.
    pub(crate) fn push_frames<'a>(&mut self, frames: impl IntoIterator<Item = &'a [u8]>) {
        let start = self.read_back.len();
        zmtp::push_message(&mut self.read_back, frames);
        self.push_run(start..self.read_back.len());
    }

    fn push_run(&mut self, run: Range<usize>) {
        self.total += run.len();
        match self.runs.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => self.runs.push(run),
        }
    }

    /// Sends as much as the link takes; true when all has been sent.
    pub(crate) fn send(&mut self, link: &mut dyn Link) -> Result<bool, LinkError> {
        while self.sent < self.total {
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
            let slices: Vec<IoSlice<'_>> = slices.collect();
            match link.send(&slices)? {
                0 => return Ok(false),
                sent => self.sent += sent,
            }
        }
        self.clear();
        Ok(true)
    }

    fn clear(&mut self) {
        self.recorded = None;
        self.read_back.clear();
        // One large message must not keep its memory for ever.
        self.read_back.shrink_to(KEPT);
        self.runs.clear();
        (self.sent, self.total) = (0, 0);
    }
}

/// So much memory is kept for what is read back next.
const KEPT: usize = 512 << 10;

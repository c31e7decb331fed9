//! When is a checkpoint due, and may there be one?

use super::Writer;
use crate::checkpoint::{Checkpoint, Findings};
use crate::recovery::Recovery;

/// What the writer knows for its next checkpoint.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// The session for which all of this is true.
    session: u64,
    /// How far the last checkpoint reached, in bytes.
    at: u64,
    findings: Findings,
    /// Another program wrote into the session: nobody knows what it holds.
    stopped: bool,
}

impl Checkpoints {
    /// Goes on with the session that was found.
    pub(super) fn after(found: &Recovery) -> Self {
        Self {
            at: found.from,
            findings: found.findings(),
            ..Self::default()
        }
    }

    /// Writes none for this session.
    pub(super) fn stop(&mut self, session: u64) {
        *self = Self {
            session,
            stopped: true,
            ..Self::default()
        };
    }
}

impl Writer {
    /// Writes a checkpoint where one is due. All that the session holds is on
    /// stable storage then.
    pub(super) fn checkpoint(&mut self) {
        let session = self.session;
        if self.checkpoints.session != session.ordinal {
            self.checkpoints = Checkpoints {
                session: session.ordinal,
                ..Checkpoints::default()
            };
        }
        let known = &mut self.checkpoints;
        let due = known.at.saturating_add(self.options.checkpoint_every);
        if known.stopped || session.records == 0 || session.bytes < due {
            return;
        }
        known.at = session.bytes;
        let (fs, findings) = (self.options.fs.as_ref(), known.findings.clone());
        // Without it the next start takes longer; nothing else depends on it.
        let last = self.next - 1;
        if let Ok(checkpoint) = Checkpoint::of(fs, &self.layout, session, last, findings) {
            checkpoint.write(fs, &self.layout);
        }
    }
}

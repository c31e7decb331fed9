//! Sessions of which everything is counted already, or their beginning.

use crate::analysis::{Accumulator, Analysis};
use crate::findings::Findings;
use crate::source::{Chunk, Source};

/// What the indexes of a question's sessions know of them.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// What was counted in all of them together.
    pub(crate) analysis: Analysis,
    /// For each file, what was found wrong with it; `None` where it has to be read.
    pub(crate) findings: Vec<Option<Findings>>,
    /// For each file how many bytes and lines are known of, from the beginning.
    known: Vec<(u64, u64)>,
}

impl Sessions {
    /// Asks no index.
    pub(crate) fn none(source: &Source) -> Self {
        Self {
            findings: vec![None; source.parts.len()],
            known: vec![(0, 0); source.parts.len()],
            ..Self::default()
        }
    }

    /// Asks the index of each session, for everything or for the plain counts.
    pub(crate) fn of(source: &Source, counts_only: bool) -> Self {
        let mut sessions = Self::default();
        for (at, part) in source.parts.iter().enumerate() {
            let known = part.index().and_then(|index| {
                let so_far = (!counts_only).then_some(&sessions.analysis);
                let known = index.statistics(at, &part.path, so_far);
                if known.is_none() {
                    part.complain("it is damaged");
                }
                Some((index.session_bytes(), known?))
            });
            let Some((bytes, known)) = known else {
                sessions.findings.push(None);
                sessions.known.push((0, 0));
                continue;
            };
            if sessions.analysis.counts.messages == 0 {
                sessions.analysis = known.analysis;
            } else {
                sessions.analysis.merge(known.analysis);
            }
            source.has_read(bytes);
            sessions.known.push((bytes, known.lines));
            sessions.findings.push(Some(known.findings));
        }
        sessions
    }

    /// Returns what has to be read of a whole file, if that is anything.
    pub(crate) fn rest_of(&self, file: Chunk) -> Option<Chunk> {
        let (bytes, _) = self.known.get(file.part).copied().unwrap_or_default();
        let start = file.start.max(bytes);
        (start < file.end).then_some(Chunk { start, ..file })
    }

    /// Returns how many lines come before a chunk with which reading a file begins.
    pub(crate) fn lines_before(&self, chunk: Chunk) -> Option<u64> {
        let known = self.known.get(chunk.part).copied();
        let known = known.filter(|(bytes, _)| *bytes == chunk.start && *bytes > 0);
        known.map(|(_, lines)| lines)
    }
}

//! Whole sessions of which everything is counted already.

use crate::analysis::Analysis;
use crate::findings::Findings;
use crate::scan::Accumulator;
use crate::source::Source;

/// What the indexes of a question's sessions know of them.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// What was counted in all of them together.
    pub(crate) analysis: Analysis,
    /// For each file, what was found wrong with it; `None` where it has to be read.
    pub(crate) findings: Vec<Option<Findings>>,
}

impl Sessions {
    /// Asks no index.
    pub(crate) fn none(source: &Source) -> Self {
        Self {
            findings: vec![None; source.parts.len()],
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
                known
            });
            let findings = known.map(|known| {
                if sessions.analysis.counts.messages == 0 {
                    sessions.analysis = known.analysis;
                } else {
                    sessions.analysis.merge(known.analysis);
                }
                source.has_read(part.end);
                known.findings
            });
            sessions.findings.push(findings);
        }
        sessions
    }

    /// Tells whether a file need not be read.
    pub(crate) fn has(&self, part: usize) -> bool {
        self.findings.get(part).is_some_and(Option::is_some)
    }
}

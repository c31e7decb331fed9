//! What counting everything in a session finds, kept in its index.

use std::io;
use std::path::Path;

use journal::{Damage, Reason};

use super::file::Index;
use super::paths::Unusable;
use crate::analysis::{Analysis, store};
use crate::bytes::Span;
use crate::bytes::{Input, Output};
use crate::findings::{Alteration, Findings, PLACES};

/// What counting everything finds.
#[derive(Debug)]
pub(crate) struct Statistics {
    pub(crate) analysis: Analysis,
    pub(crate) findings: Findings,
    /// How many lines there are.
    pub(crate) lines: u64,
}

const REASONS: [Reason; 6] = [
    Reason::Torn,
    Reason::Nul,
    Reason::NotUtf8,
    Reason::NotJson,
    Reason::NotAnObject,
    Reason::TooLong,
];

/// Writes pieces with `put`; returns where their directory stands.
pub(super) fn put(
    analysis: &Analysis,
    findings: &Findings,
    lines: u64,
    put: &mut dyn FnMut(&[u8]) -> io::Result<Span>,
) -> io::Result<Span> {
    let mut out = Vec::new();
    out.put_u64(lines);
    out.put_u64(findings.damaged);
    out.put_count(findings.damage.len());
    for damage in &findings.damage {
        put_damage(damage, &mut out)?;
    }
    out.put_u64(findings.altered);
    out.put_count(findings.alterations.len());
    for altered in &findings.alterations {
        out.put_u64(altered.number);
        out.put_u64(altered.offset);
        out.put_u64(altered.length);
    }
    store::put(analysis, &mut out, put)?;
    put(&out)
}

fn put_damage(damage: &Damage, out: &mut Vec<u8>) -> io::Result<()> {
    let reason = REASONS.iter().position(|reason| *reason == damage.reason);
    let reason = reason.and_then(|at| u8::try_from(at).ok());
    out.put_option(damage.line, Vec::put_u64);
    out.put_u64(damage.offset);
    out.put_u64(damage.length);
    out.put_u8(reason.ok_or_else(|| io::Error::other("a kind of damage has no number"))?);
    Ok(())
}

impl Index {
    /// Reads what counting everything finds; the session is the source's file of
    /// that place.
    pub(crate) fn statistics(
        &self,
        file: usize,
        session: &Path,
        known: Option<&Analysis>,
    ) -> Option<Statistics> {
        let bytes = self.fetch(self.directory.statistics)?;
        Statistics::read(self, &bytes, file, session, known)
    }

    /// Reads all of it, to find out whether it is as it was written, by this program.
    pub(super) fn check(&self) -> Result<(), Unusable> {
        self.check_bytes()?;
        // Other hashes than this program's are those of another build of it.
        let nothing = Analysis::default();
        let known = self.statistics(0, Path::new(""), Some(&nothing));
        known.map(|_| ()).ok_or(Unusable::OtherVersion)
    }
}

impl Statistics {
    fn read(
        index: &Index,
        bytes: &[u8],
        file: usize,
        session: &Path,
        known: Option<&Analysis>,
    ) -> Option<Self> {
        let mut input = Input(bytes);
        let lines = input.u64()?;
        let findings = read_findings(&mut input, session, index.most_bytes())?;
        let fetch = &|span| index.fetch(span);
        let limit = index.most_bytes();
        let analysis = store::read(&mut input, fetch, file, limit, known)?;
        if known.is_some() {
            input.end()?;
        }
        Some(Self {
            analysis,
            findings,
            lines,
        })
    }
}

fn read_findings(input: &mut Input<'_>, session: &Path, limit: u64) -> Option<Findings> {
    let below = |value: u64| (value <= limit).then_some(value);
    let mut findings = Findings {
        damaged: input.u64().and_then(below)?,
        ..Findings::default()
    };
    for _ in 0..input.count(1).filter(|count| *count <= PLACES)? {
        findings.damage.push(Damage {
            path: session.to_owned(),
            line: input.option(Input::u64)?,
            offset: input.u64().and_then(below)?,
            length: input.u64().and_then(below)?,
            reason: *REASONS.get(usize::from(input.u8()?))?,
        });
    }
    findings.altered = input.u64().and_then(below)?;
    for _ in 0..input.count(1).filter(|count| *count <= PLACES)? {
        findings.alterations.push(Alteration {
            path: session.to_owned(),
            number: input.u64()?,
            offset: input.u64().and_then(below)?,
            length: input.u64().and_then(below)?,
        });
    }
    Some(findings)
}

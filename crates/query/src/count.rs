//! Counting the messages that match.

use std::ops::ControlFlow;

use crate::analysis::{Accumulator, Analysis, Found};
use crate::error::Error;
use crate::fields::Fields;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::index::{self, Need, Sessions};
use crate::scan::{Batch, Job, Match, Numbers, merge_findings};
use crate::shape::Handles;
use crate::source::Source;
use crate::window;

/// Counts the messages that match, in [`Statistics`](crate::Statistics) or whatever else counts.
///
/// Every line is checked, so that all damage is found.
///
/// # Errors
/// [`Error::Read`] where a file can't be read.
pub fn count<A: Accumulator>(
    source: &Source,
    filter: &Filter,
    findings: &mut Findings,
) -> Result<A, Error> {
    source.add_damage_to(findings);
    let can_be_known = filter.is_empty() && A::of_sessions(Analysis::default()).is_some();
    let known = if can_be_known {
        Sessions::of(source, A::is_of_counts())
    } else {
        Sessions::none(source)
    };
    let size = source.tuning.chunk;
    let stretches = window::narrowed(source, filter)?.into_iter();
    let to_read = stretches.filter_map(|stretch| known.rest_of(stretch));
    let chunks: Vec<_> = to_read.flat_map(|stretch| stretch.cut(size)).collect();
    let job = Job {
        parts: &source.parts,
        filter,
        needle: None,
        wants_matches: false,
        tuning: source.tuning,
    };
    let mut numbers = Numbers::new(&source.parts, source.tuning);
    let mut late = A::default();
    let mut lines = Some(0).filter(|_| !filter.is_narrow());
    let mut found = known.findings.clone();
    let mut counted: A = index::scan(
        job,
        Need::Lines,
        &chunks,
        &|| A::beside(&known.analysis),
        &mut |batch| {
            lines = known.lines_before(batch.chunk).or(lines);
            let found = found[batch.chunk.part].get_or_insert_default();
            merge_findings(found, batch, &mut numbers, source, &mut lines)?;
            for uncertain in &batch.matches {
                let number = numbers.of(uncertain, batch.chunk)?;
                if filter.accepts_number(number) {
                    add_late(&mut late, batch, uncertain);
                }
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    for found in found.into_iter().flatten() {
        findings.append(found);
    }
    counted.merge(late);
    match A::of_sessions(known.analysis).filter(|_| can_be_known) {
        Some(known) if chunks.is_empty() => Ok(known),
        Some(mut known) => {
            known.merge(counted);
            Ok(known)
        }
        None => Ok(counted),
    }
}

/// Counts a message whose number had to be looked up first.
fn add_late(counted: &mut impl Accumulator, batch: &Batch, found: &Match) {
    let line = batch.line(found);
    // It was read once, and so it can be read again.
    if let Ok(fields) = Fields::parse(line) {
        counted.add(&Found {
            fields: &fields,
            line,
            file: batch.chunk.part,
            offset: found.offset,
            number: None,
            handles: Handles::default(),
        });
    }
}

#[cfg(test)]
mod tests;

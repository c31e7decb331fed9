//! Messages before and behind those that match.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::newest::Newest;
use super::{Order, Query, Sink, Summary, entry};
use crate::error::Error;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::scan::{LineReader, Match, Numbers, merge_findings};
use crate::source::{Chunk, Source};

/// How many messages are shown around each that matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Around {
    /// Before it.
    pub before: usize,
    /// Behind it.
    pub after: usize,
}

/// Shows matching messages as [`show`](super::show) does, with those around them in
/// their files; none is shown twice. Returns how many match.
///
/// # Errors
/// [`Error::Read`] where a file can't be read, and whatever the sink reports.
pub fn show_around(
    source: &Source,
    filter: &Filter,
    order: Order,
    around: Around,
    findings: &mut Findings,
    sink: &mut dyn Sink,
) -> Result<u64, Error> {
    source.add_damage_to(findings);
    let query = Query { source, filter };
    let newest = Newest::find(
        query,
        order.limit.unwrap_or(u64::MAX),
        sink.wants_numbers(),
        findings,
    )?;
    let mut places = places_around(source, &newest, around)?;
    if order.newest_first {
        places.reverse();
    }
    sink.begin(&Summary {
        counts: None,
        shown: Some(places.len() as u64),
    })?;
    let mut numbers = Numbers::new(&source.parts, source.tuning);
    let mut lines = LineReader::default();
    for (found, chunk) in &places {
        let number = numbers.shown(found, *chunk)?;
        let line = lines.read(source, *chunk, found)?;
        sink.message(&entry(found, number, line, source, *chunk))?;
    }
    Ok(newest.len())
}

/// Finds the places of matches and of what is around them, in their order.
fn places_around(
    source: &Source,
    newest: &Newest,
    around: Around,
) -> Result<Vec<(Match, Chunk)>, Error> {
    let mut wanted: VecDeque<_> = newest
        .places()
        .map(|(found, chunk)| (chunk.part, found.offset))
        .collect();
    wanted.make_contiguous().sort_unstable();
    let all = Filter::default();
    let query = Query {
        source,
        filter: &all,
    };
    let mut shown = Vec::new();
    let mut before: VecDeque<(Match, Chunk)> = VecDeque::new();
    let (mut after, mut part) = (0, usize::MAX);
    let mut numbers = Numbers::new(&source.parts, source.tuning);
    let chunks = query.chunks(source.stretches());
    query.scan(&chunks, false, true, &mut |batch| {
        merge_findings(
            &mut Findings::default(),
            batch,
            &mut numbers,
            source,
            &mut None,
        )?;
        if batch.chunk.part != part {
            // Files have nothing to do with each other.
            (part, after) = (batch.chunk.part, 0);
            before.clear();
        }
        for found in &batch.matches {
            let place = (*found, batch.chunk);
            if wanted.front() == Some(&(part, found.offset)) {
                wanted.pop_front();
                shown.extend(before.drain(..));
                shown.push(place);
                after = around.after;
            } else if after > 0 {
                after -= 1;
                shown.push(place);
            } else if around.before > 0 {
                if before.len() == around.before {
                    before.pop_front();
                }
                before.push_back(place);
            }
        }
        Ok(match wanted.is_empty() && after == 0 {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    })?;
    Ok(shown)
}

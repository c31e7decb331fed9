//! Messages of files that have nothing to do with each other, put in the order of
//! their times.
//!
//! Within a file the order of the lines stays, also where a clock was set back, and
//! a message without a time stands behind the one before it. The place of each
//! message to be shown is held in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::ops::ControlFlow;

use super::{Counts, Order, Query, Sink, Summary, entry};
use crate::error::Error;
use crate::fields::Fields;
use crate::findings::Findings;
use crate::scan::{LineReader, Match, Numbers, merge_findings};
use crate::source::Chunk;
use crate::window;

/// Where a message stands, and when it was recorded.
#[derive(Debug, Clone, Copy)]
struct Place {
    time: i64,
    found: Match,
    chunk: Chunk,
    number: u64,
}

/// Shows matching messages in the order of their times.
pub(super) fn show(
    query: Query<'_>,
    order: Order,
    findings: &mut Findings,
    sink: &mut dyn Sink,
) -> Result<u64, Error> {
    let source = query.source;
    let mut places = Vec::new();
    let mut counts = Counts::default();
    for stretch in window::narrowed(source, query.filter)? {
        let messages = find(query, stretch, findings, &mut places)?;
        counts.messages += messages;
    }
    counts.matching = places.len() as u64;
    let mut places = merge(places);
    if let Some(limit) = order.limit {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        places.drain(..places.len().saturating_sub(limit));
    }
    if order.newest_first {
        places.reverse();
    }
    let is_whole = query.filter.window().is_none() && query.filter.numbers().is_none();
    sink.begin(&Summary {
        counts: is_whole.then_some(counts),
        shown: Some(places.len() as u64),
    })?;
    let mut lines = LineReader::default();
    let shown = places.len() as u64;
    for place in places {
        let line = lines.read(source, place.chunk, &place.found)?;
        sink.message(&entry(
            &place.found,
            Some(place.number),
            line,
            source,
            place.chunk,
        ))?;
    }
    Ok(shown)
}

/// Puts the files' messages together: the next one is the earliest of those that
/// come next in their files, and of equal times that of the first file.
fn merge(places: Vec<Place>) -> Vec<Place> {
    let count = places.len();
    let mut files: BTreeMap<usize, VecDeque<Place>> = BTreeMap::new();
    for place in places {
        files.entry(place.chunk.part).or_default().push_back(place);
    }
    let heads = files
        .iter()
        .filter_map(|(file, rest)| Some((rest.front()?.time, *file)));
    let mut next: BinaryHeap<_> = heads.map(Reverse).collect();
    let mut merged = Vec::with_capacity(count);
    while let Some(Reverse((_, file))) = next.pop() {
        let Some(rest) = files.get_mut(&file) else {
            continue;
        };
        merged.extend(rest.pop_front());
        next.extend(rest.front().map(|place| Reverse((place.time, file))));
    }
    merged
}

/// Finds the matches of one file, and returns how many messages were looked at.
fn find(
    query: Query<'_>,
    stretch: Chunk,
    findings: &mut Findings,
    places: &mut Vec<Place>,
) -> Result<u64, Error> {
    let source = query.source;
    let mut numbers = Numbers::new(&source.parts, source.tuning);
    let mut lines = Some(0).filter(|_| !query.filter.is_narrow());
    let (mut time, mut messages) = (i64::MIN, 0);
    query.scan(&query.chunks(vec![stretch]), false, true, &mut |batch| {
        merge_findings(findings, batch, &mut numbers, source, &mut lines)?;
        messages += batch.messages;
        for found in &batch.matches {
            let number = numbers.of(found, batch.chunk)?;
            if !query.filter.accepts_number(number) {
                continue;
            }
            let fields = Fields::parse(batch.line(found)).ok();
            time = fields.and_then(|fields| fields.time()).unwrap_or(time);
            places.push(Place {
                time,
                found: *found,
                chunk: batch.chunk,
                number,
            });
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(messages)
}

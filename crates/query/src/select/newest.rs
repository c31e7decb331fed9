//! The newest matches, found from the end of the files.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::{Query, entry};
use crate::error::Error;
use crate::findings::Findings;
use crate::scan::{LineReader, Match, Numbers, merge_findings};
use crate::source::{Chunk, Source};
use crate::window;

/// Where the newest matches stand, the oldest of them first.
pub(super) struct Newest {
    places: VecDeque<(Match, Chunk)>,
    wants_numbers: bool,
}

impl Newest {
    /// Finds at most `limit` of them.
    pub(super) fn find(
        query: Query<'_>,
        limit: u64,
        wants_numbers: bool,
        findings: &mut Findings,
    ) -> Result<Self, Error> {
        let mut places = VecDeque::new();
        if limit == 0 {
            return Ok(Self {
                places,
                wants_numbers,
            });
        }
        let Query { source, filter } = query;
        let mut numbers = Numbers::new(&source.parts, source.tuning);
        let mut chunks = query.chunks(window::narrowed(source, filter)?);
        chunks.reverse();
        // The first of them come last here.
        let mut found = Vec::new();
        query.scan(&chunks, true, true, &mut |batch| {
            let mut here = Findings::default();
            merge_findings(&mut here, batch, &mut numbers, source, &mut None)?;
            found.push(here);
            if found.len() > 1 && found.last().is_some_and(Findings::is_empty) {
                found.pop();
            }
            for place in batch.matches.iter().rev() {
                if filter.numbers().is_some() {
                    let number = numbers.of(place, batch.chunk)?;
                    if !filter.accepts_number(number) {
                        continue;
                    }
                }
                places.push_front((*place, batch.chunk));
                if places.len() as u64 == limit {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for here in found.into_iter().rev() {
            findings.append(here);
        }
        Ok(Self {
            places,
            wants_numbers,
        })
    }

    /// Returns them, the oldest first.
    pub(super) fn places(&self) -> impl Iterator<Item = &(Match, Chunk)> {
        self.places.iter()
    }

    pub(super) fn len(&self) -> u64 {
        self.places.len() as u64
    }

    /// Reads them again, and shows them.
    pub(super) fn show(&self, source: &Source, sink: &mut dyn super::Sink) -> Result<(), Error> {
        let numbers = Numbers::new(&source.parts, source.tuning);
        let mut numbers = numbers.exact(self.wants_numbers);
        let mut lines = LineReader::default();
        for (found, chunk) in &self.places {
            let number = numbers.shown(found, *chunk)?;
            let line = lines.read(source, *chunk, found)?;
            sink.message(&entry(found, number, line, source, *chunk))?;
        }
        Ok(())
    }
}

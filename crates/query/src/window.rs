//! Which stretches of the files can hold the numbers that are asked for.
//!
//! In a session numbers grow: that is what its writer promises. So the stretch that
//! belongs to a range of them is found by halving, led by verified records alone. A
//! file from elsewhere may have been put together of several sessions in any order,
//! and is looked at as a whole.
//!
//! Of times nobody promises that they grow: clocks are set back, and forth again,
//! which no sample of records tells. Where a session has an index, that knows the
//! earliest and the latest time of each of its blocks ([`index`](crate::index)).
//! Anything else is looked at as a whole, line by line.

use std::ops::RangeInclusive;

use journal::Reader;
use journal::raw::SessionFile;

use crate::error::Error;
use crate::filter::Filter;
use crate::source::{Chunk, Part, Source};

/// Below this many bytes reading is cheaper than halving.
const SMALL: u64 = if cfg!(test) { 1 << 10 } else { 128 << 10 };

/// Returns the stretches of the files that can hold what a filter asks for.
pub(crate) fn narrowed(source: &Source, filter: &Filter) -> Result<Vec<Chunk>, Error> {
    let mut stretches = source.stretches();
    let Some(numbers) = filter.numbers() else {
        return Ok(stretches);
    };
    for stretch in &mut stretches {
        let part = &source.parts[stretch.part];
        if !part.is_session {
            continue;
        }
        *stretch = narrow(part, *stretch, numbers, source.tuning.max_line)?;
    }
    Ok(stretches)
}

/// Leaves out the beginning, where the numbers are too small, and the end, where they are
/// too large.
fn narrow(
    part: &Part,
    stretch: Chunk,
    numbers: &RangeInclusive<u64>,
    max_line: usize,
) -> Result<Chunk, Error> {
    let file = SessionFile::new(&part.path, part.open()?);
    let mut reader = Reader::of(file, part.end);
    reader.set_max_line(max_line);
    let wanted = reader.bracket(SMALL, &mut |record| Some(record.number < *numbers.start()))?;
    let behind = reader.bracket(SMALL, &mut |record| Some(record.number <= *numbers.end()))?;
    Ok(Chunk {
        start: wanted.start,
        end: behind.end.min(stretch.end),
        ..stretch
    })
}

#[cfg(test)]
mod tests;

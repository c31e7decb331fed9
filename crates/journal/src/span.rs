//! Which numbers does a closed session hold, without reading all of it?

use std::path::PathBuf;

use crate::backward::Backward;
use crate::error::ReadError;
use crate::fs::FileSystem;
use crate::line::{is_sealed, leading_number};
use crate::reader::Reader;
use crate::removed::Removed;
use crate::session_file::SessionFile;

/// Numbers from one to another, both of them included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Span {
    /// The numbers of a session that was removed on purpose.
    pub(crate) fn of_removed(removed: &Removed) -> Self {
        Self {
            first: removed.first,
            last: removed.last,
        }
    }
}

/// Returns the numbers of each archive, in no order.
///
/// Every archive's end is looked at: a clock that ran backwards may have named
/// a newer one as if it were older.
pub(crate) fn archived(
    fs: &dyn FileSystem,
    archives: impl Iterator<Item = PathBuf>,
) -> Result<Vec<Span>, ReadError> {
    let mut spans = Vec::new();
    let mut unnumbered = Vec::new();
    for path in archives {
        let file = SessionFile::open(fs, &path)?;
        match of_file(&file)? {
            Some(span) => spans.push(span),
            None => unnumbered.push(file),
        }
    }
    // Counting the lines of files without numbers means reading all of them, so
    // it is done only where no other archive says how far the numbering came.
    if spans.is_empty() {
        for file in unnumbered {
            let last = count(file)?;
            spans.push(Span { first: 1, last });
        }
    }
    Ok(spans)
}

/// Returns the numbers of a file; `None` where its lines carry none.
pub(crate) fn of_file(file: &SessionFile) -> Result<Option<Span>, ReadError> {
    let backward = Backward::new(file.clone(), file.size()?, file.ending());
    let Some(last) = backward.highest_number()? else {
        return Ok(None);
    };
    let first = match first_number(file)? {
        Some(first) => first,
        None => Reader::new(file.clone(), file.ending())
            .first_number()?
            .unwrap_or(last),
    };
    let first = first.min(last);
    Ok(Some(Span { first, last }))
}

/// Returns the number of a file's first record where a short look tells it: a
/// journal of many sessions is opened as fast as one of few.
pub(crate) fn first_number(file: &SessionFile) -> Result<Option<u64>, ReadError> {
    let mut head = [0; 4096];
    let filled = file.read_full(&mut head, 0)?;
    let head = head.get(..filled).unwrap_or_default();
    let end = memchr::memchr(b'\n', head).unwrap_or(0);
    let line = head.get(..end).unwrap_or_default();
    Ok(leading_number(line).filter(|_| is_sealed(line)))
}

/// Returns the number of the last line of a file whose lines carry no numbers.
pub(crate) fn count(file: SessionFile) -> Result<u64, ReadError> {
    let ending = file.ending();
    let mut reader = Reader::new(file, ending);
    while reader.next_item()?.is_some() {}
    Ok(reader.highest_number())
}

/// Returns what `all` holds beyond the given spans, which are in no order.
pub(crate) fn missing_from(all: Span, mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut missing = Vec::new();
    let mut next = all.first;
    for Span { first, last } in spans {
        if first > next {
            let last = (first - 1).min(all.last);
            missing.push(Span { first: next, last });
        }
        next = next.max(last.saturating_add(1));
        if next > all.last {
            return missing;
        }
    }
    if next <= all.last {
        missing.push(Span {
            first: next,
            last: all.last,
        });
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span((first, last): (u64, u64)) -> Span {
        Span { first, last }
    }

    #[test]
    fn what_is_missing_lies_before_between_and_behind_what_is_there() {
        for (there, expected) in [
            (vec![], vec![(5, 20)]),
            (vec![(1, 30)], vec![]),
            (vec![(12, 14), (5, 9)], vec![(10, 11), (15, 20)]),
            (vec![(7, 9), (8, 8), (1, 2)], vec![(5, 6), (10, 20)]),
            (vec![(21, 25)], vec![(5, 20)]),
            (vec![(5, 20), (18, 40)], vec![]),
        ] {
            let there = there.into_iter().map(span).collect();
            let expected: Vec<Span> = expected.into_iter().map(span).collect();
            assert_eq!(missing_from(span((5, 20)), there), expected);
        }
    }
}

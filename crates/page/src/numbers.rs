//! The numbers of all messages that match, which make a scroll bar true.

use std::ops::ControlFlow;
use std::path::Path;

use query::{Analysis, Filter, Findings, Order, Source};
use serde::Serialize;

use crate::drawn::{Each, unless_ended};

/// Numbers in the order of their messages, as stretches without gaps.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Numbers {
    pub(crate) count: u64,
    /// First and last of each stretch.
    pub(crate) runs: Vec<(u64, u64)>,
}

impl Numbers {
    pub(crate) fn push(&mut self, number: u64) {
        self.push_run(number, number);
    }

    /// Adds all numbers from the first to the last.
    pub(crate) fn push_run(&mut self, first: u64, last: u64) {
        self.count += last - first + 1;
        match self.runs.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(first) => *end = last,
            _ => self.runs.push((first, last)),
        }
    }

    /// The last of them.
    pub(crate) fn last(&self) -> Option<u64> {
        self.runs.last().map(|(_, last)| *last)
    }
}

/// Finds the numbers of all messages that match.
pub(crate) fn numbers(source: &Source, filter: &Filter) -> Result<Numbers, query::Error> {
    if filter.is_empty()
        && let Some(all) = all(source)?
    {
        return Ok(all);
    }
    let mut numbers = Numbers::default();
    let mut each = Each(|entry: &query::Entry<'_>| {
        entry
            .number
            .into_iter()
            .for_each(|number| numbers.push(number));
        ControlFlow::Continue(())
    });
    let order = Order::default();
    query::show(source, filter, order, &mut Findings::default(), &mut each)?;
    Ok(numbers)
}

/// The numbers of all messages, where indexes and counts are enough to tell.
fn all(source: &Source) -> Result<Option<Numbers>, query::Error> {
    let filter = Filter::default();
    let mut findings = Findings::default();
    let analysis: Analysis = query::count(source, &filter, &mut findings)?;
    let count = analysis.counts.messages;
    let (Some(first), Some(last)) = (end(source, false)?, end(source, true)?) else {
        return Ok((count == 0).then(Numbers::default));
    };
    let is_gapless = last
        .checked_sub(first)
        .is_some_and(|span| span + 1 == count);
    let runs = vec![(first, last)];
    Ok(is_gapless.then_some(Numbers { count, runs }))
}

/// The numbers of all messages, if each session has all numbers between its first and
/// its last one: a journal's sessions have, but for damaged lines.
pub(crate) fn quick(dir: &Path) -> Result<Numbers, query::Error> {
    let mut found = Numbers::default();
    let mut add = |source: &Source| -> Result<(), query::Error> {
        if let (Some(first), Some(last)) = (end(source, false)?, end(source, true)?) {
            let after = found.runs.last().map_or(0, |(_, last)| last + 1);
            let first = first.max(after);
            if first <= last {
                found.count += last - first + 1;
                found.runs.push((first, last));
            }
        }
        Ok(())
    };
    for session in query::list_archives(dir)? {
        add(&Source::archive(dir, &session.name)?)?;
    }
    match Source::current(dir) {
        Err(query::Error::NoSession { .. }) => {}
        current => add(&current?)?,
    }
    Ok(found)
}

/// The number of the first or the last message.
pub(crate) fn end(source: &Source, newest: bool) -> Result<Option<u64>, query::Error> {
    let mut found = None;
    let mut each = Each(|entry: &query::Entry<'_>| {
        found = entry.number;
        ControlFlow::Break(())
    });
    let order = Order {
        limit: newest.then_some(1),
        newest_first: false,
    };
    let filter = Filter::default();
    unless_ended(query::show(
        source,
        &filter,
        order,
        &mut Findings::default(),
        &mut each,
    ))?;
    Ok(found)
}

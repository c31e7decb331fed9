//! The numbers of all messages that match, which make a scroll bar true.

use std::ops::ControlFlow;

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
        self.count += 1;
        match self.runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => self.runs.push((number, number)),
        }
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

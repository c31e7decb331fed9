//! What was searched, and where in a text it is found.

use std::ops::Range;

use regex::Regex;

/// The regular expressions that were searched.
#[derive(Debug, Clone, Default)]
pub struct Marks(Vec<Regex>);

impl Marks {
    pub(crate) fn new(patterns: impl Iterator<Item = Regex>) -> Self {
        Self(patterns.collect())
    }

    /// Returns where in a text something is found first.
    #[must_use]
    pub fn first(&self, text: &str) -> Option<usize> {
        let found = self.0.iter().filter_map(|regex| regex.find(text));
        found.map(|found| found.start()).min()
    }

    /// Returns where in a text something is found, in order and apart.
    #[must_use]
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let mut ranges: Vec<_> = self
            .0
            .iter()
            .flat_map(|regex| regex.find_iter(text).map(|found| found.range()))
            .filter(|range| !range.is_empty())
            .collect();
        ranges.sort_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in ranges {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }
}

//! What collects for the journal's next commit: numbers without lines.

use serde::Serialize;

use crate::error::RecordError;

#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    first: u64,
    count: u64,
}

impl Group {
    pub(crate) fn new(first: u64, _: usize) -> Self {
        Self { first, count: 0 }
    }

    pub(crate) fn reset(&mut self, first: u64) {
        *self = Self::new(first, 0);
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn next(&self) -> u64 {
        self.first + self.count
    }

    pub(crate) fn max_line(&self) -> usize {
        0
    }

    pub(crate) fn push<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<u64, RecordError> {
        self.count += 1;
        Ok(self.next() - 1)
    }

    pub(crate) fn push_all<T: Serialize>(&mut self, records: &[T]) -> Result<u64, RecordError> {
        self.count += records.len() as u64;
        Ok(self.next() - 1)
    }
}

//! Batches of messages that are only numbers.

/// Its messages have the numbers from `first` on.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) group: Lines,
    pub(crate) first: u64,
}

/// As many bytes as there are messages.
#[derive(Debug)]
pub(crate) struct Lines(Vec<u8>);

impl Lines {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Batch {
    pub(crate) fn new(first: u64, count: usize) -> Self {
        Self {
            group: Lines(vec![0; count]),
            first,
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.group.0.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.group.0.len()
    }
}

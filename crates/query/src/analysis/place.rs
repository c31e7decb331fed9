//! Where a message stands.

/// Where a message stands; earlier ones are less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MessagePlace {
    pub(crate) file: usize,
    pub(crate) offset: u64,
}

impl MessagePlace {
    pub(super) const fn parts(self) -> (usize, u64) {
        (self.file, self.offset)
    }
}

//! What counts messages, whatever it counts.

use super::Analysis;
use crate::fields::Fields;
use crate::shape::Handles;

/// A message that matches, as a worker sees it.
#[derive(Debug)]
pub struct Found<'a> {
    /// Its fixed fields.
    pub fields: &'a Fields<'a>,
    /// Its line, without the newline.
    pub line: &'a [u8],
    /// Which of the source's files it stands in, counted from 0.
    pub file: usize,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// The number that stands in it, unless its checksum does not fit.
    pub number: Option<u64>,
    /// Tells values that come again without comparing them.
    pub(crate) handles: Handles,
}

/// Counts messages: each worker has one of its own, and in the end they are put
/// together.
///
/// Messages come in no particular order, so that the outcome must not depend on
/// it; [`Found::file`] and [`Found::offset`] tell which message is older.
pub trait Accumulator: Default + Send {
    /// Counts a message.
    fn add(&mut self, found: &Found<'_>);

    /// Adds what another worker has counted.
    fn merge(&mut self, other: Self);

    /// Makes it of what indexes know of whole sessions; `None` where that is not
    /// enough.
    #[must_use]
    fn of_sessions(_known: Analysis) -> Option<Self> {
        None
    }

    /// Begins to count what comes besides sessions whose indexes have this analysis.
    #[must_use]
    fn beside(_known: &Analysis) -> Self {
        Self::default()
    }

    /// Tells whether it is worth knowing which message each one answers.
    #[must_use]
    fn wants_replies() -> bool {
        false
    }

    /// Tells whether it is made of [`Analysis::counts`] alone.
    #[must_use]
    fn is_of_counts() -> bool {
        false
    }
}

/// Counts nothing.
impl Accumulator for () {
    fn add(&mut self, _: &Found<'_>) {}
    fn merge(&mut self, _: Self) {}
}

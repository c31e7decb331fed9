//! Memory of what is done with, for what comes next.
//!
//! Memory that is given back and asked for again for every batch costs more
//! than copying the messages into it: the system clears each page anew.

use std::sync::{Mutex, MutexGuard};

use journal::raw::Group;

use crate::batch::Batch;
use crate::sync::held;

/// How many of each kind are kept, and of how many bytes each at most.
const KEPT: usize = 32;
const KEPT_BYTES: usize = 256 << 10;

/// Holds memory of groups and batches.
#[derive(Debug, Default)]
pub(crate) struct BufferPool(Mutex<Lists>);

#[derive(Debug, Default)]
struct Lists {
    /// Their lines are on disk.
    groups: Vec<Group>,
    /// They are in memory no longer.
    batches: Vec<Batch>,
}

impl BufferPool {
    /// Keeps some of these for reuse.
    pub(crate) fn keep(&self, groups: Vec<Group>, batches: Vec<Batch>) {
        let mut lists = self.lock();
        let groups = groups.into_iter().filter(|it| it.memory() <= KEPT_BYTES);
        let room = KEPT.saturating_sub(lists.groups.len());
        lists.groups.extend(groups.take(room));
        let batches = batches.into_iter().filter(|it| it.memory() <= KEPT_BYTES);
        let room = KEPT.saturating_sub(lists.batches.len());
        lists.batches.extend(batches.take(room));
    }

    /// Returns a group with memory, if there is one.
    pub(crate) fn group(&self) -> Option<Group> {
        self.lock().groups.pop()
    }

    /// Makes an empty batch behind another one, in memory that is kept here if some fits.
    pub(crate) fn following(&self, batch: &Batch, group: Group) -> Batch {
        batch.following(group, self.batch(batch.room_behind()))
    }

    /// Returns a batch with memory for this many bytes, if there is one.
    fn batch(&self, bytes: usize) -> Option<Batch> {
        let mut lists = self.lock();
        let fits = |batch: &Batch| batch.fits(bytes);
        let at = lists.batches.iter().rposition(fits)?;
        Some(lists.batches.swap_remove(at))
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        held(self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::batch;

    #[test]
    fn a_batch_gets_memory_that_fits_and_nothing_else_of_an_earlier_one() {
        let spare = BufferPool::default();
        let (small, large) = (batch(1, 10_000).emptied(), batch(1, 100_000).emptied());
        let memory = small.memory();
        spare.keep(Vec::new(), vec![small, large]);
        assert!(spare.batch(1_000_000).is_none() && spare.batch(100).is_none());
        let following = spare.following(&batch(1, 7_900), Group::new(2, 1 << 20));
        assert_eq!(following.memory(), memory, "it is the first one's");
        assert!(following.is_empty() && following.wire().is_empty());
        assert_eq!(following.first(), 2);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let spare = BufferPool::default();
        let groups = vec![Group::default(); 2 * KEPT];
        let batches = (0..2 * KEPT).map(|_| batch(1, 1_000).emptied());
        spare.keep(groups, batches.collect());
        spare.keep(Vec::new(), vec![batch(1, 2 * KEPT_BYTES).emptied()]);
        let lists = spare.lock();
        assert_eq!((lists.groups.len(), lists.batches.len()), (KEPT, KEPT));
        assert!(
            lists
                .batches
                .iter()
                .all(|batch| batch.memory() <= KEPT_BYTES)
        );
    }
}

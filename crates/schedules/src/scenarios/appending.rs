//! A journal that many threads append to: whoever comes first commits for all.

use std::panic::{AssertUnwindSafe, catch_unwind};

use shuttle::thread::{self, JoinHandle};

use crate::leader::Journal;
use crate::sync::Arc;
use crate::writer::{Disk, Fate, Options};

/// How many threads append, and how often each.
const THREADS: usize = 4;
const EACH: usize = 2;

/// Everybody gets a number of its own when its record is on the disk.
pub fn all_that_is_appended_is_committed() {
    let (journal, disk) = open([]);
    let closing = journal.clone();
    let closing = thread::spawn(move || closing.archive(None).unwrap());
    let mut numbers = append_all(&journal, &disk);
    closing.join().unwrap();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=(THREADS * EACH) as u64));
}

/// A group that finds no room fails for all of it and for those behind it, and nobody
/// waits on; later ones are written, under numbers without a gap.
pub fn a_group_that_fails_lets_all_of_it_go() {
    let (journal, disk) = open([Fate::Written, Fate::NoRoom, Fate::NoRoom]);
    let mut numbers = append_all(&journal, &disk);
    numbers.sort_unstable();
    let written = disk.numbers.lock().unwrap().clone();
    assert_eq!(numbers, written, "who was told so, and nobody else");
    assert!(written.iter().copied().eq(1..=written.len() as u64));
}

/// Where the leader panics, its followers and all who come later learn that it failed.
pub fn a_leader_that_panics_leaves_nobody_waiting() {
    let (journal, disk) = open([Fate::Written, Fate::Panics]);
    let numbers = append_all(&journal, &disk);
    assert_eq!(numbers.len(), disk.numbers.lock().unwrap().len());
}

fn open(fates: impl IntoIterator<Item = Fate>) -> (Journal, Arc<Disk>) {
    let options = Options::default();
    let disk = Arc::clone(&options.disk);
    disk.fates.lock().unwrap().extend(fates);
    (Journal::open_with("", options).unwrap().0, disk)
}

/// Appends on all threads, each record once, and returns the numbers that were told.
fn append_all(journal: &Journal, disk: &Arc<Disk>) -> Vec<u64> {
    let append = |_| -> JoinHandle<Vec<u64>> {
        let (journal, disk) = (journal.clone(), Arc::clone(disk));
        thread::spawn(move || (0..EACH).filter_map(|_| append(&journal, &disk)).collect())
    };
    let threads: Vec<_> = (0..THREADS).map(append).collect();
    let numbers = threads.into_iter().flat_map(|it| it.join().unwrap());
    numbers.collect()
}

/// Returns the number, which is on the disk by then.
fn append(journal: &Journal, disk: &Disk) -> Option<u64> {
    let appended = catch_unwind(AssertUnwindSafe(|| journal.append(&())));
    let number = appended.ok()?.ok()?;
    let is_there = disk.numbers.lock().unwrap().contains(&number);
    assert!(is_there, "{number} was told before it was written");
    Some(number)
}

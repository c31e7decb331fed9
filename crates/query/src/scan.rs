//! Goes over session files on all cores, in bounded memory.
//!
//! The files are cut into chunks of [`Tuning::chunk`] bytes. A chunk has the
//! lines that begin in it. Workers take chunks in order, and the caller gets
//! what they found in the same order; nobody works far ahead of the caller, so
//! that no more than a few chunks are in memory at once.

mod findings;
mod numbers;
mod queue;
mod rereading;
mod sort;

use std::ops::ControlFlow;
use std::thread;

pub(crate) use findings::merge_findings;
pub(crate) use numbers::Numbers;
use queue::Queue;
pub(crate) use rereading::LineReader;
use sort::Sorter;
pub(crate) use sort::{Batch, Match};

use crate::analysis::Accumulator;
use crate::error::Error;
use crate::filter::{Filter, Needle};
use crate::source::{Chunk, Part, Tuning};

/// What is to be done with some files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) parts: &'a [Part],
    pub(crate) filter: &'a Filter,
    /// If there is one, lines without it are not looked at.
    pub(crate) needle: Option<&'a Needle>,
    /// Whether matches are handed to the caller, and not only counted.
    pub(crate) wants_matches: bool,
    pub(crate) tuning: Tuning,
}

/// What is done with each batch.
pub(crate) type Deliver<'d> = dyn FnMut(&mut Batch) -> Result<ControlFlow<()>, Error> + 'd;

/// What is done with each batch, and with what was counted up to its end.
type DeliverCounted<'d, A> = dyn FnMut(&mut Batch, &mut A) -> Result<ControlFlow<()>, Error> + 'd;

/// How a worker begins to count.
pub(crate) type Begin<'b, A> = dyn Fn() -> A + Sync + 'b;

/// Works through chunks, and gives what is found to `deliver` in their order
/// until that breaks off.
pub(crate) fn run<A: Accumulator>(
    job: Job<'_>,
    chunks: &[Chunk],
    begin: &Begin<'_, A>,
    deliver: &mut Deliver<'_>,
) -> Result<A, Error> {
    let threads = job.tuning.threads.min(chunks.len());
    if threads < 2 {
        return run_here(job, chunks, begin, deliver);
    }
    let queue = Queue::new(chunks.len(), threads);
    thread::scope(|scope| {
        let work = || {
            let _leaving = queue.enter();
            let mut sorter = Sorter::new(job);
            let mut counted = begin();
            while let Some(at) = queue.claim() {
                if sorter.needs_buffer() {
                    sorter.take_buffer(queue.buffer());
                }
                let batch = sorter.sort(chunks[at], &mut counted);
                queue.put(at, batch);
            }
            counted
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let delivered = deliver_all(&queue, deliver);
        queue.stop();
        let mut total = begin();
        for worker in workers {
            match worker.join() {
                Ok(counted) => total.merge(counted),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        delivered.map(|()| total)
    })
}

fn deliver_all(queue: &Queue, deliver: &mut Deliver<'_>) -> Result<(), Error> {
    while let Some(batch) = queue.take() {
        let mut batch = batch?;
        if deliver(&mut batch)?.is_break() {
            break;
        }
        queue.give_back(batch.buffer);
    }
    Ok(())
}

/// Threads do not pay off for a single chunk.
fn run_here<A: Accumulator>(
    job: Job<'_>,
    chunks: &[Chunk],
    begin: &Begin<'_, A>,
    deliver: &mut Deliver<'_>,
) -> Result<A, Error> {
    let mut counted = begin();
    each(job, chunks, &mut counted, &mut |batch, _| deliver(batch))?;
    Ok(counted)
}

/// Works through chunks on this thread, and gives `deliver` also what was counted
/// so far.
pub(crate) fn each<A: Accumulator>(
    job: Job<'_>,
    chunks: &[Chunk],
    counted: &mut A,
    deliver: &mut DeliverCounted<'_, A>,
) -> Result<(), Error> {
    let mut sorter = Sorter::new(job);
    for chunk in chunks {
        let mut batch = sorter.sort(*chunk, counted)?;
        if deliver(&mut batch, counted)?.is_break() {
            break;
        }
        sorter.take_buffer(batch.buffer);
    }
    Ok(())
}

//! Goes over session files on all cores, in bounded memory.
//!
//! The files are cut into chunks of [`Tuning::chunk`] bytes. A chunk has the
//! lines that begin in it. Workers take chunks in order, and the caller gets
//! what they found in the same order; nobody works far ahead of the caller, so
//! that no more than a few chunks are in memory at once.

mod chunk;
mod guided;
mod numbers;
mod queue;
mod sort;

use std::ops::ControlFlow;
use std::thread;

pub(crate) use chunk::{CACHE_LINE, Chunk, lag, load};
pub(crate) use numbers::Numbers;
use queue::Queue;
use sort::Sorter;
pub(crate) use sort::{Batch, Match};

use crate::analysis::Analysis;
use crate::error::Error;
use crate::fields::Fields;
use crate::filter::{Filter, Needle};
use crate::index::Need;
use crate::shape::Handles;
use crate::source::Part;

/// How the work is cut up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tuning {
    /// Bytes in a chunk. What is read at once should fit in a core's own cache.
    pub(crate) chunk: u64,
    /// How many threads work.
    pub(crate) threads: usize,
    /// The length in bytes beyond which a line is damage.
    pub(crate) max_line: usize,
    /// Beyond this offset numbers are shown only where they cost nothing.
    pub(crate) far: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        const MOST: usize = 16;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self {
            chunk: 512 << 10,
            threads: threads.min(MOST),
            max_line: journal::DEFAULT_MAX_LINE,
            far: 32 << 20,
        }
    }
}

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

/// What is to be done with some files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) parts: &'a [Part],
    pub(crate) filter: &'a Filter,
    /// If there is one, lines without it are not looked at.
    pub(crate) needle: Option<&'a Needle>,
    /// Whether matches are handed to the caller, and not only counted.
    pub(crate) wants_matches: bool,
    /// What is needed of matches, where indexes may be asked.
    pub(crate) index: Option<Need>,
    pub(crate) tuning: Tuning,
}

/// What is done with each batch.
pub(crate) type Deliver<'d> = dyn FnMut(&mut Batch) -> Result<ControlFlow<()>, Error> + 'd;

/// What is done with each batch, and with what was counted up to its end.
type DeliverCounted<'d, A> = dyn FnMut(&mut Batch, &mut A) -> Result<ControlFlow<()>, Error> + 'd;

/// How a worker begins to count.
type Begin<'b, A> = dyn Fn() -> A + Sync + 'b;

/// Works through chunks, and gives what is found to `deliver` in their order
/// until that breaks off.
pub(crate) fn run<A: Accumulator>(
    job: Job<'_>,
    chunks: &[Chunk],
    begin: &Begin<'_, A>,
    deliver: &mut Deliver<'_>,
) -> Result<A, Error> {
    match job.index {
        Some(need) if job.parts.iter().any(Part::may_have_index) => {
            guided::run(job, need, chunks, begin, deliver)
        }
        _ => run_all(job, chunks, begin, deliver),
    }
}

/// Reads all chunks.
fn run_all<A: Accumulator>(
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

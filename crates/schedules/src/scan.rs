//! The queue between a scan's workers and its caller.

#[rustfmt::skip]
#[path = "../../query/src/scan/queue.rs"]
mod queue;

mod sort {
    /// What was found in the chunk of this number.
    #[derive(Debug)]
    pub(crate) struct Batch(pub(crate) usize);
}

/// Workers read ahead of a caller, which takes in order.
pub mod scenarios {
    use shuttle::thread::{self, JoinHandle};

    use super::queue::Queue;
    use super::sort::Batch;
    use crate::error::Error;
    use crate::sync::Arc;

    /// More than workers may be ahead of the caller.
    const CHUNKS: usize = 12;
    const THREADS: usize = 2;

    /// What a worker finds in its chunk.
    #[derive(Clone, Copy)]
    enum Found {
        All,
        /// This chunk can't be read.
        Error(usize),
        /// A worker is gone where it should have read this chunk.
        Gone(usize),
    }

    /// All chunks come, in order, and all workers end.
    pub fn chunks_come_in_order() {
        let (queue, workers) = start(Found::All);
        assert_eq!(take(&queue, CHUNKS), CHUNKS);
        assert!(queue.take().is_none());
        end(&queue, workers);
    }

    /// A caller that has enough lets those go who wait for it.
    pub fn a_caller_that_has_enough_ends_all() {
        let (queue, workers) = start(Found::All);
        assert_eq!(take(&queue, 2), 2);
        end(&queue, workers);
    }

    /// A chunk that can't be read is an error in its place.
    pub fn an_error_ends_all() {
        let (queue, workers) = start(Found::Error(3));
        assert_eq!(take(&queue, CHUNKS), 3);
        end(&queue, workers);
    }

    /// A worker that is gone without a word keeps nobody waiting: neither the caller,
    /// which waits for its chunk, nor the workers, which wait for the caller.
    pub fn a_worker_that_is_gone_ends_all() {
        let (queue, workers) = start(Found::Gone(3));
        assert!(take(&queue, CHUNKS) <= CHUNKS);
        end(&queue, workers);
    }

    fn start(found: Found) -> (Arc<Queue>, Vec<JoinHandle<()>>) {
        let queue = Arc::new(Queue::new(CHUNKS, THREADS));
        let worker = |_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || work(&queue, found))
        };
        let workers = (0..THREADS).map(worker).collect();
        (queue, workers)
    }

    fn work(queue: &Queue, found: Found) {
        let _leaving = queue.enter();
        while let Some(at) = queue.claim() {
            let buffer = queue.buffer();
            match found {
                Found::Gone(gone) if gone == at => return,
                Found::Error(bad) if bad == at => queue.put(at, Err(Error)),
                _ => queue.put(at, Ok(Batch(at))),
            }
            queue.give_back(buffer);
        }
    }

    /// Takes up to so many chunks, or up to an error; returns how many came.
    fn take(queue: &Queue, most: usize) -> usize {
        for at in 0..most {
            match queue.take() {
                Some(Ok(batch)) => assert_eq!(batch.0, at, "in order"),
                Some(Err(Error)) | None => return at,
            }
        }
        most
    }

    fn end(queue: &Queue, workers: Vec<JoinHandle<()>>) {
        queue.stop();
        for worker in workers {
            worker.join().unwrap();
        }
    }
}

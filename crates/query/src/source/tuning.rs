//! How the work is cut up.

use std::thread;

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

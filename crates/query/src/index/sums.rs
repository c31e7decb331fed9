//! Whether a session has the very bytes that an index was made of.
//!
//! A copy of a session has another time, and may be another session of the same
//! length. Each block's checksum tells, at the speed of reading.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crc_fast::crc32_iscsi as crc32c;
use journal::raw::ReadFile;

use super::directory::Directory;
use crate::source::{CACHE_LINE, lag};

/// More threads do not read faster.
const THREADS: usize = 4;

/// Returns the checksum of a block of the first `length` bytes.
pub(super) fn of_block(
    file: &dyn ReadFile,
    block: u64,
    size: u32,
    length: u64,
    buffer: &mut Vec<u8>,
) -> io::Result<u32> {
    let start = block * u64::from(size);
    let bytes = length.saturating_sub(start).min(size.into());
    let bytes = usize::try_from(bytes).unwrap_or(0);
    buffer.resize(bytes + CACHE_LINE, 0);
    let from = lag(start, buffer);
    let block = buffer.get_mut(from..from + bytes).unwrap_or_default();
    file.read_exact_at(block, start)?;
    Ok(crc32c(block))
}

/// Reads the first `length` bytes on this thread, and asks after each block whether to
/// go on.
pub(super) fn are_same_paced(
    file: &dyn ReadFile,
    directory: &Directory,
    length: u64,
    go_on: &mut dyn FnMut() -> bool,
) -> ControlFlow<(), bool> {
    let mut buffer = Vec::new();
    for (at, block) in directory.blocks.iter().enumerate() {
        let sum = of_block(file, at as u64, directory.shape.block, length, &mut buffer);
        if sum.ok() != Some(block.sum) {
            return ControlFlow::Continue(false);
        }
        if !go_on() {
            return ControlFlow::Break(());
        }
    }
    ControlFlow::Continue(true)
}

/// Reads the first `length` bytes, on several threads.
pub(super) fn are_same(file: &dyn ReadFile, directory: &Directory, length: u64) -> bool {
    let (next, differ) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut buffer = Vec::new();
        while !differ.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = directory.blocks.get(at) else {
                return;
            };
            let size = directory.shape.block;
            let sum = of_block(file, at as u64, size, length, &mut buffer);
            if sum.ok() != Some(block.sum) {
                differ.store(true, Ordering::Relaxed);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 1..threads.min(THREADS).min(directory.blocks.len()) {
            scope.spawn(work);
        }
        work();
    });
    !differ.into_inner()
}

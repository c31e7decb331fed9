//! The disk alone: append and fdatasync, over and over.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How much the throughput loop writes for each fdatasync.
pub(crate) const GROUP: usize = 1 << 20;

/// Appends `bytes` bytes in large groups, each synced, and returns the time.
pub(crate) fn throughput(dir: &Path, bytes: u64) -> anyhow::Result<Duration> {
    let mut file = create(dir)?;
    let group = vec![b'x'; GROUP];
    let mut left = bytes;
    let start = Instant::now();
    while left > 0 {
        let length = usize::try_from(left).map_or(GROUP, |left| left.min(GROUP));
        file.write_all(&group[..length])?;
        file.sync_data()?;
        left -= length as u64;
    }
    Ok(start.elapsed())
}

/// Appends `size` bytes and syncs them, `count` times, and returns each time.
pub(crate) fn latencies(dir: &Path, size: usize, count: u64) -> anyhow::Result<Vec<Duration>> {
    let mut file = create(dir)?;
    let record = vec![b'x'; size];
    (0..count)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&record)?;
            file.sync_data()?;
            Ok(start.elapsed())
        })
        .collect()
}

fn create(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("appended");
    File::create(&path).with_context(|| format!("cannot create {}", path.display()))
}

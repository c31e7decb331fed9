//! Journals as a broker leaves them, made without one.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use journal::Options;
use journal::raw::Writer;

use crate::payload::{Payloads, TOPIC};

/// How much is committed at a time.
const GROUP: usize = 1 << 20;
const RECORDED_AT: &str = "2025-11-20T04:30:00.123Z";

/// Records messages of `size` bytes of one publisher until the session has so
/// many bytes, and returns how many those are.
pub(crate) fn generate(logs: &Path, size: usize, bytes: u64) -> anyhow::Result<u64> {
    write(logs, size, |recorded, _| recorded < bytes)
}

/// Records messages as long as the bytes and the number of what is recorded
/// ask for more, and returns how many those are.
pub(crate) fn write(
    logs: &Path,
    size: usize,
    more: impl Fn(u64, u64) -> bool,
) -> anyhow::Result<u64> {
    let mut payloads = Payloads::new(size)?;
    let (mut writer, _) = Writer::open(logs, Options::default())?;
    let mut group = writer.group();
    let mut number = 0;
    while more(writer.session().bytes, number) {
        group.reset(writer.next_number());
        while group.bytes().len() < GROUP && more(writer.session().bytes, number) {
            let payload = payloads.get(0, number);
            group.push_with(|out| message::encode(&[TOPIC, payload], RECORDED_AT, out))?;
            number += 1;
        }
        writer.commit(&[&group])?;
    }
    Ok(number)
}

/// Deletes everything in a journal's directory that is not a recorded line.
pub(crate) fn delete_derived(logs: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(logs).with_context(|| format!("cannot list {}", logs.display()))? {
        let entry = entry?;
        let is_file = entry.file_type()?.is_file();
        if is_file
            && entry
                .path()
                .extension()
                .is_none_or(|extension| extension != "jsonl")
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Returns how many bytes the current session has.
pub(crate) fn size(logs: &Path) -> anyhow::Result<u64> {
    let path = session(logs);
    let metadata = fs::metadata(&path).with_context(|| format!("cannot see {}", path.display()))?;
    Ok(metadata.len())
}

/// Reads all of the current session, and returns its bytes and how long it took.
pub(crate) fn read(logs: &Path) -> anyhow::Result<(u64, Duration)> {
    let path = session(logs);
    let mut file =
        fs::File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut buffer = vec![0; 1 << 20];
    let (start, mut bytes) = (Instant::now(), 0);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, start.elapsed())),
            count => bytes += count as u64,
        }
    }
}

fn session(logs: &Path) -> PathBuf {
    logs.join("current_session.jsonl")
}

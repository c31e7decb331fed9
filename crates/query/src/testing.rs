//! Journals made up for tests, and slow but obvious answers about them.
//!
//! With the feature `testing` other crates' tests have them, too.
#![allow(clippy::unwrap_used)]

mod generate;
mod reference;

use std::fs;
use std::path::Path;

#[cfg(test)]
use proptest::prelude::*;
use tempfile::TempDir;

pub use generate::journal;
pub use reference::{Message, criteria, matching, messages, milliseconds};

use crate::source::Source;
#[cfg(test)]
use crate::source::Tuning;

/// A journal's directory whose current session has these bytes.
pub fn dir_with(session: &[u8]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(journal::current_session(dir.path()), session).unwrap();
    dir
}

pub fn open(dir: &TempDir) -> Source {
    Source::current(dir.path()).unwrap()
}

/// Moves the current session into the archive, as the broker does.
pub fn archive(dir: &Path, name: &str) {
    let archive = crate::archive_dir(dir);
    fs::create_dir_all(&archive).unwrap();
    fs::rename(journal::current_session(dir), archive.join(name)).unwrap();
}

/// A line as the broker writes it, with its newline.
pub fn recorded(number: u64, topic: &str, payload: &str) -> Vec<u8> {
    recorded_at(number, "2025-11-20T04:30:00.123Z", topic, payload)
}

pub fn recorded_at(number: u64, time: &str, topic: &str, payload: &str) -> Vec<u8> {
    recorded_as(number, message::Arrival::at(time), topic, payload)
}

/// A line of a message that came in some way.
pub fn recorded_as(
    number: u64,
    arrival: message::Arrival<'_>,
    topic: &str,
    payload: &str,
) -> Vec<u8> {
    let mut group = journal::raw::Group::new(number, usize::MAX);
    group
        .push_with(|out| message::encode_arrival(&[topic, payload], arrival, out))
        .unwrap();
    group.bytes().to_vec()
}

/// Cuts the work up in some other way than usual.
#[cfg(test)]
pub(crate) fn tuning() -> impl Strategy<Value = Tuning> {
    let chunk = prop_oneof![1..2_000_u64, Just(1 << 20)];
    (chunk, 1..4_usize).prop_map(|(chunk, threads)| Tuning {
        chunk,
        threads,
        ..Tuning::default()
    })
}

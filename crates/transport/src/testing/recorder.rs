//! A recorder that has no thread.

use std::sync::{Arc, mpsc};
use std::time::SystemTime;

use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::Bench;
use crate::recorder::{Queue, Recorder, Rotation};

/// Makes one of a bench's journal, whose directory it returns beside it.
pub(crate) fn recorder(bench: Bench, queue: Queue) -> (TempDir, Recorder) {
    let Bench { dir, writer, tail } = bench;
    let recorder = Recorder {
        writer,
        queue: Arc::new(queue),
        spare: Arc::default(),
        tail,
        requests: mpsc::channel().1,
        changes: mpsc::channel().1,
        rotation: Rotation::new(None, TimeZone::UTC, SystemTime::now()),
        clock: Arc::new(SystemTime::now),
        max_session: None,
        recorded: Arc::default(),
        health: Arc::default(),
        failed: None,
        held: None,
        on_archived: Arc::new(|_| {}),
    };
    (dir, recorder)
}

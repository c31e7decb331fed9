//! How long does the broker take to be ready, on a journal of some size?

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::agents::Medium as _;
use crate::args::{Common, StartUp};
use crate::payload::Payloads;
use crate::recorded;
use crate::results::{Column, Results};
use crate::run::{Run, progress};
use crate::subject::{Subject, broker, start_broker};

const TIME: &str = "ms";
/// The size of the messages in the journal.
const SIZE: usize = 1_024;
/// What a broker records before it is killed, so that the next start finds what
/// one leaves that was killed at work.
const MESSAGES: u64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the case.
pub(crate) fn run(common: &Common, options: &StartUp) -> anyhow::Result<()> {
    let run = Run::new(common)?;
    let mut results = Results::new("start-up", "MiB", vec![Column::new(TIME, "ms", 1)]);
    for &mebibytes in &options.sizes {
        let bytes = common.scaled(mebibytes << 20);
        for (name, program, more) in run.subjects.iter().filter_map(Subject::as_broker) {
            let dir = run.scratch()?;
            let logs = dir.path().join("logs");
            recorded::generate(&logs, SIZE, bytes)?;
            for round in 0..run.rounds {
                let (_, read) = recorded::read(&logs)?;
                recorded::delete_derived(&logs)?;
                let start = || time_of_start(program, more, dir.path());
                let times = [
                    ("nothing but the records", name, start()?),
                    ("after a kill at work", name, start()?),
                    ("", "read() alone", read),
                ];
                for (group, subject, time) in times {
                    results.add(group, bytes >> 20, subject, TIME, time.as_secs_f64() * 1e3);
                }
                progress(&format!("{mebibytes} MiB, round {}: {times:?}", round + 1));
            }
        }
    }
    run.finish(&results)
}

/// Starts a broker, gives it something to record, and kills it.
fn time_of_start(program: &Path, options: &[String], dir: &Path) -> anyhow::Result<Duration> {
    let mut command = broker(program, dir);
    command.args(options);
    let start = Instant::now();
    let (_process, medium) = start_broker(command)?;
    let time = start.elapsed();
    let before = recorded::size(&dir.join("logs"))?;
    let mut payloads = Payloads::new(SIZE)?;
    let mut publisher = medium.publisher()?;
    for number in 0..MESSAGES {
        publisher.send(payloads.get(0, number))?;
    }
    let sent = Instant::now();
    while recorded::size(&dir.join("logs"))? < before + MESSAGES * SIZE as u64 {
        ensure!(sent.elapsed() < PATIENCE, "nothing is recorded");
        thread::sleep(Duration::from_millis(1));
    }
    Ok(time)
}

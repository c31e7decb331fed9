//! How long does one message take, while nothing else is on its way?

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::agents::{Medium, Publish, Receive};
use crate::args::{ClosedLoop, Common};
use crate::disk;
use crate::payload::{Payloads, Received, Verifier};
use crate::results::{Column, Results};
use crate::run::{Run, progress};
use crate::stats::Latencies;
use crate::subject::{DISK, PROXY, Subject};

const P50: &str = "p50_us";
const P99: &str = "p99_us";
/// What a broker that records before it delivers cannot be faster than.
const SUM: &str = "zmq_proxy + disk";
/// How many messages come first and don't count.
const WARM_UP: u64 = 200;
/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the case.
pub(crate) fn run(common: &Common, options: &ClosedLoop) -> anyhow::Result<()> {
    let run = Run::new(common)?;
    let columns = vec![
        Column::new(P50, "p50 µs", 0).beside(SUM),
        Column::new(P99, "p99 µs", 0).beside(SUM),
    ];
    let mut results = Results::new(&run.case("closed-loop"), "bytes", columns);
    let messages = common.scaled(options.messages);
    for round in 0..run.rounds {
        measure(&run, round, options, messages, &mut results)?;
    }
    run.finish(&results)
}

fn measure(
    run: &Run,
    round: usize,
    options: &ClosedLoop,
    messages: u64,
    results: &mut Results,
) -> anyhow::Result<()> {
    let size = options.size as u64;
    let mut add = |subject: &str, p50: f64, p99: f64| {
        progress(&format!(
            "round {}: {subject} p50 {p50:.0} µs, p99 {p99:.0} µs",
            round + 1
        ));
        results.add("", size, subject, P50, p50);
        results.add("", size, subject, P99, p99);
    };
    let mut sum = (0.0, 0.0);
    for subject in run.turns_with_disk(round) {
        let dir = run.scratch()?;
        let latencies = match subject {
            Some(subject) => {
                let server = subject.start(dir.path())?;
                round_trips(server.medium.as_ref(), options.size, messages)?
            }
            None => disk::latencies(dir.path(), options.append, messages)?,
        };
        let latencies = Latencies::new(latencies);
        let (p50, p99) = (latencies.per_mille(500), latencies.per_mille(990));
        let name = subject.map_or(DISK, Subject::name);
        add(name, p50, p99);
        if [PROXY, DISK].contains(&name) {
            sum = (sum.0 + p50, sum.1 + p99);
        }
    }
    add(SUM, sum.0, sum.1);
    Ok(())
}

/// Sends one message after the other, each when the one before has arrived.
fn round_trips(medium: &dyn Medium, size: usize, messages: u64) -> anyhow::Result<Vec<Duration>> {
    let mut payloads = Payloads::new(size)?;
    let mut verifier = Verifier::new(size, 1)?;
    let mut subscriber = medium.subscriber()?;
    let mut publisher = medium.publisher()?;
    open_the_way(publisher.as_mut(), subscriber.as_mut(), &mut payloads)?;
    let mut latencies = Vec::new();
    for number in 0..WARM_UP + messages {
        let payload = payloads.get(0, number);
        let start = Instant::now();
        publisher.send(payload)?;
        publisher.flush()?;
        let payload = loop {
            match subscriber.receive()? {
                Some(payload) => break payload,
                None => ensure!(start.elapsed() < PATIENCE, "message {number} is lost"),
            }
        };
        let latency = start.elapsed();
        let seen = verifier.check(payload).context("in the closed loop")?;
        ensure!(seen == Received::Message(0, number), "one message too many");
        if number >= WARM_UP {
            latencies.push(latency);
        }
    }
    Ok(latencies)
}

/// Sends messages that don't count until one is through, and then takes those
/// that are still on their way.
fn open_the_way(
    publisher: &mut dyn Publish,
    subscriber: &mut dyn Receive,
    payloads: &mut Payloads,
) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        ensure!(start.elapsed() < PATIENCE, "nothing comes through");
        publisher.send(payloads.warm_up(0))?;
        publisher.flush()?;
        if subscriber.receive()?.is_some() {
            break;
        }
    }
    while subscriber.receive()?.is_some() {}
    Ok(())
}

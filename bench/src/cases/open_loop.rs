//! How long does a message take at a steady load?
//!
//! Messages are sent at fixed times, whether or not those before have arrived,
//! and a latency counts from the time at which its message should have been
//! sent. So a server that stalls is charged for all messages that a stall
//! holds up, also those that could not even be sent.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};

use crate::agents::Medium;
use crate::args::{Common, OpenLoop};
use crate::flow::Flow;
use crate::load::until_heard;
use crate::payload::{Payloads, Received, Verifier};
use crate::platform;
use crate::results::{Column, Results};
use crate::run::{Run, progress};
use crate::stats::Latencies;
use crate::subject::PROXY;

/// Names of the measures, and their share of a thousand messages.
pub(crate) const PERCENTILES: [(&str, &str, usize); 3] = [
    ("p50_us", "p50 µs", 500),
    ("p99_us", "p99 µs", 990),
    ("p999_us", "p99.9 µs", 999),
];
/// How long a load runs before it counts, in seconds.
const WARM_UP: f64 = 0.5;
/// How long nothing may arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// A load with fixed times.
#[derive(Debug, Clone, Copy)]
struct Steady {
    size: usize,
    rate: u64,
    messages: u64,
    warm_up: u64,
}

/// Runs the case.
pub(crate) fn run(common: &Common, options: &OpenLoop) -> anyhow::Result<()> {
    let run = Run::new(common)?;
    let columns = PERCENTILES.map(|(measure, heading, _)| Column::new(measure, heading, 0));
    let columns = columns.map(|column| column.beside(PROXY)).to_vec();
    let mut results = Results::new(&run.case("open-loop"), "messages/s", columns);
    let seconds = options.seconds * common.scale();
    for &rate in &options.rates {
        let messages = |seconds: f64| (Duration::from_secs(rate).mul_f64(seconds)).as_secs();
        let load = Steady {
            size: options.size,
            rate,
            messages: messages(seconds + WARM_UP),
            warm_up: messages(WARM_UP),
        };
        for round in 0..run.rounds {
            measure(&run, round, load, &mut results)?;
        }
    }
    run.finish(&results)
}

fn measure(run: &Run, round: usize, load: Steady, results: &mut Results) -> anyhow::Result<()> {
    let rate = load.rate;
    for subject in run.turns(round) {
        let dir = run.scratch()?;
        let server = subject.start(dir.path())?;
        let latencies = Latencies::new(latencies(server.medium.as_ref(), load)?);
        let name = subject.name();
        let mut told = format!("{rate}/s, round {}: {name}", round + 1);
        for (measure, heading, part) in PERCENTILES {
            let latency = latencies.per_mille(part);
            told += &format!(" {heading} {latency:.0}");
            results.add("", rate, name, measure, latency);
        }
        progress(&told);
    }
    Ok(())
}

fn latencies(medium: &dyn Medium, load: Steady) -> anyhow::Result<Vec<Duration>> {
    let flow = Flow::new(1, 1);
    let start = OnceLock::new();
    let arrivals = thread::scope(|scope| {
        let subscriber = scope.spawn(|| flow.note(subscribe(medium, load, &flow)));
        scope.spawn(|| flow.note(publish(medium, load, &flow, &start)));
        flow.note(flow.start())?;
        subscriber.join().ok().flatten()
    });
    let failure = || anyhow!("an agent panicked");
    if let Some(error) = flow.into_failure() {
        return Err(error);
    }
    let (start, arrivals) = (
        start.get().ok_or_else(failure)?,
        arrivals.ok_or_else(failure)?,
    );
    let counted = (0..)
        .zip(arrivals)
        .filter(|(number, _)| *number >= load.warm_up);
    Ok(counted
        .map(|(number, arrival)| arrival.saturating_duration_since(due(*start, load, number)))
        .collect())
}

/// Returns when a message is to be sent.
fn due(start: Instant, load: Steady, number: u64) -> Instant {
    start + Duration::from_nanos(number * 1_000_000_000 / load.rate)
}

fn publish(
    medium: &dyn Medium,
    load: Steady,
    flow: &Flow,
    start: &OnceLock<Instant>,
) -> anyhow::Result<()> {
    platform::sleep_exactly();
    let mut payloads = Payloads::new(load.size)?;
    let mut publisher = medium.publisher()?;
    until_heard(publisher.as_mut(), &mut payloads, flow, 0)?;
    flow.wait_for_start()?;
    let start = *start.get_or_init(Instant::now);
    for number in 0..load.messages {
        let due = due(start, load, number);
        let ahead = due.saturating_duration_since(Instant::now());
        if !ahead.is_zero() {
            publisher.flush()?;
            flow.check()?;
            thread::sleep(ahead);
        }
        publisher.send(payloads.get(0, number))?;
    }
    publisher.flush()?;
    flow.wait_until_received(0, load.messages)
}

fn subscribe(medium: &dyn Medium, load: Steady, flow: &Flow) -> anyhow::Result<Vec<Instant>> {
    let mut verifier = Verifier::new(load.size, 1)?;
    let mut subscriber = medium.subscriber()?;
    let mut arrivals = Vec::new();
    let mut moved = Instant::now();
    while verifier.count() < load.messages {
        let payload = subscriber.receive()?;
        let now = Instant::now();
        let Some(payload) = payload else {
            flow.check()?;
            let came = verifier.count();
            ensure!(
                now.duration_since(moved) < PATIENCE,
                "only {came} messages arrived"
            );
            continue;
        };
        moved = now;
        match verifier.check(payload)? {
            Received::WarmUp(_) => flow.hears(0, 0),
            Received::Message(_, number) => {
                arrivals.push(now);
                flow.received(0, 0, number + 1);
            }
        }
    }
    Ok(arrivals)
}

//! How fast does a late subscriber get what was said before it came?

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use zmq::{SNDMORE, SocketType};

use crate::agents::Receive;
use crate::args::{Common, Replay};
use crate::load::{self, Load};
use crate::payload::{Payloads, TOPIC, Verifier};
use crate::recorded;
use crate::results::{Column, Results};
use crate::run::{Run, progress};
use crate::subject::{Subject, broker, start_broker};
use crate::zeromq::Subscriber;

const SPEED: &str = "mb_per_second";
const FIRST: &str = "first_ms";
/// The comparison: the same messages between two sockets, nothing in between.
const DIRECT: &str = "PUB to SUB";
/// All of it is history, and fits into a quarter of this.
const OPTIONS: [&str; 4] = ["--history", "100000000", "--max-memory", "2GiB"];
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the case.
pub(crate) fn run(common: &Common, options: &Replay) -> anyhow::Result<()> {
    let run = Run::new(common)?;
    let columns = vec![
        Column::new(SPEED, "MB/s", 0).beside(DIRECT),
        Column::new(FIRST, "ms to the first message", 1),
    ];
    let mut results = Results::new("replay", "bytes", columns);
    for &size in &options.sizes {
        let volume = |mebibytes: u64| common.scaled(mebibytes << 20);
        from_memory(&run, size, volume(options.memory), &mut results)?;
        from_disk(&run, size, volume(options.disk), &mut results)?;
    }
    run.finish(&results)
}

/// Publishes the history to a broker that then still has it in memory.
fn from_memory(run: &Run, size: usize, bytes: u64, results: &mut Results) -> anyhow::Result<()> {
    let messages = bytes / size as u64;
    let load = Load {
        publishers: 1,
        subscribers: 1,
        size,
        messages,
        window: (32 << 20) / size as u64,
    };
    let dir = run.scratch()?;
    let mut brokers = Vec::new();
    for (name, program, more) in run.subjects.iter().filter_map(Subject::as_broker) {
        let dir = dir.path().join(name);
        let mut command = broker(program, &dir);
        command.args(OPTIONS).args(more);
        let (process, medium) = start_broker(command)?;
        load::run(&medium, &load)?;
        brokers.push((name, process, medium.subscribe));
    }
    let ports: Vec<(&str, u16)> = brokers
        .iter()
        .map(|(name, _, port)| (*name, *port))
        .collect();
    measure(run, "from memory", &ports, size, messages, results)
}

/// Starts brokers on a history that somebody else has written.
fn from_disk(run: &Run, size: usize, bytes: u64, results: &mut Results) -> anyhow::Result<()> {
    let dir = run.scratch()?;
    let mut brokers = Vec::new();
    let mut messages = 0;
    for (name, program, more) in run.subjects.iter().filter_map(Subject::as_broker) {
        let dir = dir.path().join(name);
        messages = recorded::generate(&dir.join("logs"), size, bytes)?;
        let mut command = broker(program, &dir);
        command.args(OPTIONS).args(more);
        let (process, medium) = start_broker(command)?;
        brokers.push((name, process, medium.subscribe));
        read_file(&dir, size, results)?;
    }
    let ports: Vec<(&str, u16)> = brokers
        .iter()
        .map(|(name, _, port)| (*name, *port))
        .collect();
    measure(run, "from disk cache", &ports, size, messages, results)
}

/// Reads the journal once, which also brings it into the cache.
fn read_file(dir: &Path, size: usize, results: &mut Results) -> anyhow::Result<()> {
    let (bytes, time) = recorded::read(&dir.join("logs"))?;
    let speed = bytes as f64 / 1e6 / time.as_secs_f64();
    results.add("from disk cache", size as u64, "read() alone", SPEED, speed);
    Ok(())
}

fn measure(
    run: &Run,
    group: &str,
    ports: &[(&str, u16)],
    size: usize,
    messages: u64,
    results: &mut Results,
) -> anyhow::Result<()> {
    for round in 0..run.rounds {
        for &(name, port) in ports {
            let timed = receive(port, size, messages)?;
            add(results, group, name, size, messages, timed);
        }
        let timed = direct(size, messages)?;
        add(results, group, DIRECT, size, messages, timed);
        progress(&format!("{group}, {size} B, round {}", round + 1));
    }
    Ok(())
}

fn add(results: &mut Results, group: &str, name: &str, size: usize, messages: u64, timed: Timed) {
    let speed = (messages * size as u64) as f64 / 1e6 / timed.rest.as_secs_f64();
    results.add(group, size as u64, name, SPEED, speed);
    results.add(
        group,
        size as u64,
        name,
        FIRST,
        timed.first.as_secs_f64() * 1e3,
    );
}

/// How long a subscriber waited for its first message, and then for all.
struct Timed {
    first: Duration,
    rest: Duration,
}

fn receive(port: u16, size: usize, messages: u64) -> anyhow::Result<Timed> {
    let mut verifier = Verifier::new(size, 1)?;
    let start = Instant::now();
    let mut subscriber = Subscriber::connect(port)?;
    let mut first = None;
    while verifier.count() < messages {
        match subscriber.receive()? {
            Some(payload) => {
                first.get_or_insert_with(Instant::now);
                verifier.check(payload)?;
            }
            None => ensure!(start.elapsed() < PATIENCE, "only {} came", verifier.count()),
        }
    }
    let first = first.context("nothing was to be replayed")?;
    Ok(Timed {
        first: first - start,
        rest: first.elapsed(),
    })
}

/// Sends the same messages from one socket to another.
fn direct(size: usize, messages: u64) -> anyhow::Result<Timed> {
    let context = zmq::Context::new();
    let publisher = context.socket(SocketType::XPUB)?;
    publisher.set_sndhwm(0)?;
    publisher.set_rcvtimeo(10_000)?;
    publisher.bind("tcp://127.0.0.1:*")?;
    let endpoint = publisher.get_last_endpoint()?.unwrap_or_default();
    let port = endpoint
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    let port = port.context("an endpoint without a port")?;
    let mut payloads = Payloads::new(size)?;
    thread::scope(|scope| {
        let subscriber = scope.spawn(move || receive(port, size, messages));
        publisher.recv_bytes(0).context("no subscription came")?;
        for number in 0..messages {
            publisher.send(TOPIC, SNDMORE)?;
            publisher.send(payloads.get(0, number), 0)?;
        }
        let panicked = || anyhow::anyhow!("the subscriber panicked");
        subscriber.join().map_err(|_| panicked())?
    })
}

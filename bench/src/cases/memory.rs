//! How much memory does the broker take, idle and under load?

use std::thread;
use std::time::Duration;

use zmq::SocketType;

use crate::args::{Common, Memory};
use crate::load::{self, Load};
use crate::platform::memory;
use crate::recorded;
use crate::results::{Column, Results};
use crate::run::{Run, progress};
use crate::subject::{Subject, broker, start_broker};

const NOW: &str = "rss_mb";
const PEAK: &str = "peak_mb";
/// The size of the messages.
const SIZE: usize = 1_024;
/// What a broker may do after it said that it was ready.
const SETTLE: Duration = Duration::from_millis(500);

/// Runs the case.
pub(crate) fn run(common: &Common, options: &Memory) -> anyhow::Result<()> {
    if memory(std::process::id()).is_none() {
        progress("memory is not measured: this system doesn't tell it in /proc");
        return Ok(());
    }
    let run = Run::new(common)?;
    let columns = vec![
        Column::new(NOW, "RSS MB", 1),
        Column::new(PEAK, "peak RSS MB", 1),
    ];
    let mut results = Results::new("memory", "MiB", columns);
    for &mebibytes in &options.sizes {
        idle(&run, common.scaled(mebibytes << 20), &mut results)?;
    }
    let volume = common.scaled(options.volume << 20);
    for round in 0..run.rounds {
        for subject in run.turns(round) {
            for (group, stuck) in [("carried", false), ("carried, one stuck", true)] {
                loaded(&run, subject, group, volume, stuck, &mut results)?;
            }
        }
        progress(&format!("under load, round {}", round + 1));
    }
    run.finish(&results)
}

/// Measures brokers that have nothing to do, on a journal of some size.
fn idle(run: &Run, bytes: u64, results: &mut Results) -> anyhow::Result<()> {
    for (name, program, more) in run.subjects.iter().filter_map(Subject::as_broker) {
        let dir = run.scratch()?;
        recorded::generate(&dir.path().join("logs"), SIZE, bytes)?;
        for _ in 0..run.rounds {
            let mut command = broker(program, dir.path());
            command.args(more);
            let (process, _) = start_broker(command)?;
            thread::sleep(SETTLE);
            add(results, "idle on a journal", bytes, name, process.id());
        }
        progress(&format!("idle on {} MiB: {name}", bytes >> 20));
    }
    Ok(())
}

/// Measures a server that carries messages to one subscriber, while another
/// reads nothing of them or does not exist.
fn loaded(
    run: &Run,
    subject: &Subject,
    group: &str,
    bytes: u64,
    stuck: bool,
    results: &mut Results,
) -> anyhow::Result<()> {
    let dir = run.scratch()?;
    let server = subject.start(dir.path())?;
    let context = zmq::Context::new();
    let socket = context.socket(SocketType::SUB)?;
    socket.set_rcvhwm(1)?;
    socket.set_linger(0)?;
    if stuck && let Some(ports) = server.zeromq {
        socket.set_subscribe(b"")?;
        socket.connect(&format!("tcp://127.0.0.1:{}", ports.subscribe))?;
    }
    let load = Load {
        publishers: 1,
        subscribers: 1,
        size: SIZE,
        messages: bytes / SIZE as u64,
        window: (32 << 20) / SIZE as u64,
    };
    load::run(server.medium.as_ref(), &load)?;
    add(results, group, bytes, subject.name(), server.process.id());
    Ok(())
}

fn add(results: &mut Results, group: &str, bytes: u64, subject: &str, process: u32) {
    let Some(memory) = memory(process) else {
        return;
    };
    results.add(group, bytes >> 20, subject, NOW, memory.now as f64 / 1e6);
    results.add(group, bytes >> 20, subject, PEAK, memory.peak as f64 / 1e6);
}

//! How many messages a second, as many as will go?

use crate::args::{Common, Shape, Throughput};
use crate::disk;
use crate::load::{self, Load};
use crate::platform;
use crate::results::{Column, Results};
use crate::run::{Run, progress};
use crate::subject::{DISK, Subject};

/// The measure of messages a second.
pub(crate) const RATE: &str = "messages_per_second";
const CPU: &str = "cpu_us_per_message";

/// Runs the case.
pub(crate) fn run(common: &Common, options: &Throughput) -> anyhow::Result<()> {
    let run = Run::new(common)?;
    let columns = vec![
        Column::new(RATE, "messages/s", 0).beside(run.beside()),
        Column::new(CPU, "CPU µs/message", 2),
    ];
    let case = match common.with_keys {
        true => "curve".to_owned(),
        false => run.case("throughput"),
    };
    let mut results = Results::new(&case, "bytes", columns);
    for &shape in &options.shapes {
        for &size in &options.sizes {
            let load = load(common, options, shape, size);
            for round in 0..run.rounds {
                measure(&run, round, &load, &mut results)?;
            }
        }
    }
    run.finish(&results)
}

fn load(common: &Common, options: &Throughput, shape: Shape, size: usize) -> Load {
    let Shape {
        publishers,
        subscribers,
    } = shape;
    let share = |bytes: u64, parts: usize| (bytes / (parts * size) as u64).max(1);
    Load {
        publishers,
        subscribers,
        size,
        messages: share(
            common.scaled(options.volume << 20),
            publishers * subscribers,
        ),
        window: share(options.window << 20, publishers),
    }
}

fn measure(run: &Run, round: usize, load: &Load, results: &mut Results) -> anyhow::Result<()> {
    let group = format!("{}x{}", load.publishers, load.subscribers);
    let size = load.size as u64;
    let messages = load.messages * load.publishers as u64;
    for subject in run.turns_with_disk(round) {
        let (rate, cpu) = match subject {
            Some(subject) => carry(run, subject, load)?,
            None => {
                let dir = run.scratch()?;
                let time = disk::throughput(dir.path(), messages * size)?;
                (messages as f64 / time.as_secs_f64(), None)
            }
        };
        let name = subject.map_or(DISK, Subject::name);
        let round = round + 1;
        progress(&format!(
            "{group} {size} B, round {round}: {name} {rate:.0}/s"
        ));
        results.add(&group, size, name, RATE, rate);
        if let Some(cpu) = cpu {
            results.add(&group, size, name, CPU, cpu);
        }
    }
    Ok(())
}

/// Returns messages a second, and the server's processor time for one in
/// microseconds.
fn carry(run: &Run, subject: &Subject, load: &Load) -> anyhow::Result<(f64, Option<f64>)> {
    let dir = run.scratch()?;
    let server = subject.start(dir.path())?;
    let load = &Load {
        messages: load.messages.div_ceil(subject.share()),
        ..*load
    };
    let messages = (load.messages * load.publishers as u64) as f64;
    let before = platform::cpu_time(server.process.id());
    let time = load::run(server.medium.as_ref(), load)?;
    let after = platform::cpu_time(server.process.id());
    let cpu = before
        .zip(after)
        .map(|(before, after)| after.saturating_sub(before).as_secs_f64() * 1e6 / messages);
    Ok((messages / time.as_secs_f64(), cpu))
}

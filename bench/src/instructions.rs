//! How many instructions does a message take? Counted by valgrind, so that the
//! figure hardly changes from run to run and machine to machine, and two
//! commits can be compared.
//!
//! What a program does before and after its messages is counted as well. So
//! each is run twice, with few and with many, and the difference is shared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::args::{Commit, Common, Instructions};
use crate::load::{self, Load};
use crate::platform;
use crate::recorded;
use crate::results::{Column, Results};
use crate::run::{Run, progress};
use crate::subject::{Subject, broker, start_broker};

/// The hidden command that encodes and commits messages.
pub(crate) const COMMIT: &str = "commit";
/// How many bytes are counted at most: it takes fifty times as long as without.
const VOLUME: u64 = 64 << 20;
const COUNT: &str = "instructions";

/// Runs the case.
pub(crate) fn run(common: &Common, options: &Instructions) -> anyhow::Result<()> {
    let found = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    ensure!(
        found.is_ok_and(|status| status.success()),
        "valgrind is not installed"
    );
    let run = Run::new(common)?;
    let column = Column::new(COUNT, "instructions/message", 0);
    let mut results = Results::new("instructions", "bytes", vec![column]);
    for &size in &options.sizes {
        let messages = options.messages.min((VOLUME / size as u64).max(1));
        let few = messages.div_ceil(10);
        let mut add = |name: &str, count: &dyn Fn(u64) -> anyhow::Result<u64>| {
            let difference = count(few + messages)?.saturating_sub(count(few)?);
            let each = difference as f64 / messages as f64;
            progress(&format!("{size} B, {name}: {each:.0}"));
            results.add("", size as u64, name, COUNT, each);
            anyhow::Ok(())
        };
        add("encode + commit", &|count| count_commit(&run, size, count))?;
        for (name, program, more) in run.subjects.iter().filter_map(Subject::as_broker) {
            add(name, &|count| {
                count_broker(&run, program, more, size, count)
            })?;
        }
    }
    run.finish(&results)
}

/// Is the program that encodes and commits messages.
pub(crate) fn commit(options: &Commit) -> anyhow::Result<()> {
    recorded::write(&options.logs, options.size, |_, messages| {
        messages < options.messages
    })?;
    Ok(())
}

fn count_commit(run: &Run, size: usize, messages: u64) -> anyhow::Result<u64> {
    let dir = run.scratch()?;
    let (mut valgrind, log) = valgrind(run, dir.path(), "commit");
    valgrind.arg(std::env::current_exe().context("cannot find this program")?);
    valgrind
        .arg(COMMIT)
        .args([size.to_string(), messages.to_string()])
        .arg(dir.path().join("logs"));
    let status = valgrind.status().context("cannot start valgrind")?;
    ensure!(status.success(), "the program failed: {status}");
    collected(&log)
}

/// Carries messages through a broker from one publisher to one subscriber.
fn count_broker(
    run: &Run,
    program: &Path,
    options: &[String],
    size: usize,
    messages: u64,
) -> anyhow::Result<u64> {
    let dir = run.scratch()?;
    let (mut valgrind, log) = valgrind(run, dir.path(), "broker");
    let plain = broker(program, dir.path());
    valgrind.arg(program).args(plain.get_args()).args(options);
    let (mut process, medium) = start_broker(valgrind)?;
    let load = Load {
        publishers: 1,
        subscribers: 1,
        size,
        messages,
        window: (4 << 20) / size as u64,
    };
    load::run(&medium, &load)?;
    ensure!(platform::terminate(process.id()), "cannot end the broker");
    process.wait()?;
    collected(&log)
}

/// Returns the beginning of a command line, and where the count will be. The
/// profile stays for a look at it with `callgrind_annotate`.
fn valgrind(run: &Run, dir: &Path, name: &str) -> (Command, PathBuf) {
    let log = dir.join("valgrind.log");
    let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(option("log-file", &log));
    let profile = run.out().join(format!("callgrind.{name}"));
    command.arg(option("callgrind-out-file", &profile));
    (command, log)
}

/// Reads the count from what valgrind says at the end.
fn collected(log: &Path) -> anyhow::Result<u64> {
    let text = fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    let count = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    match count.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) => Ok(count),
        None => bail!("no count from valgrind:\n{text}"),
    }
}

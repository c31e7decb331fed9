//! Measures the broker beside a proxy that records nothing, and the disk alone.

mod agents;
mod args;
mod cases;
mod curve;
mod disk;
mod flow;
mod instructions;
mod load;
mod payload;
mod peers;
mod pictures;
mod platform;
mod plot;
mod process;
mod proxy;
mod recorded;
mod report;
mod results;
mod run;
mod stats;
mod subject;
mod zeromq;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Parser;

use crate::args::{Cli, Command, Common};
use crate::results::Results;

/// All files of results, in the order in which they are shown.
const CASES: [&str; 11] = [
    "throughput",
    "closed-loop",
    "open-loop",
    "replay",
    "start-up",
    "memory",
    "instructions",
    "curve",
    "peers-throughput",
    "peers-closed-loop",
    "peers-open-loop",
];

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Who read the results had enough of them.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            run::progress(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

fn run(Cli { command, common }: Cli) -> anyhow::Result<()> {
    match command {
        None => everything(&common),
        Some(Command::Throughput(options)) => cases::throughput::run(&common, &options),
        Some(Command::ClosedLoop(options)) => cases::closed_loop::run(&common, &options),
        Some(Command::OpenLoop(options)) => cases::open_loop::run(&common, &options),
        Some(Command::Replay(options)) => cases::replay::run(&common, &options),
        Some(Command::StartUp(options)) => cases::start_up::run(&common, &options),
        Some(Command::Memory(options)) => cases::memory::run(&common, &options),
        Some(Command::Curve(options)) => curve(common, options),
        Some(Command::Peers) => peers(common),
        Some(Command::Instructions(options)) => instructions::run(&common, &options),
        Some(Command::Report(options)) => report(&common, &options),
        Some(Command::Plot(options)) => plot(&common, &options),
        Some(Command::Proxy) => proxy::run(),
        Some(Command::Commit(options)) => instructions::commit(&options),
    }
}

/// Runs all cases as they are without options of their own.
fn everything(common: &Common) -> anyhow::Result<()> {
    cases::throughput::run(common, &defaults())?;
    cases::closed_loop::run(common, &defaults())?;
    cases::open_loop::run(common, &defaults())?;
    cases::replay::run(common, &defaults())?;
    cases::start_up::run(common, &defaults())?;
    cases::memory::run(common, &defaults())
}

/// Runs throughput with keys, and with a proxy that has some, too.
fn curve(mut common: Common, options: args::Curve) -> anyhow::Result<()> {
    common.with_keys = true;
    cases::throughput::run(&common, &options.throughput())
}

/// Runs the cases that other servers can take part in.
fn peers(mut common: Common) -> anyhow::Result<()> {
    common.with_peers = true;
    cases::throughput::run(&common, &defaults())?;
    cases::closed_loop::run(&common, &defaults())?;
    cases::open_loop::run(&common, &defaults())
}

fn report(common: &Common, options: &args::Report) -> anyhow::Result<()> {
    let all = results::load(&common.out(), &CASES)?;
    ensure!(!all.is_empty(), "no results in {}", common.out().display());
    if let Some(page) = &options.into {
        return report::embed(page, &all);
    }
    let mut out = std::io::stdout();
    for results in &all {
        writeln!(out, "## {}\n\n{}", results.case, report::section(results))?;
    }
    Ok(())
}

fn plot(common: &Common, options: &args::Plot) -> anyhow::Result<()> {
    let newest = |cases: &[&str]| -> anyhow::Result<Results> {
        let found = results::load(&common.out(), cases)?.into_iter().next();
        found.with_context(|| format!("no results of {}", cases.join(" or ")))
    };
    // Where others were measured as well, the picture shows them.
    let throughput = pictures::throughput(&newest(&["peers-throughput", "throughput"])?);
    pictures::write(&options.to.join("performance-throughput.svg"), &throughput)?;
    let latency = pictures::latency(&newest(&["peers-open-loop", "open-loop"])?);
    pictures::write(&options.to.join("performance-latency.svg"), &latency)
}

fn defaults<T: Parser>() -> T {
    T::parse_from(["bench"])
}

//! Measures the broker beside a proxy that records nothing, and the disk alone.

mod agents;
mod args;
mod cases;
mod disk;
mod flow;
mod load;
mod payload;
mod platform;
mod process;
mod proxy;
mod recorded;
mod results;
mod run;
mod stats;
mod subject;
mod zeromq;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, Common};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::progress(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
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
        Some(Command::Proxy) => proxy::run(),
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

fn defaults<T: Parser>() -> T {
    T::parse_from(["bench"])
}

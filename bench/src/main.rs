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
mod results;
mod run;
mod stats;
mod subject;
mod zeromq;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Throughput(options) => cases::throughput::run(&options),
        Command::ClosedLoop(options) => cases::closed_loop::run(&options),
        Command::Proxy => proxy::run(),
    }
}

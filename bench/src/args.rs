//! What the user can say on the command line.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Args, Parser, Subcommand};

use crate::subject::workspace;

/// Measures the broker beside `zmq_proxy`, which records nothing, and beside
/// the disk alone, in the same run.
#[derive(Debug, Parser)]
#[command(after_help = "Results are also written as JSON, one file a case.")]
pub(crate) struct Cli {
    /// What to measure; everything if absent
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Messages a second, as many as will go
    Throughput(Throughput),
    /// The time from sending to receiving, one message at a time
    ClosedLoop(ClosedLoop),
    /// The time from when a message is due to its receiving, at a steady load
    OpenLoop(OpenLoop),
    /// How fast a late subscriber gets the history
    Replay(Replay),
    /// The time until the broker is ready, on journals of some sizes
    StartUp(StartUp),
    /// Memory on journals of some sizes, under load, and with a stuck subscriber
    Memory(Memory),
    /// Messages a second with keys, beside a proxy of libzmq's with keys
    Curve(Curve),
    /// Throughput and latency beside other servers, as far as they are installed
    Peers,
    /// Instructions a message takes, counted by valgrind
    Instructions(Instructions),
    /// Prints the tables of all results in --out
    Report(Report),
    /// Draws throughput and latency from the results in --out
    Plot(Plot),
    /// The proxy of the comparison
    #[command(hide = true, name = crate::proxy::COMMAND)]
    Proxy,
    /// What is counted
    #[command(hide = true, name = crate::instructions::COMMIT)]
    Commit(Commit),
}

/// Options of all cases.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// How often each measurement is made, medians are shown [default: 5, quick 2]
    #[arg(long, global = true, value_name = "N")]
    rounds: Option<usize>,

    /// Takes an eighth of the time, for a first look
    #[arg(long, global = true)]
    quick: bool,

    /// A broker to measure, or NAME=PATH; several are compared; built from this tree if absent
    #[arg(long = "broker", global = true, value_name = "PATH", value_parser = parse_broker)]
    pub(crate) brokers: Vec<(String, PathBuf)>,

    /// An option for all brokers, such as --broker-option=--history=0
    #[arg(
        long = "broker-option",
        global = true,
        value_name = "OPTION",
        allow_hyphen_values = true
    )]
    pub(crate) broker_options: Vec<String>,

    /// Where journals are written while measuring: on the disk that is meant [default: --out]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) dir: Option<PathBuf>,

    /// Where the JSON goes [default: target/bench]
    #[arg(long, global = true, value_name = "PATH")]
    out: Option<PathBuf>,

    /// Measures other servers as well
    #[arg(skip)]
    pub(crate) with_peers: bool,

    /// Measures with keys
    #[arg(skip)]
    pub(crate) with_keys: bool,
}

impl Common {
    /// Returns how often each measurement is made.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 })
    }

    /// Returns where the JSON goes.
    pub(crate) fn out(&self) -> PathBuf {
        let out = self.out.clone();
        out.unwrap_or_else(|| workspace().join("target/bench"))
    }

    /// Returns the part of everything that is to be done.
    pub(crate) fn scale(&self) -> f64 {
        if self.quick { 0.125 } else { 1.0 }
    }

    /// Returns a number of bytes or messages as it is to be used.
    pub(crate) fn scaled(&self, amount: u64) -> u64 {
        if self.quick { amount / 8 } else { amount }
    }
}

#[derive(Debug, Parser)]
pub(crate) struct Throughput {
    /// Sizes of a payload in bytes
    #[arg(
        long,
        value_name = "BYTES",
        value_delimiter = ',',
        default_value = "256,1024,16384"
    )]
    pub(crate) sizes: Vec<usize>,

    /// Numbers of publishers and subscribers
    #[arg(
        long,
        value_name = "PxS",
        value_delimiter = ',',
        default_value = "1x1,4x4,1x16",
        value_parser = parse_shape
    )]
    pub(crate) shapes: Vec<Shape>,

    /// Payload bytes that all subscribers together receive in a round, in MiB
    #[arg(long, value_name = "MIB", default_value = "512")]
    pub(crate) volume: u64,

    /// Payload bytes that may be on their way at a time, in MiB
    #[arg(long, value_name = "MIB", default_value = "32")]
    pub(crate) window: u64,
}

#[derive(Debug, Parser)]
pub(crate) struct Curve {
    /// Sizes of a payload in bytes
    #[arg(
        long,
        value_name = "BYTES",
        value_delimiter = ',',
        default_value = "256,1024,16384"
    )]
    sizes: Vec<usize>,

    /// Numbers of publishers and subscribers
    #[arg(
        long,
        value_name = "PxS",
        value_delimiter = ',',
        default_value = "1x1,1x4,1x16",
        value_parser = parse_shape
    )]
    shapes: Vec<Shape>,

    /// Payload bytes that all subscribers together receive in a round, in MiB
    #[arg(long, value_name = "MIB", default_value = "128")]
    volume: u64,
}

impl Curve {
    /// Returns it as a case of throughput.
    pub(crate) fn throughput(self) -> Throughput {
        Throughput {
            sizes: self.sizes,
            shapes: self.shapes,
            volume: self.volume,
            window: 8,
        }
    }
}

#[derive(Debug, Parser)]
pub(crate) struct ClosedLoop {
    /// The size of a payload in bytes
    #[arg(long, value_name = "BYTES", default_value = "1024")]
    pub(crate) size: usize,

    /// How many messages a round takes
    #[arg(long, value_name = "N", default_value = "4000")]
    pub(crate) messages: u64,

    /// How many bytes the disk alone appends at a time
    #[arg(long, value_name = "BYTES", default_value = "500")]
    pub(crate) append: usize,
}

#[derive(Debug, Parser)]
pub(crate) struct OpenLoop {
    /// The size of a payload in bytes
    #[arg(long, value_name = "BYTES", default_value = "1024")]
    pub(crate) size: usize,

    /// Messages a second
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        default_value = "1000,5000,20000",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    pub(crate) rates: Vec<u64>,

    /// How long a load lasts
    #[arg(long, value_name = "S", default_value = "4")]
    pub(crate) seconds: f64,
}

#[derive(Debug, Parser)]
pub(crate) struct Replay {
    /// Sizes of a payload in bytes
    #[arg(
        long,
        value_name = "BYTES",
        value_delimiter = ',',
        default_value = "1024,16384"
    )]
    pub(crate) sizes: Vec<usize>,

    /// How much is replayed from memory, in MiB
    #[arg(long, value_name = "MIB", default_value = "128")]
    pub(crate) memory: u64,

    /// How much is replayed from disk cache, in MiB
    #[arg(long, value_name = "MIB", default_value = "512")]
    pub(crate) disk: u64,
}

#[derive(Debug, Parser)]
pub(crate) struct StartUp {
    /// Sizes of the journal in MiB
    #[arg(
        long,
        value_name = "MIB",
        value_delimiter = ',',
        default_value = "10,100,1024"
    )]
    pub(crate) sizes: Vec<u64>,
}

#[derive(Debug, Parser)]
pub(crate) struct Memory {
    /// Sizes of the journal in MiB
    #[arg(
        long,
        value_name = "MIB",
        value_delimiter = ',',
        default_value = "0,100,1024"
    )]
    pub(crate) sizes: Vec<u64>,

    /// How much is carried under load, in MiB
    #[arg(long, value_name = "MIB", default_value = "512")]
    pub(crate) volume: u64,
}

#[derive(Debug, Parser)]
pub(crate) struct Instructions {
    /// Sizes of a payload in bytes
    #[arg(
        long,
        value_name = "BYTES",
        value_delimiter = ',',
        default_value = "256,1024,16384"
    )]
    pub(crate) sizes: Vec<usize>,

    /// How many messages are counted
    #[arg(long, value_name = "N", default_value = "20000")]
    pub(crate) messages: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Commit {
    pub(crate) size: usize,
    pub(crate) messages: u64,
    pub(crate) logs: PathBuf,
}

#[derive(Debug, Parser)]
pub(crate) struct Report {
    /// A page with markers to put the tables into, such as docs/performance.md
    #[arg(long, value_name = "PATH")]
    pub(crate) into: Option<PathBuf>,
}

#[derive(Debug, Parser)]
pub(crate) struct Plot {
    /// Where performance-throughput.svg and performance-latency.svg go
    #[arg(long, value_name = "PATH", default_value = "docs")]
    pub(crate) to: PathBuf,
}

/// How many publishers and how many subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) publishers: usize,
    pub(crate) subscribers: usize,
}

fn parse_shape(text: &str) -> anyhow::Result<Shape> {
    let (publishers, subscribers) = text.split_once('x').context("expected such as 4x4")?;
    let (publishers, subscribers) = (publishers.parse()?, subscribers.parse()?);
    ensure!(
        (1..=99).contains(&publishers) && subscribers > 0,
        "expected such as 4x4"
    );
    Ok(Shape {
        publishers,
        subscribers,
    })
}

fn parse_broker(text: &str) -> anyhow::Result<(String, PathBuf)> {
    let (name, path) = text.split_once('=').unwrap_or(("", text));
    ensure!(!path.is_empty(), "expected a path, or NAME=PATH");
    Ok((name.to_owned(), path.into()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn shapes_are_two_numbers() {
        let shape = parse_shape("4x16").unwrap();
        assert_eq!((shape.publishers, shape.subscribers), (4, 16));
        for wrong in ["", "4", "x", "0x1", "1x0", "100x1", "axb"] {
            parse_shape(wrong).unwrap_err();
        }
    }
}

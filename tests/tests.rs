//! End-to-end tests: the broker and the viewer as processes, stock pyzmq as their clients.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a failing test is to stop and to say why; clippy sees only #[test] functions as tests"
)]

mod archive;
#[cfg(target_os = "linux")]
mod arrived;
mod backup;
mod bind;
mod bridge;
mod control;
#[cfg(target_os = "linux")]
mod crash;
mod curve;
#[cfg(target_os = "linux")]
mod disk;
mod errors;
mod examples;
#[cfg(target_os = "linux")]
mod exhaustion;
mod foreign;
#[cfg(target_os = "linux")]
mod hostile;
mod indexes;
#[cfg(unix)]
mod ipc;
mod legacy;
mod live;
#[cfg(unix)]
mod log;
mod many_subscribers;
mod metrics;
#[cfg(target_os = "linux")]
mod notify;
mod numbers;
mod package;
mod page;
mod peers;
mod reaching_back;
mod readers;
mod readme;
mod record;
mod recovery;
mod reload;
mod replay;
mod rotation;
mod shutdown;
mod slow_subscriber;
mod subcommands;
mod surroundings;
mod topics;
mod upkeep;
mod util;
mod viewer;
mod year;

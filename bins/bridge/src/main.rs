//! The bridge: options, what is printed, signals, exit codes.

mod args;
mod exit;
mod look;
mod metrics;
mod run;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::exit::Exit;

fn main() -> ExitCode {
    let args = Args::parse();
    env_logger::Builder::new()
        .filter_level(args.log_level)
        // Its connections come and go with the servers; what matters is said in our words.
        .filter_module("async_nats", log::LevelFilter::Error)
        .init();
    let result = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(work(&args)));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Where stderr is closed, the exit code has to do.
            let _told = writeln!(std::io::stderr(), "bridge: {error:#}");
            Exit::Failed.into()
        }
    }
}

async fn work(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        None => run::run(args).await,
        Some(command) => look::run(args, command).await,
    }
}

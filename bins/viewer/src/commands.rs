//! What the program can be asked to do.

mod archives;
mod messages;
mod salvage;
mod stats;
mod verify;

use query::{Error, Source};

use crate::args::{Args, Command};
use crate::exit::Exit;

/// Does what the command line asks for.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Some(Command::Verify(options)) => verify::run(&args.dir, options),
        Some(Command::Salvage(options)) => salvage::run(&args.dir, options),
        None => show(args).map(|()| Exit::Done),
    }
}

fn show(args: &Args) -> anyhow::Result<()> {
    if args.list_archives {
        archives::run(args)
    } else if args.stats {
        stats::run(args)
    } else {
        messages::run(args)
    }
}

/// Opens the session that is asked for.
fn source(args: &Args) -> Result<Source, Error> {
    match &args.archive {
        Some(name) => Source::archive(&args.dir, name),
        None => Source::current(&args.dir),
    }
}

/// How much of a message is shown.
fn limits(args: &Args) -> query::Limits {
    if args.full {
        query::Limits::NONE
    } else {
        query::Limits::screen("--full shows all")
    }
}

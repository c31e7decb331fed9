//! What the program can be asked to do.

mod archives;
mod completions;
mod count;
mod index;
mod man;
mod messages;
mod salvage;
mod stats;
mod verify;

use std::path::Path;

use query::{Error, Source};

use crate::args::{Args, Command};
use crate::exit::Exit;

/// Does what the command line asks for.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Some(Command::Verify(options)) => verify::run(&args.dir, options),
        Some(Command::Salvage(options)) => salvage::run(&args.dir, options),
        Some(Command::Index(options)) => index::run(&args.dir, options),
        Some(Command::Completions(options)) => completions::run(options).map(|()| Exit::Done),
        Some(Command::Man) => man::run().map(|()| Exit::Done),
        None => show(args).map(|()| Exit::Done),
    }
}

fn show(args: &Args) -> anyhow::Result<()> {
    if args.list_archives {
        archives::run(args)
    } else if args.stats {
        stats::run(args)
    } else if args.count {
        count::run(args)
    } else if args.follow {
        messages::follow(args)
    } else {
        messages::run(args)
    }
}

/// Opens what is asked for.
fn source(args: &Args) -> Result<Source, Error> {
    let source = open(args)?;
    Ok(if args.no_index {
        source.without_index()
    } else {
        source
    })
}

fn open(args: &Args) -> Result<Source, Error> {
    let stdin = Path::new("-");
    if args.all {
        Source::all(&args.dir)
    } else if args.stdin.is_some() || args.file.as_deref() == Some(stdin) {
        Source::stdin()
    } else if let Some(path) = &args.file {
        Source::file(path)
    } else if args.archive.is_empty() {
        Source::current(&args.dir)
    } else {
        Source::archives(&args.dir, &args.archive)
    }
}

/// How much of a message is shown.
pub(crate) fn limits(args: &Args) -> query::Limits {
    if args.full {
        query::Limits::NONE
    } else {
        query::Limits::screen("--full shows all")
    }
}

/// The time zone in which times are shown.
pub(crate) fn zone(args: &Args) -> query::Zone {
    if args.output.utc {
        query::Zone::utc()
    } else {
        query::Zone::local()
    }
}

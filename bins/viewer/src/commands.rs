//! What the program can be asked to do.

mod archives;
mod completions;
mod count;
mod empty;
mod index;
mod list;
mod man;
mod messages;
mod salvage;
#[cfg(feature = "serve")]
mod serve;
mod stats;
mod verify;

use query::{Error, Source};

use crate::args::{Args, Command};
use crate::exit::Exit;
use crate::output;

/// Does what the command line asks for.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Some(Command::Verify(options)) => verify::run(&args.dir, options),
        Some(Command::Salvage(options)) => salvage::run(&args.dir, options),
        Some(Command::Index(options)) => index::run(&args.dir, options),
        Some(Command::List(options)) => list::run(args, options).map(|()| Exit::Done),
        Some(Command::Completions(options)) => completions::run(options).map(|()| Exit::Done),
        #[cfg(feature = "serve")]
        Some(Command::Serve(options)) => serve::run(args, options),
        Some(Command::Man) => man::run().map(|()| Exit::Done),
        None => show(args),
    }
}

fn show(args: &Args) -> anyhow::Result<Exit> {
    if args.list_archives {
        archives::run(args).map(|()| Exit::Done)
    } else if args.stats {
        stats::run(args)
    } else if args.count {
        count::run(args)
    } else if args.follow {
        messages::follow(args).map(|()| Exit::Done)
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
    let files = args.all_files();
    match &files[..] {
        [_, ..] => Source::files(&files),
        [] if !args.archive.is_empty() => Source::archives(&args.dir, &args.archive),
        [] if args.current => Source::current(&args.dir),
        [] if looks_everywhere(args) => Source::all(&args.dir),
        [] => {
            let source = Source::current_or_newest(&args.dir)?;
            if let Some(name) = source.instead() {
                output::print_note(&format!(
                    "the current session is empty; this is the newest closed one, {name}"
                ));
            }
            Ok(source)
        }
    }
}

/// Tells whether what is asked for may be in any session.
pub(crate) fn looks_everywhere(args: &Args) -> bool {
    args.all || args.thread.is_some() || args.filters.look_everywhere()
}

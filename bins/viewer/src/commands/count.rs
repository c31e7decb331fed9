//! `--count`: how many messages match.

use std::io::Write;

use anyhow::Context;
use query::Findings;

use crate::args::Args;
use crate::commands::empty;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::{commands, output};

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let filter = args.filters.compile()?;
    let source = commands::source(args)?;
    let mut findings = Findings::default();
    let progress = Progress::of_long_work(&source, false);
    let count = query::matching(&source, &filter, &mut findings)?;
    drop(progress);
    let mut out = output::results();
    writeln!(out, "{count}")
        .and_then(|()| out.flush())
        .context("cannot write the output")?;
    output::print_findings(&findings);
    output::print_unused_indexes(&source);
    match count {
        0 => empty::explain(args, &source, Exit::Done),
        _ => Ok(Exit::Done),
    }
}

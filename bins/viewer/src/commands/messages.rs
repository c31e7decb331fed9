//! The newest messages that match.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Context;
use query::{Findings, Follow, TextFormat};

use crate::args::Args;
use crate::{commands, output};

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let filter = args.filters.compile()?;
    let source = commands::source(args)?;
    let mut findings = Findings::default();
    let mut out = output::results();
    let path = source.path().to_owned();
    let limits = commands::limits(args);
    let mut format = TextFormat::new(&mut out, &path, limits, !filter.is_empty());
    match &args.thread {
        Some(id) => query::show_thread(&source, id, &filter, &mut findings, &mut format)?,
        None => query::show(&source, &filter, args.order(), &mut findings, &mut format)?,
    }
    out.flush().context("cannot write the output")?;
    output::print_findings(&findings);
    Ok(())
}

/// `--follow`: the newest ones, and then each new one.
pub(crate) fn follow(args: &Args) -> anyhow::Result<()> {
    let filter = args.filters.compile()?;
    let path = query::current_session(&args.dir);
    let limits = commands::limits(args);
    let mut format = TextFormat::new(output::results(), &path, limits, !filter.is_empty());
    let what = Follow {
        dir: &args.dir,
        all: args.all,
        filter: &filter,
        limit: args.order().limit,
    };
    query::follow(what, &mut format, &mut |findings| {
        output::print_findings(&findings);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

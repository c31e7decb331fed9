//! `--stats`: counts of the messages that match.

use std::io::Write;

use anyhow::Context;
use query::{Findings, Statistics};

use crate::args::Args;
use crate::{commands, output};

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let filter = args.filters.compile()?;
    let source = commands::source(args)?;
    let mut findings = Findings::default();
    let statistics: Statistics = query::count(&source, &filter, &mut findings)?;
    let mut out = output::results();
    query::write_statistics(&statistics, &commands::limits(args), &mut out)?;
    out.flush().context("cannot write the output")?;
    output::print_findings(&findings);
    Ok(())
}

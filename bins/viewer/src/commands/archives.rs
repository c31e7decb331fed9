//! `--list-archives`: the closed sessions.

use std::io::Write;

use anyhow::Context;

use crate::args::Args;
use crate::output;

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let archives = query::list_archives(&args.dir)?;
    let mut out = output::results();
    query::write_archives(&args.dir, &archives, &mut out)?;
    query::write_unread(&query::list_unread(&args.dir)?, &mut out)?;
    out.flush().context("cannot write the output")
}

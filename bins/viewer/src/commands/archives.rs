//! `--list-archives`: the closed sessions.

use std::io::Write;

use anyhow::Context;

use crate::args::Args;
use crate::{commands, output};

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let archives = query::list_archives(&args.dir)?;
    let zone = commands::zone(args);
    let holdings: Vec<_> = archives
        .iter()
        .map(|archive| query::holdings(&args.dir, &archive.name, &zone))
        .collect();
    let mut out = output::results();
    render::write_archives(&args.dir, &archives, &holdings, &mut out)?;
    render::write_unread(&query::list_unread(&args.dir)?, &mut out)?;
    out.flush().context("cannot write the output")
}

//! `--list-archives`: the closed sessions.

use std::io::{IsTerminal as _, Write};

use anyhow::Context;

use crate::args::Args;
use crate::{output, screen, shown};

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let archives = query::list_archives(&args.dir)?;
    let zone = shown::zone(args);
    let holdings: Vec<_> = archives
        .iter()
        .map(|archive| query::holdings(&args.dir, &archive.name, &zone))
        .collect();
    let mut out = output::results();
    let columns = screen::columns(args, std::io::stdout().is_terminal());
    render::write_archives(&args.dir, &archives, &holdings, columns, &mut out)?;
    render::write_unread(&query::list_unread(&args.dir)?, &mut out)?;
    out.flush().context("cannot write the output")
}

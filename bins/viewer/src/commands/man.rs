//! `man`: the manual page.

use std::io::Write;

use anyhow::Context;
use clap::CommandFactory;

use crate::args::{Args, EXAMPLES};
use crate::{output, program};

pub(crate) fn run() -> anyhow::Result<()> {
    let name = program::name();
    let examples = EXAMPLES.replace("\n  viewer", &format!("\n  {name}"));
    // The page has no place for what stands in front of the options.
    let command = Args::command()
        .name(name)
        .before_help(None)
        .after_help(examples);
    let page = clap_mangen::Man::new(command);
    let mut out = output::results();
    page.render(&mut out)
        .and_then(|()| out.flush())
        .context("cannot write the output")
}

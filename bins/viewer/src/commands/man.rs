//! `man`: the manual page.

use std::io::Write;

use anyhow::Context;
use clap::CommandFactory;

use crate::args::{Args, EXAMPLES};
use crate::output;

pub(crate) fn run() -> anyhow::Result<()> {
    // The page has no place for what stands in front of the options.
    let command = Args::command().before_help(None).after_help(EXAMPLES);
    let page = clap_mangen::Man::new(command);
    let mut out = output::results();
    page.render(&mut out)
        .and_then(|()| out.flush())
        .context("cannot write the output")
}

//! `completions`: what a shell needs to complete command lines.

use std::io::Write;

use anyhow::Context;
use clap::CommandFactory;

use crate::args::{Args, Completions};
use crate::output;

pub(crate) fn run(options: &Completions) -> anyhow::Result<()> {
    // Generating panics where it can't write, as into a pipe that was closed.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Args::command(), "viewer", &mut script);
    let mut out = output::results();
    out.write_all(&script)
        .and_then(|()| out.flush())
        .context("cannot write the output")
}

//! `man` and `completions`: what a system needs to explain and to complete command lines.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Args;
use crate::program;

/// Writes the manual page, or a folder of pages with one for each command, too.
pub(crate) fn pages(folder: Option<&Path>, out: &mut impl Write) -> anyhow::Result<()> {
    let Some(folder) = folder else {
        let page = clap_mangen::Man::new(definition());
        return page.render(out).context("cannot write the output");
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(definition(), folder))
        .with_context(|| format!("cannot write to {}", folder.display()))
}

/// Writes what a shell needs.
pub(crate) fn completions(shell: Shell, out: &mut impl Write) -> anyhow::Result<()> {
    // Generating panics where it can't write, as into a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), program::name(), &mut script);
    out.write_all(&script).context("cannot write the output")
}

/// The definition of all options. The command that explains the others explains
/// itself: it has no page.
fn definition() -> clap::Command {
    Args::command()
        .name(program::name())
        .disable_help_subcommand(true)
}

//! `broker restore`: a journal made of a copy.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use render::size;

use super::place::Folder;
use super::{check_copy, check_places, copy_journal};
use crate::exit::Exit;
use crate::line::line;

/// `broker restore`
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The copy that `broker backup` has made
    #[arg(value_name = "SRC")]
    pub(super) from: PathBuf,

    /// The directory of the new journal; nothing may be there yet
    #[arg(long, value_name = "NEW")]
    pub(super) dir: PathBuf,
}

impl Restore {
    pub(crate) fn run(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        check_places(&self.from, &self.dir)?;
        let is_empty = match std::fs::read_dir(&self.dir) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot list {}", self.dir.display()));
            }
        };
        ensure!(
            is_empty,
            "there is something in {}: restore to a directory that is new, so that nothing is \
             overwritten",
            self.dir.display()
        );
        // What is in it is checked behind the copying.
        let found = query::Source::all(&self.from);
        found.with_context(|| format!("{} is no copy of a journal", self.from.display()))?;
        let copied = copy_journal(&self.from, &mut Folder::open(&self.dir)?)?;
        journal::mark_restored(&self.dir).context("cannot note that the journal was restored")?;
        line(
            out,
            &format!(
                "[*] Restored {} sessions, {}, to {}",
                copied.sessions,
                size(copied.bytes),
                self.dir.display()
            ),
        )?;
        let exit = check_copy(&self.dir, out)?;
        line(
            out,
            &format!("[*] Start the broker with --dir {}", self.dir.display()),
        )?;
        Ok(exit)
    }
}

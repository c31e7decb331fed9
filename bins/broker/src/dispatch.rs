//! Runs the commands.

use std::io::Write;
use std::time::Duration;

use crate::command::Command;
use crate::exit::Exit;
use crate::target::PATIENCE;
use crate::{archive, doctor, keygen, manual, selftest, status};

/// An archive is made behind the group that is being recorded.
const ARCHIVE: Duration = Duration::from_secs(30);

impl Command {
    /// Does it, and tells how it ended.
    pub(crate) fn run(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        match self {
            Self::Status { target, json } => {
                let mut client = target.connect(PATIENCE)?;
                status::run(&mut client, *json, out)
            }
            Self::Archive { target, label } => {
                let mut client = target.connect(PATIENCE)?;
                client.set_timeout(ARCHIVE);
                archive::run(&mut client, label.as_deref(), out)
            }
            Self::Doctor(options) => doctor::run(options, out),
            Self::Compress(options) => options.run(out),
            Self::Prune(options) => options.run(out),
            Self::Backup(options) => options.run(out),
            Self::Restore(options) => options.run(out),
            Self::Config(command) => command.run(out),
            #[cfg(windows)]
            Self::Service(command) => command.run(out),
            Self::Keygen(options) => keygen::run(options, out),
            Self::Selftest(options) => selftest::run(options, out),
            Self::Completions { shell } => manual::completions(*shell, out).map(|()| Exit::Done),
            Self::Man { out: folder } => manual::pages(folder.as_deref(), out).map(|()| Exit::Done),
        }
    }
}

//! `broker doctor`: proves that recording works here and now.

mod checks;
mod disk;
mod probe;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::exit::Exit;
use crate::line::line;
use crate::target::Target;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) target: Target,

    /// The directory in which the broker should record
    #[arg(
        long,
        value_name = "PATH",
        env = "BROKER_DIR",
        default_value = journal::DEFAULT_DIR
    )]
    pub(crate) dir: PathBuf,

    /// The port for publishers
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_PUB_PORT",
        default_value_t = transport::PUB_PORT
    )]
    pub(crate) pub_port: u16,

    /// The port for subscribers
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_SUB_PORT",
        default_value_t = transport::SUB_PORT
    )]
    pub(crate) sub_port: u16,
}

pub(crate) use self::disk::measure;

/// What a check has found.
pub(crate) enum Finding {
    Fine(String),
    /// It works, but somebody should know.
    Notice(String),
    /// It works, and how well is a matter of this machine and this moment: told, and
    /// no reason for an exit code, which would be another one at the next run.
    Surroundings(String),
    /// Recording does not work, or can't be proved: what is wrong, and what to
    /// do about it.
    Wrong(String, String),
}

/// Collects what the checks find, and prints it as it comes.
pub(crate) struct Findings<'a, W> {
    out: &'a mut W,
    wrong: usize,
    notices: usize,
    surroundings: usize,
}

impl<W: Write> Findings<'_, W> {
    pub(crate) fn add(&mut self, finding: Finding) -> io::Result<()> {
        match finding {
            Finding::Fine(what) => line(self.out, &format!("[ok] {what}")),
            Finding::Notice(what) => {
                self.notices += 1;
                line(self.out, &format!("[??] {what}"))
            }
            Finding::Surroundings(what) => {
                self.surroundings += 1;
                line(self.out, &format!("[??] {what}"))
            }
            Finding::Wrong(what, advice) => {
                self.wrong += 1;
                line(self.out, &format!("[!!] {what}"))?;
                line(self.out, &format!("     What to do: {advice}"))
            }
        }
    }
}

/// Runs all checks that make sense, and says what they come to.
pub(crate) fn run(options: &Doctor, out: &mut impl Write) -> anyhow::Result<Exit> {
    let mut findings = Findings {
        out,
        wrong: 0,
        notices: 0,
        surroundings: 0,
    };
    checks::run(options, &mut findings)?;
    let Findings {
        out,
        wrong,
        notices,
        surroundings,
    } = findings;
    let verdict = match (wrong, notices + surroundings) {
        (0, 0) => "[*] Recording works.".to_owned(),
        (0, look) => format!("[*] Recording works. Worth a look: {look}."),
        _ => format!("[!] RECORDING IS NOT PROVED. Problems: {wrong}."),
    };
    line(out, &verdict)?;
    Ok(match (wrong, notices) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Found,
        _ => Exit::Failed,
    })
}

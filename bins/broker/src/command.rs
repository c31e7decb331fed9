//! What the program does besides running a broker.

use std::path::PathBuf;

use clap::Subcommand;

use crate::backup::{Backup, Restore};
use crate::doctor::Doctor;
use crate::keygen::Keygen;
use crate::selftest::Selftest;
use crate::target::Target;
use crate::upkeep::{Compress, Prune};

/// What the variable is called that names the file.
pub(crate) const VARIABLE: &str = "BROKER_CONFIG";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says what a running broker does: what it records, who is behind, whether it is stalled
    Status {
        #[command(flatten)]
        target: Target,
        /// Print the broker's whole answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Proves that recording works here and now, and says in plain words what is wrong
    Doctor(Doctor),
    /// Closes a running broker's session, because a new phase starts
    Archive {
        #[command(flatten)]
        target: Target,
        /// Becomes part of the archive's name; letters, digits, _ and - stay as they are
        #[arg(long, value_name = "NAME")]
        label: Option<String>,
    },
    /// Compresses closed sessions; they are read as before, beside a running broker, too
    Compress(Compress),
    /// Removes the oldest closed sessions, as far as nobody needs them
    Prune(Prune),
    /// Copies the journal of a broker that runs or not, and checks the copy
    Backup(Backup),
    /// Makes a journal of a copy
    Restore(Restore),
    /// Makes keys for the broker and its clients, as pyzmq's zmq.auth reads them
    Keygen(Keygen),
    /// Installs or removes the broker as a service of Windows
    #[cfg(windows)]
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Checks a file of options, or shows each option and where it is from
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Writes what a shell needs to complete command lines
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes the manual page
    Man {
        /// Write to this folder instead, with a page for each command, too
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Kills a broker again and again in a scratch directory on your own disk, and checks every message
    Selftest(Selftest),
}

impl Command {
    /// Tells whether it begins a log of its own: a process has one.
    pub(crate) fn begins_log(&self) -> bool {
        match self {
            #[cfg(windows)]
            Self::Service(command) => command.is_run(),
            _ => false,
        }
    }
}

/// `broker config`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Reads a file of options and says what is wrong with it
    Check {
        /// The file
        file: PathBuf,
    },
    /// Shows each option's value, and whether it is from the file, the environment or
    /// the program
    Show {
        /// The file
        #[arg(long, value_name = "FILE", env = VARIABLE)]
        config: Option<PathBuf>,
    },
}

/// `broker service`
#[cfg(windows)]
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Makes the broker a service that starts with the machine, and starts it; again after
    /// an upgrade
    Install {
        /// The file of its options; it is written where there is none. In %ProgramData% by
        /// default
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Lets the running service read its options again, as SIGHUP does elsewhere
    Reload,
    /// Stops the service and takes it away; the journal stays
    Remove,
    /// Runs the broker as the service manager of Windows does
    Run {
        /// The file of its options
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

#[cfg(windows)]
impl ServiceCommand {
    pub(crate) fn is_run(&self) -> bool {
        matches!(self, Self::Run { .. })
    }
}

//! What the program does besides running a broker.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use client::{Client, Keys};
use transport::Bind;

use crate::args::{parse_bind, parse_ipc};
use crate::backup::{Backup, Restore};
use crate::config::ConfigCommand;
use crate::exit::Exit;
use crate::keygen::{self, Keygen};
use crate::upkeep::{Compress, Prune};
use crate::{archive, doctor, manual, selftest, status};

/// How long a broker is given to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// An archive is made behind the group that is being recorded.
const ARCHIVE: Duration = Duration::from_secs(30);

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
    Service(crate::service::ServiceCommand),
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

/// Where the running broker is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// The address that the broker listens on; of several the first is asked
    #[arg(
        long,
        value_name = "ADDR",
        env = "BROKER_BIND",
        default_value = "127.0.0.1",
        value_delimiter = ',',
        value_parser = parse_bind
    )]
    bind: Vec<Bind>,

    /// The port on which it serves requests
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_CONTROL_PORT",
        default_value = "5558"
    )]
    pub(crate) control_port: u16,

    /// The Unix socket on which it serves requests, in place of the port
    #[arg(long = "control", value_name = "ipc://PATH", env = "BROKER_CONTROL", value_parser = parse_ipc)]
    pub(crate) control_ipc: Option<PathBuf>,

    /// The folder of the broker's keys, where it has some: its own are shown to it
    #[arg(long, value_name = "DIR", env = "BROKER_CURVE")]
    pub(crate) curve: Option<PathBuf>,

    /// The key to show instead, as a file that ends in .key_secret
    #[arg(long, value_name = "FILE", env = "BROKER_KEY", requires = "server_key")]
    key: Option<PathBuf>,

    /// The broker's public key, for --key
    #[arg(long, value_name = "FILE", env = "BROKER_SERVER_KEY", requires = "key")]
    server_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) target: Target,

    /// The directory in which the broker should record
    #[arg(
        long,
        value_name = "PATH",
        env = "BROKER_DIR",
        default_value = "conversation_logs"
    )]
    pub(crate) dir: PathBuf,

    /// The port for publishers
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_PUB_PORT",
        default_value = "5555"
    )]
    pub(crate) pub_port: u16,

    /// The port for subscribers
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_SUB_PORT",
        default_value = "5556"
    )]
    pub(crate) sub_port: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Selftest {
    /// How long to go on
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,

    /// Where to make the scratch directory: on the disk that is to be tested
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) dir: PathBuf,
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

impl Target {
    pub(crate) fn connect(&self, timeout: Duration) -> anyhow::Result<Client> {
        let endpoint = self.control();
        Ok(match self.keys()? {
            Some(keys) => Client::connect_with_keys(&endpoint, keys, timeout)?,
            None => Client::connect(&endpoint, timeout)?,
        })
    }

    /// Returns where the broker serves requests, as ZeroMQ writes it.
    pub(crate) fn control(&self) -> String {
        match &self.control_ipc {
            Some(path) => format!("ipc://{}", path.display()),
            None => format!("tcp://{}", self.address(self.control_port)),
        }
    }

    /// Tells whether the broker is to be shown keys.
    pub(crate) fn has_keys(&self) -> bool {
        self.curve.is_some() || self.key.is_some()
    }

    /// Returns what the broker is to be shown.
    fn keys(&self) -> anyhow::Result<Option<Keys>> {
        if let (Some(key), Some(server)) = (&self.key, &self.server_key) {
            return Ok(Some(Keys::read(key, server)?));
        }
        let own = self.curve.as_ref().map(|dir| {
            let own = dir.join("server.key_secret");
            Keys::read(&own, &own)
        });
        Ok(own.transpose()?)
    }

    /// Returns where a port of the broker is reached. A broker that listens on
    /// all addresses is reached on this machine's own. Of a name with several
    /// addresses, it may listen only on those that the machine has.
    pub(crate) fn address(&self, port: u16) -> SocketAddr {
        let mut ips = self.bind.first().map(Bind::reached_at).unwrap_or_default();
        let listens =
            |ip: &IpAddr| TcpStream::connect_timeout(&SocketAddr::new(*ip, port), PATIENCE).is_ok();
        if ips.len() > 1
            && let Some(found) = ips.iter().position(listens)
        {
            ips.swap(0, found);
        }
        let first = ips.first().copied();
        SocketAddr::new(first.unwrap_or(IpAddr::from(Ipv4Addr::LOCALHOST)), port)
    }
}

//! What the user can say on the command line and in the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, ValueEnum};
use transport::{Bind, Config, IpcPaths, OnStop, Replay};

use crate::command::Command;
use crate::logging::LogArgs;
use crate::values::{
    Age, Limit, RetentionArgs, RotateAt, parse_age, parse_bind, parse_ipc, parse_limit, parse_size,
    parse_time,
};

/// A ZeroMQ broker that records every message before anyone sees it.
///
/// Publishers connect to one port and subscribers to the other. A subscriber
/// first gets the current session's history (or that of all, with --replay all), then
/// what is published.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    /// What to do instead of running a broker
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// A file of options (TOML), such as `history = 5000`; the environment and the command
    /// line win
    #[arg(long, value_name = "FILE", env = "BROKER_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// The directory of the journal; it is created where it is missing
    #[arg(
        long,
        value_name = "PATH",
        env = "BROKER_DIR",
        default_value = journal::DEFAULT_DIR
    )]
    pub(crate) dir: PathBuf,

    /// The addresses to listen on, with commas between them: numbers, names such as
    /// localhost, or * for all; beyond loopback it needs --curve or --insecure
    #[arg(
        long,
        value_name = "ADDR",
        env = "BROKER_BIND",
        default_value = "127.0.0.1",
        value_delimiter = ',',
        value_parser = parse_bind
    )]
    pub(crate) bind: Vec<Bind>,

    /// A folder with the broker's keys and those of the clients that are let in: all
    /// ports speak CURVE then. Made with `broker keygen`
    #[arg(long, value_name = "DIR", env = "BROKER_CURVE")]
    pub(crate) curve: Option<PathBuf>,

    /// Refuse messages that say to be sent by the owner of another key
    #[arg(long, env = "BROKER_STRICT_SENDER", requires = "curve")]
    pub(crate) strict_sender: bool,

    /// Listen beyond loopback without keys: whoever reaches the ports reads and writes
    #[arg(long, env = "BROKER_INSECURE", conflicts_with = "curve")]
    pub(crate) insecure: bool,

    /// The port for publishers; 0 picks a free one
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_PUB_PORT",
        default_value_t = transport::PUB_PORT
    )]
    pub(crate) pub_port: u16,

    /// The port for subscribers; 0 picks a free one
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_SUB_PORT",
        default_value_t = transport::SUB_PORT
    )]
    pub(crate) sub_port: u16,

    /// The port for acknowledged publishing, durable consumers and status; 0 picks a free one
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_CONTROL_PORT",
        default_value_t = protocol::CONTROL_PORT
    )]
    pub(crate) control_port: u16,

    /// A Unix socket for publishers, beside the port
    #[arg(long = "pub", value_name = "ipc://PATH", env = "BROKER_PUB", value_parser = parse_ipc)]
    pub(crate) pub_ipc: Option<PathBuf>,

    /// A Unix socket for subscribers, beside the port
    #[arg(long = "sub", value_name = "ipc://PATH", env = "BROKER_SUB", value_parser = parse_ipc)]
    pub(crate) sub_ipc: Option<PathBuf>,

    /// A Unix socket for requests, beside the port
    #[arg(long = "control", value_name = "ipc://PATH", env = "BROKER_CONTROL", value_parser = parse_ipc)]
    pub(crate) control_ipc: Option<PathBuf>,

    /// How many of the newest messages a new subscription gets
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_HISTORY",
        default_value = "10000"
    )]
    pub(crate) history: u64,

    /// Of which sessions a new subscription gets messages: of the one being written, or
    /// of all, so that a rotation takes away nothing
    #[arg(
        long,
        value_name = "WHAT",
        env = "BROKER_REPLAY",
        default_value = "session"
    )]
    pub(crate) replay: ReplayArg,

    /// The local time at which the session is archived every day, or "off"
    #[arg(
        long,
        value_name = "HH:MM",
        env = "BROKER_ROTATE_AT",
        default_value = "00:00",
        value_parser = parse_time
    )]
    pub(crate) rotate_at: RotateAt,

    /// The largest message that is taken, all frames together
    #[arg(
        long,
        value_name = "SIZE",
        env = "BROKER_MAX_MESSAGE_SIZE",
        default_value = "64MiB",
        value_parser = parse_size
    )]
    pub(crate) max_message_size: u64,

    /// The size at which the session is archived, or "off"
    #[arg(
        long,
        value_name = "SIZE",
        env = "BROKER_MAX_SESSION_SIZE",
        default_value = "off",
        value_parser = parse_limit
    )]
    pub(crate) max_session_size: Limit,

    /// Among how many of the newest messages a repeated message_id of an
    /// acknowledged publish is recognised; 0 is none
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_DEDUPE_WINDOW",
        default_value = "200000"
    )]
    pub(crate) dedupe_window: u64,

    /// How much memory messages may take; beyond it publishers are held up
    #[arg(
        long,
        value_name = "SIZE",
        env = "BROKER_MAX_MEMORY",
        default_value = "256MiB",
        value_parser = parse_size
    )]
    pub(crate) max_memory: u64,

    /// For how many seconds a broker that stops takes in what has arrived, at most
    #[arg(
        long,
        value_name = "SECONDS",
        env = "BROKER_STOP_TIMEOUT",
        default_value = "30"
    )]
    pub(crate) stop_timeout: u64,

    /// What a stop does with the session: closes it, or leaves it to the next start,
    /// which gives its history to subscribers as after a crash
    #[arg(
        long,
        value_name = "WHAT",
        env = "BROKER_ON_STOP",
        default_value = "archive"
    )]
    pub(crate) on_stop: OnStopArg,

    /// What SIGHUP does: closes the session and reads the file of --config again, if there
    /// is one; or the latter alone
    #[arg(
        long,
        value_name = "WHAT",
        env = "BROKER_ON_HUP",
        default_value = "archive"
    )]
    pub(crate) on_hup: OnHupArg,

    #[command(flatten)]
    pub(crate) upkeep: UpkeepArgs,

    /// Tell Prometheus, and whoever asks /healthz and /readyz, how recording goes, at an
    /// address such as 127.0.0.1:9555
    #[arg(long, value_name = "ADDR:PORT", env = "BROKER_METRICS")]
    pub(crate) metrics: Option<SocketAddr>,

    #[command(flatten)]
    pub(crate) log: LogArgs,
}

const AFTER_HELP: &str = "\
Sizes are bytes, or have one of the endings KiB, MiB, GiB.

Ctrl+C or SIGTERM takes in what has arrived, stops the broker and archives the
session; a second one stops at once. SIGHUP archives the session and goes on;
with --config it reads the file again, too.

Exit codes: 0 done, 1 failed, 2 wrong options, 3 done and something found.";

/// What a stop does with the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnStopArg {
    /// The session is closed: the next start is a new phase
    Archive,
    /// The session is continued at the next start
    Keep,
}

/// What SIGHUP does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnHupArg {
    /// The session is closed, and the file of options read again
    Archive,
    /// The file of options is read again
    Reload,
}

/// Which messages are a new subscription's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplayArg {
    /// The newest of the session being written
    Session,
    /// The newest of all sessions that are there
    All,
}

/// What is done with closed sessions while the broker runs; nothing by default.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct UpkeepArgs {
    /// Compress sessions that were closed longer ago, such as 1d; they are read as before
    #[arg(
        long,
        value_name = "AGE",
        env = "BROKER_COMPRESS_AFTER",
        default_value = "off",
        value_parser = parse_age
    )]
    pub(crate) compress_after: Age,

    #[command(flatten)]
    pub(crate) retention: RetentionArgs,
}

impl Args {
    /// Refuses to let in others without keys, unless that was said explicitly, and what
    /// does not go together: clap sees that on the command line, but not in a file.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.insecure && self.curve.is_some() {
            return Err(
                "--curve lets in nobody without a key, and --insecure everybody: say one of \
                 them"
                    .to_owned(),
            );
        }
        if self.strict_sender && self.curve.is_none() {
            return Err("--strict-sender needs --curve: without keys nobody has a name".to_owned());
        }
        if let Some(metrics) = self.metrics
            && !metrics.ip().is_loopback()
            && !self.insecure
        {
            return Err(format!(
                "--metrics {metrics} tells everybody who can reach this machine who talks here and \
                 how much.\n\
                 Listen on 127.0.0.1, or say --insecure."
            ));
        }
        let beyond = self.bind.iter().find(|address| !address.is_loopback());
        let Some(beyond) = beyond.filter(|_| self.curve.is_none() && !self.insecure) else {
            return Ok(());
        };
        Err(format!(
            "--bind {beyond} lets in everybody who can reach this machine, to read and to write all \
             that is said.\n\
             With keys only those get in who own one: make them with `broker keygen`, then start \
             with --curve DIR.\n\
             Where the network itself keeps others out, say --insecure."
        ))
    }

    /// Takes over what may change while the broker runs: [`LIVE`](crate::reload::LIVE).
    pub(crate) fn take_over(&mut self, new: Self) {
        self.rotate_at = new.rotate_at;
        self.max_session_size = new.max_session_size;
        self.on_stop = new.on_stop;
        self.on_hup = new.on_hup;
        self.upkeep = new.upkeep;
        self.log.log_level = new.log.log_level;
    }

    /// Returns the Unix sockets that are listened on.
    pub(crate) fn ipc(&self) -> IpcPaths {
        IpcPaths {
            publishers: self.pub_ipc.clone(),
            subscribers: self.sub_ipc.clone(),
            requests: self.control_ipc.clone(),
        }
    }

    /// Returns the broker's settings.
    pub(crate) fn config(&self) -> Config {
        Config {
            bind: self.bind.clone(),
            strict_sender: self.strict_sender,
            pub_port: self.pub_port,
            sub_port: self.sub_port,
            control_port: self.control_port,
            ipc: self.ipc(),
            dedupe_window: self.dedupe_window,
            history: self.history,
            replay: match self.replay {
                ReplayArg::Session => Replay::Session,
                ReplayArg::All => Replay::All,
            },
            rotate_at: self.rotate_at.0,
            max_message: self.max_message_size,
            max_session: self.max_session_size.0,
            max_memory: self.max_memory,
            stop_timeout: Duration::from_secs(self.stop_timeout),
            on_stop: match self.on_stop {
                OnStopArg::Archive => OnStop::Archive,
                OnStopArg::Keep => OnStop::Keep,
            },
            ..Config::new(&self.dir)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }
}

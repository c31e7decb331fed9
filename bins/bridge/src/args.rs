//! The options.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use bridge_core::{Begin, Broker, Nats, Outgoing, Receiving};
use clap::{Args as Group, Parser, Subcommand, ValueEnum};

/// How long the broker may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Carries every recorded message to a stream of NATS JetStream, once and in order, and
/// other machines' messages to the local broker
#[derive(Debug, Parser)]
#[command(name = "bridge", version, args_conflicts_with_subcommands = false)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) nats: NatsArgs,

    #[command(flatten)]
    pub(crate) local: LocalArgs,

    #[command(flatten)]
    pub(crate) sending: SendingArgs,

    #[command(flatten)]
    pub(crate) receiving: ReceivingArgs,

    /// Tells Prometheus how it goes, at http://ADDRESS:PORT/metrics
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<SocketAddr>,

    /// How much is told on stderr: error, warn, info, debug
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: log::LevelFilter,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What is done instead of bridging
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tells how far each machine's journal is, there and here
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Compares the journal with its stream, record by record
    Verify {
        /// The first number; without it, the stream's first
        #[arg(long, value_name = "N")]
        from: Option<u64>,
        /// The last number; without it, the last one that both have
        #[arg(long, value_name = "M")]
        to: Option<u64>,
    },
    /// Makes a machine's journal again of its stream (--origin says whose)
    Fetch {
        /// The file that is written; it must not be there yet. A broker starts on it as
        /// current_session.jsonl in a directory of its own
        #[arg(value_name = "OUT.jsonl")]
        out: PathBuf,
    },
}

/// Where NATS is
#[derive(Debug, Group)]
#[command(next_help_heading = "NATS")]
pub(crate) struct NatsArgs {
    /// The servers
    #[arg(
        long,
        global = true,
        env = "NATS_URL",
        value_name = "URL,URL",
        value_delimiter = ',',
        default_value = "nats://127.0.0.1:4222"
    )]
    nats: Vec<String>,

    /// A file of credentials, as `nsc` writes them
    #[arg(long, global = true, env = "NATS_CREDS", value_name = "FILE")]
    creds: Option<PathBuf>,

    /// A file with the seed of an nkey
    #[arg(
        long,
        global = true,
        env = "NATS_NKEY",
        value_name = "FILE",
        conflicts_with = "creds"
    )]
    nkey: Option<PathBuf>,

    /// A user's name; the password is taken from NATS_PASSWORD
    #[arg(long, global = true, env = "NATS_USER", value_name = "NAME")]
    user: Option<String>,

    /// Certificates of those that sign the servers' certificates
    #[arg(long, global = true, env = "NATS_CA", value_name = "FILE")]
    tlsca: Option<PathBuf>,

    /// This machine's certificate
    #[arg(
        long,
        global = true,
        env = "NATS_CERT",
        value_name = "FILE",
        requires = "tlskey"
    )]
    tlscert: Option<PathBuf>,

    /// The key of this machine's certificate
    #[arg(
        long,
        global = true,
        env = "NATS_KEY",
        value_name = "FILE",
        requires = "tlscert"
    )]
    tlskey: Option<PathBuf>,

    /// Speak over TLS alone
    #[arg(long, global = true)]
    tls: bool,
}

/// The local broker
#[derive(Debug, Group)]
#[command(next_help_heading = "The local broker")]
pub(crate) struct LocalArgs {
    /// The journal's directory, of which one bridge is let in at a time
    #[arg(
        long,
        global = true,
        env = "BROKER_DIR",
        value_name = "DIR",
        default_value = journal::DEFAULT_DIR
    )]
    pub(crate) dir: PathBuf,

    /// The broker's control port
    #[arg(
        long,
        global = true,
        value_name = "ENDPOINT",
        default_value = protocol::DEFAULT_ENDPOINT
    )]
    pub(crate) broker: String,

    /// This program's key file, NAME.key_secret, where the broker wants keys
    #[arg(long, global = true, value_name = "FILE", requires = "server_key")]
    key: Option<PathBuf>,

    /// The broker's public key file, where it wants keys
    #[arg(long, global = true, value_name = "FILE", requires = "key")]
    server_key: Option<PathBuf>,

    /// What this machine's journal is called: letters, digits, _ and - (default: the
    /// machine's name)
    #[arg(long, global = true, value_name = "NAME", value_parser = name)]
    origin: Option<String>,
}

/// What goes out
#[derive(Debug, Group)]
#[command(next_help_heading = "Out: from the journal to its stream")]
pub(crate) struct SendingArgs {
    /// Where a stream begins that is new
    #[arg(long = "from", value_name = "WHERE", default_value = "start")]
    from: Start,

    /// How many servers keep the stream (default: 3 where there are three)
    #[arg(long, value_name = "N")]
    replicas: Option<usize>,

    /// Only receive
    #[arg(long, requires = "receive")]
    pub(crate) no_ship: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Start {
    /// With the oldest message that is there
    Start,
    /// With the next message
    Now,
}

/// What comes in
#[derive(Debug, Group)]
#[command(next_help_heading = "In: from other machines' streams to the local broker")]
pub(crate) struct ReceivingArgs {
    /// Publish other machines' messages to the local broker
    #[arg(long)]
    pub(crate) receive: bool,

    /// Only of these machines
    #[arg(
        long,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        requires = "receive"
    )]
    origins: Vec<String>,

    /// Only topics that begin like this
    #[arg(
        long,
        value_name = "TOPIC,TOPIC",
        value_delimiter = ',',
        requires = "receive"
    )]
    topics: Vec<String>,

    /// How far back a machine is taken of which nothing is here: all, new, or a time
    /// such as 2025-11-20T04:30:00Z
    #[arg(long, value_name = "WHEN", default_value = "all", requires = "receive", value_parser = begin)]
    since: Begin,
}

fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    match !text.is_empty() && text.len() <= 64 && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("it must be 1 to 64 letters, digits, _ or -".to_owned()),
    }
}

fn begin(text: &str) -> Result<Begin, String> {
    match text {
        "all" => Ok(Begin::All),
        "new" => Ok(Begin::New),
        time => time.parse().map(Begin::Since).map_err(|_| {
            "it must be all, new, or a time with its offset, such as 2025-11-20T04:30:00Z"
                .to_owned()
        }),
    }
}

impl Args {
    pub(crate) fn nats(&self) -> anyhow::Result<Nats> {
        let nats = &self.nats;
        let secret = |name: &str| std::env::var(name).ok();
        let user = match &nats.user {
            None => None,
            Some(user) => {
                let password = secret("NATS_PASSWORD");
                let password = password.context("--user needs a password in NATS_PASSWORD")?;
                Some((user.clone(), password))
            }
        };
        Ok(Nats {
            servers: nats.nats.clone(),
            credentials: nats.creds.clone(),
            nkey: nats.nkey.clone(),
            user,
            token: secret("NATS_TOKEN"),
            ca: nats.tlsca.clone(),
            certificate: nats.tlscert.clone().zip(nats.tlskey.clone()),
            tls: nats.tls,
        })
    }

    pub(crate) fn broker(&self) -> anyhow::Result<Broker> {
        let keys = match (&self.local.key, &self.local.server_key) {
            (Some(own), Some(server)) => Some(client::Keys::read(own, server)?),
            _ => None,
        };
        Ok(Broker {
            endpoint: self.local.broker.clone(),
            keys,
            timeout: ANSWER,
        })
    }

    /// Returns what the local journal is called.
    pub(crate) fn origin(&self) -> anyhow::Result<String> {
        match &self.local.origin {
            Some(origin) => Ok(origin.clone()),
            None => {
                machine().context("this machine has no name: give the journal one with --origin")
            }
        }
    }

    pub(crate) fn outgoing(&self) -> anyhow::Result<Outgoing> {
        Ok(Outgoing {
            origin: self.origin()?,
            from_now: self.sending.from == Start::Now,
            replicas: self.sending.replicas,
        })
    }

    pub(crate) fn receiving(&self) -> Receiving {
        Receiving {
            origins: self.receiving.origins.clone(),
            topics: self.receiving.topics.clone(),
            begin: self.receiving.since,
        }
    }
}

/// The machine's name, as far as it can be one of a journal. The standard library does
/// not tell it; systems do in these places.
fn machine() -> Option<String> {
    let said = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let said = said.or_else(|| std::env::var("COMPUTERNAME").ok());
    let said = said.or_else(|| std::env::var("HOSTNAME").ok());
    let said = said.or_else(|| {
        let output = std::process::Command::new("hostname").output().ok()?;
        String::from_utf8(output.stdout).ok()
    })?;
    let first = said.trim().split('.').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let plain: String = first
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .take(64)
        .collect();
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Args, String> {
        let all = std::iter::once("bridge").chain(args.iter().copied());
        Args::try_parse_from(all).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn options_are_read_and_what_is_wrong_is_named() {
        let args = parsed(&[
            "--nats",
            "nats://a:1,nats://b:2",
            "--origin",
            "pc-1",
            "--receive",
            "--topics",
            "chat,design",
            "--since",
            "2025-11-20T04:30:00Z",
        ]);
        let args = args.unwrap();
        assert_eq!(args.nats().unwrap().servers.len(), 2);
        assert_eq!(args.receiving().topics, ["chat", "design"]);
        assert!(matches!(args.receiving().begin, Begin::Since(_)));
        assert!(
            parsed(&["--origin", "a.b"])
                .unwrap_err()
                .contains("letters, digits")
        );
        assert!(
            parsed(&["--receive", "--since", "soon"])
                .unwrap_err()
                .contains("all, new")
        );
        assert!(
            parsed(&["--topics", "x"])
                .unwrap_err()
                .contains("--receive")
        );
        assert!(
            parsed(&["--key", "x"])
                .unwrap_err()
                .contains("--server-key")
        );
    }

    #[test]
    fn a_machine_has_a_name_that_can_be_one_of_a_journal() {
        assert!(machine().is_none_or(|it| name(&it).is_ok()));
    }
}

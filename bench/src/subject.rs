//! What is measured: programs that carry messages, and the disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::agents::Medium;
use crate::curve;
use crate::peers::Peer;
use crate::process::Process;
use crate::proxy;
use crate::zeromq::ZeroMq;

/// The name of the proxy in the results.
pub(crate) const PROXY: &str = "zmq_proxy";
/// The name of the disk in the results.
pub(crate) const DISK: &str = "append + fdatasync";

/// A server that carries messages.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// libzmq's own, which records nothing.
    Proxy,
    /// The same with keys.
    CurveProxy {
        /// The broker that makes its keys.
        keygen: PathBuf,
    },
    /// A build of our broker, with its name in the results.
    Broker {
        /// Its name in the results.
        name: String,
        /// Where the program is.
        program: PathBuf,
        /// More options for it.
        options: Vec<String>,
        /// Whether it lets in the owners of keys alone.
        keys: bool,
    },
    /// Somebody else's server.
    Peer(Peer),
}

/// A server that runs.
pub(crate) struct Running {
    /// Its process, which ends with this.
    pub(crate) process: Process,
    /// The way to it.
    pub(crate) medium: Box<dyn Medium>,
    /// Its ports, where it speaks ZeroMQ.
    pub(crate) zeromq: Option<ZeroMq>,
}

impl Running {
    /// Takes a server with a protocol of its own.
    pub(crate) fn new(process: Process, medium: Box<dyn Medium>) -> Self {
        Self {
            process,
            medium,
            zeromq: None,
        }
    }

    /// Takes a server that speaks ZeroMQ.
    pub(crate) fn zeromq(process: Process, medium: ZeroMq) -> Self {
        Self {
            process,
            medium: Box::new(medium),
            zeromq: Some(medium),
        }
    }
}

impl Subject {
    /// Returns the name in the results.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Proxy => PROXY,
            Self::CurveProxy { .. } => curve::PROXY,
            Self::Broker { name, .. } => name,
            Self::Peer(peer) => peer.name(),
        }
    }

    /// Returns a broker's name, program and options.
    pub(crate) fn as_broker(&self) -> Option<(&str, &Path, &[String])> {
        match self {
            Self::Proxy | Self::CurveProxy { .. } | Self::Peer(_) => None,
            Self::Broker {
                name,
                program,
                options,
                ..
            } => Some((name, program, options)),
        }
    }

    /// Returns how many times fewer messages it gets than others.
    pub(crate) fn share(&self) -> u64 {
        match self {
            Self::Peer(peer) => peer.share(),
            _ => 1,
        }
    }

    /// Starts the server; what it stores goes into `dir`.
    pub(crate) fn start(&self, dir: &Path) -> anyhow::Result<Running> {
        let (process, medium) = match self {
            Self::Proxy => proxy::start()?,
            Self::CurveProxy { keygen } => return curve::start_proxy(keygen, dir),
            Self::Broker {
                program,
                options,
                keys: true,
                ..
            } => return curve::start_broker(program, options, dir),
            Self::Broker {
                program, options, ..
            } => {
                let mut command = broker(program, dir);
                command.args(options);
                start_broker(command)?
            }
            Self::Peer(peer) => return peer.start(dir),
        };
        Ok(Running::zeromq(process, medium))
    }
}

/// Returns the command line of a broker on ports that the system picks.
pub(crate) fn broker(program: &Path, dir: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BROKER_") {
            command.env_remove(name);
        }
    }
    command
        .arg("--dir")
        .arg(dir.join("logs"))
        .args(["--rotate-at", "off"]);
    for port in ["--pub-port", "--sub-port", "--control-port"] {
        command.args([port, "0"]);
    }
    command
}

/// Starts a broker and waits until it is ready.
pub(crate) fn start_broker(mut command: Command) -> anyhow::Result<(Process, ZeroMq)> {
    let process = Process::start(&mut command)?;
    let medium = ZeroMq {
        publish: process.number_after("[*] Listening for publishers on port ")?,
        subscribe: process.number_after("[*] Listening for subscribers on port ")?,
    };
    let recovered: u64 = process.number_after("[*] Loaded ")?;
    if recovered > 0 {
        process.line_after("[RECOVERY]")?;
    }
    Ok((process, medium))
}

/// Builds the broker of this source tree as it is released.
pub(crate) fn build_broker() -> anyhow::Result<PathBuf> {
    let manifest = workspace().join("Cargo.toml");
    let build = escargot::CargoBuild::new()
        .manifest_path(manifest)
        .package("broker")
        .release();
    let broker = build
        .bin("broker")
        .run()
        .context("cargo could not build the broker")?;
    Ok(broker.path().to_owned())
}

/// Returns the folder of the workspace.
pub(crate) fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

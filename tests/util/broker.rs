//! The broker as a child process.

use std::fs::{self, File};
use std::net::TcpListener;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;

use super::dir::Dir;
use super::process::{Process, run};
use super::programs::programs;
use super::wait::until;

/// The ports that clients use.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ports {
    /// Where publishers connect.
    pub(crate) publish: u16,
    /// Where subscribers connect.
    pub(crate) subscribe: u16,
    /// Where requests are served.
    pub(crate) control: u16,
}

impl Ports {
    /// Free ports that stay the same when a broker is started again.
    pub(crate) fn fixed() -> Self {
        Self {
            publish: free_port(),
            subscribe: free_port(),
            control: free_port(),
        }
    }
}

/// A free port below those that the system gives to outgoing connections.
///
/// A client that keeps trying a port of that higher range while nobody listens
/// there can end up connected to itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 10_000;
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("below the count");
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        if is_reserved(port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}

/// Reserves a port against other test runs on this machine, until this one ends;
/// false where another one has it. Between the choice of a port and its use,
/// nothing else would keep it.
fn is_reserved(port: u16) -> bool {
    static RESERVED: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let folder = std::env::temp_dir().join("recorder-e2e-ports");
    fs::create_dir_all(&folder).expect("the system's folder for temporary files");
    let file = File::create(folder.join(port.to_string()));
    let Ok(file) = file else { return false };
    let free = file.try_lock().is_ok();
    if free {
        RESERVED.lock().unwrap().push(file);
    }
    free
}

/// A broker that has said that it is ready.
#[derive(Debug)]
pub(crate) struct Broker {
    process: Process,
    /// The ports it listens on.
    pub(crate) ports: Ports,
}

impl Broker {
    /// Starts one on ports that the system picks.
    #[track_caller]
    pub(crate) fn start(dir: &Dir) -> Self {
        Self::start_with(dir, &[])
    }

    /// Starts one on ports that the system picks, with more options.
    #[track_caller]
    pub(crate) fn start_with(dir: &Dir, options: &[&str]) -> Self {
        Self::start_on(dir, Ports::default(), options)
    }

    /// Starts one on these ports.
    #[track_caller]
    pub(crate) fn start_on(dir: &Dir, ports: Ports, options: &[&str]) -> Self {
        Self::ready(broker_on(dir, ports).args(options))
    }

    /// Starts the command and waits until it is ready.
    #[track_caller]
    pub(crate) fn ready(command: &mut Command) -> Self {
        let mut process = Process::start(command);
        process.wait_for(" messages from previous session\n");
        let stdout = process.stdout.text();
        let ports = Ports {
            publish: port_after(&stdout, "[*] Listening for publishers on port "),
            subscribe: port_after(&stdout, "[*] Listening for subscribers on port "),
            control: port_after(&stdout, "[*] Listening for requests on port "),
        };
        Self { process, ports }
    }

    /// Waits until the message with this number is recorded: what a line in the file does
    /// not tell, which is there before the disk has confirmed it.
    #[track_caller]
    pub(crate) fn wait_recorded(&self, number: u64) {
        until(&format!("message {number} to be recorded"), || {
            let mut status = broker();
            status.args(["status", "--json", "--control-port"]);
            let ended = run(status.arg(self.ports.control.to_string()));
            let status: Value = serde_json::from_str(&ended.stdout).ok()?;
            (status["last_message_num"].as_u64()? >= number).then_some(())
        });
    }
}

impl Deref for Broker {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Broker {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// The broker's command line without any option, in an environment without its variables.
pub(crate) fn broker() -> Command {
    let mut command = Command::new(&programs().broker);
    clean(&mut command);
    command
}

/// The broker's command line for a directory and ports.
pub(crate) fn broker_on(dir: &Dir, ports: Ports) -> Command {
    let mut command = broker();
    command.current_dir(dir.path()).arg("--dir").arg(dir.logs());
    command.args(["--pub-port", &ports.publish.to_string()]);
    command.args(["--sub-port", &ports.subscribe.to_string()]);
    command.args(["--control-port", &ports.control.to_string()]);
    command
}

/// The viewer's command line for a directory.
pub(crate) fn viewer(dir: &Dir, options: &[&str]) -> Command {
    let mut command = viewer_in(&dir.logs(), options);
    command.current_dir(dir.path());
    command
}

/// The viewer's command line for the log directory at a path.
pub(crate) fn viewer_in(logs: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(&programs().viewer);
    clean(&mut command);
    command.arg("--dir").arg(logs).args(options);
    command
}

/// Takes out what a developer's own environment could bring in.
pub(crate) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["BROKER_", "VIEWER_", "NATS_", "RUST_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&*name);
        }
    }
    command.env("NO_COLOR", "1").env("TZ", "UTC");
}

#[track_caller]
fn port_after(stdout: &str, start: &str) -> u16 {
    let line = stdout.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_else(|| panic!("no line {start:?} in:\n{stdout}"))
        .parse()
        .expect("the line ends with a port")
}

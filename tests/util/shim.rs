//! Faults of the disk: a small library that is preloaded into the broker.
//!
//! What it can do is described in `tests/faults/shim.c`.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::broker::{Broker, Ports, broker_on};
use super::dir::Dir;
use super::programs::{target_dir, workspace};

/// The disk reports an error.
pub(crate) const EIO: i32 = 5;

/// What happens at which calls.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    call: &'static str,
    action: &'static str,
    number: u64,
    from: u64,
    times: u64,
}

impl Rule {
    fn new(call: &'static str, action: &'static str, number: u64) -> Self {
        Self {
            call,
            action,
            number,
            from: 1,
            times: 0,
        }
    }

    /// The call takes this many milliseconds longer.
    pub(crate) fn delay(call: &'static str, milliseconds: u64) -> Self {
        Self::new(call, "delay", milliseconds)
    }

    /// The call fails with this errno.
    pub(crate) fn fail(call: &'static str, errno: i32) -> Self {
        Self::new(call, "fail", errno.unsigned_abs().into())
    }

    /// The disk is full after this many bytes.
    pub(crate) fn room(bytes: u64) -> Self {
        Self::new("write", "room", bytes)
    }

    /// The program is killed right before the Nth call, whichever that is.
    pub(crate) fn kill_at(step: u64) -> Self {
        Self::new("any", "kill", 0).from(step)
    }

    /// Spares the calls before this one.
    pub(crate) fn from(self, from: u64) -> Self {
        Self { from, ..self }
    }

    /// Happens only once.
    pub(crate) fn once(self) -> Self {
        Self { times: 1, ..self }
    }
}

impl Display for Rule {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            call,
            action,
            number,
            from,
            times,
        } = self;
        writeln!(formatter, "{call} {action} {number} {from} {times}")
    }
}

/// The disk below one log directory.
#[derive(Debug)]
pub(crate) struct Disk {
    logs: PathBuf,
    control: PathBuf,
}

impl Disk {
    /// A disk without a fault.
    pub(crate) fn of(dir: &Dir) -> Self {
        Self {
            logs: dir.logs(),
            control: dir.path().join("faults"),
        }
    }

    /// From now on this happens, and nothing else.
    pub(crate) fn set(&self, rules: &[Rule]) {
        let text: String = rules.iter().map(Rule::to_string).collect();
        // The broker reads it at any time: it is whole from the first moment.
        let new = self.control.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &self.control).unwrap();
    }

    /// From now on nothing fails.
    pub(crate) fn heal(&self) {
        fs::remove_file(&self.control).unwrap();
    }

    /// The broker's command line for a directory on this disk.
    #[track_caller]
    pub(crate) fn broker_on(&self, dir: &Dir, ports: Ports) -> Command {
        let mut command = broker_on(dir, ports);
        self.put_below(&mut command);
        command
    }

    /// Lets a program have this disk.
    #[track_caller]
    pub(crate) fn put_below(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", shim())
            .env("SHIM_DIR", &self.logs)
            .env("SHIM_CONTROL", &self.control);
    }

    /// Starts a broker on this disk and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(&self, dir: &Dir, options: &[&str]) -> Broker {
        Broker::ready(self.broker_on(dir, Ports::default()).args(options))
    }
}

/// The library, built on the first call of each test run.
#[track_caller]
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| build().unwrap_or_else(|problem| panic!("{problem}")))
}

fn build() -> Result<PathBuf, String> {
    let source = workspace().join("tests/faults/shim.c");
    let library = target_dir().join("libe2e_shim.so");
    // Another test process may use the old one: the new one takes its name when it is whole.
    let new = target_dir().join(format!("libe2e_shim.{}.so", std::process::id()));
    let from_environment = ["CC", "CXX"].map(|name| std::env::var(name).ok());
    let compilers = from_environment
        .into_iter()
        .flatten()
        .chain(["cc", "c++", "gcc", "clang"].map(str::to_owned));
    let mut tried = Vec::new();
    for compiler in compilers {
        let mut command = Command::new(&compiler);
        command.args(["-shared", "-fPIC", "-O1", "-pthread", "-x", "c", "-o"]);
        match command.arg(&new).arg(&source).output() {
            Ok(output) if output.status.success() => {
                fs::rename(&new, &library)
                    .map_err(|error| format!("{}: {error}", library.display()))?;
                return Ok(library);
            }
            Ok(output) => tried.push(format!(
                "{compiler}: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            )),
            Err(error) => tried.push(format!("{compiler}: {error}")),
        }
    }
    Err(format!(
        "the end-to-end tests need a C compiler for {}; tried {}",
        source.display(),
        tried.join("; ")
    ))
}

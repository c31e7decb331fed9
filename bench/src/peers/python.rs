//! The broker in Python. The first interpreter that has pyzmq is taken.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::process::Process;
use crate::subject::{Running, workspace};
use crate::zeromq::ZeroMq;

pub(super) fn check() -> anyhow::Result<()> {
    interpreter().map(|_| ())
}

pub(super) fn start(dir: &Path) -> anyhow::Result<Running> {
    let script = workspace().join("bench/peers/json_fsync_broker.py");
    let mut command = Command::new(interpreter()?);
    let process = Process::start(command.arg(script).arg(dir.join("journal.jsonl")))?;
    let medium = ZeroMq {
        publish: process.number_after("publish ")?,
        subscribe: process.number_after("subscribe ")?,
    };
    Ok(Running::zeromq(process, medium))
}

pub(crate) fn interpreter() -> anyhow::Result<PathBuf> {
    let environment = workspace().join("target/e2e-venv");
    let candidates = [
        environment.join("bin/python"),
        environment.join("Scripts/python.exe"),
        PathBuf::from("python3"),
        PathBuf::from("python"),
    ];
    let has_zmq = |python: &PathBuf| {
        let mut command = Command::new(python);
        command
            .args(["-c", "import zmq"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    candidates
        .into_iter()
        .find(has_zmq)
        .context("no Python with pyzmq is installed")
}

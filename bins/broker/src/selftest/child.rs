//! The broker that is tested: this very program, as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// What a broker says when it is ready.
const READY: &str = "[*] Loaded ";

/// A broker that runs; it is killed when it goes out of scope.
pub(super) struct Child(std::process::Child);

impl Child {
    /// Starts a broker, and waits until it is ready.
    pub(super) fn start(logs: &Path, control_port: u16) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BROKER_") {
                command.env_remove(name);
            }
        }
        let port = control_port.to_string();
        let child = command
            .args(["--pub-port", "0", "--sub-port", "0", "--rotate-at", "off"])
            // A kill tears the last line, which is what is tested, and no news.
            .args(["--log-level", "error", "--control-port", &port, "--dir"])
            .arg(logs)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a broker")?;
        let mut child = Self(child);
        let stdout = child.0.stdout.take().context("the broker has no output")?;
        for line in BufReader::new(stdout).lines() {
            if line
                .context("cannot read what the broker says")?
                .starts_with(READY)
            {
                return Ok(child);
            }
        }
        anyhow::bail!("the broker ended before it was ready; its reason stands above")
    }

    /// Kills it in the way that gives it no chance to do anything about it.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill().context("cannot kill the broker")?;
        self.0.wait().context("cannot wait for the broker's end")?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail where it is gone already.
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Returns a port that is free now, and that each new broker gets again.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}

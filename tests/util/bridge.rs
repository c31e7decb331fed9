//! The bridge as a child process.

use std::process::Command;

use serde_json::Value;

use super::broker::{Ports, clean};
use super::dir::Dir;
use super::nats::Nats;
use super::process::{Ended, Process, run};
use super::programs::programs;
use super::wait::until;

/// The bridge of one machine: its command lines.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) ports: Ports,
    logs: std::path::PathBuf,
    nats: String,
    /// A name and a password for NATS.
    pub(crate) user: Option<(String, String)>,
    /// More options about NATS.
    pub(crate) nats_options: Vec<String>,
}

impl Machine {
    pub(crate) fn new(name: &str, dir: &Dir, ports: Ports, nats: &Nats) -> Self {
        Self {
            name: name.to_owned(),
            ports,
            logs: dir.logs(),
            nats: nats.urls(),
            user: None,
            nats_options: Vec::new(),
        }
    }

    /// The command line, with more options.
    pub(crate) fn bridge(&self, options: &[&str]) -> Command {
        let mut command = Command::new(&programs().bridge);
        clean(&mut command);
        command.args(["--nats", &self.nats, "--origin", &self.name]);
        command.arg("--dir").arg(&self.logs);
        let endpoint = format!("tcp://127.0.0.1:{}", self.ports.control);
        command.args(["--broker", &endpoint]);
        command.args(&self.nats_options).args(options);
        if let Some((name, password)) = &self.user {
            command
                .args(["--user", name])
                .env("NATS_PASSWORD", password);
        }
        command
    }

    /// Starts it.
    pub(crate) fn start(&self, options: &[&str]) -> Process {
        Process::start(&mut self.bridge(options))
    }

    /// Runs one of its commands.
    pub(crate) fn run(&self, options: &[&str]) -> Ended {
        run(&mut self.bridge(options))
    }

    /// What `bridge status` tells of a machine, as soon as there is a stream.
    #[track_caller]
    pub(crate) fn status(&self, origin: &str) -> Option<Value> {
        let ended = self.run(&["status", "--json"]);
        let all: Value = serde_json::from_str(&ended.stdout).ok()?;
        let streams = all["streams"].as_array()?;
        streams.iter().find(|one| one["origin"] == origin).cloned()
    }

    /// Waits until the stream of this machine has a number.
    #[track_caller]
    pub(crate) fn wait_shipped(&self, number: u64) {
        until(
            &format!("number {number} in the stream of {}", self.name),
            || {
                let there = self.status(&self.name)?["there"].as_u64()?;
                (there >= number).then_some(())
            },
        );
    }
}

//! Servers as processes of their own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// How long a server may take to start. A large journal takes its time.
const START: Duration = Duration::from_secs(300);

/// A server, killed when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    name: String,
}

impl Process {
    /// Starts a server.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            // A server of ours ends when this is closed, also if we are killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines, name })
    }

    /// Waits for a line that begins with this, and returns the rest of it.
    pub(crate) fn line_after(&self, beginning: &str) -> anyhow::Result<String> {
        self.line(beginning, |line| {
            line.strip_prefix(beginning).map(str::to_owned)
        })
    }

    /// Waits for a line that has this in it.
    pub(crate) fn line_with(&self, text: &str) -> anyhow::Result<()> {
        self.line(text, |line| line.contains(text).then_some(()))
    }

    fn line<T>(&self, what: &str, look: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
        let end = Instant::now() + START;
        loop {
            let patience = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(patience);
            let line = line.with_context(|| format!("{} never said {what:?}", self.name))?;
            if let Some(found) = look(&line) {
                return Ok(found);
            }
        }
    }

    /// Waits for a line that begins with this, and returns the number behind it.
    pub(crate) fn number_after<T: std::str::FromStr>(&self, beginning: &str) -> anyhow::Result<T> {
        let rest = self.line_after(beginning)?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        let number = digits.and_then(|digits| digits.parse().ok());
        number.with_context(|| format!("no number in {beginning:?}{rest:?}"))
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn wait(&mut self) -> anyhow::Result<()> {
        let status = self
            .child
            .wait()
            .with_context(|| format!("cannot wait for {}", self.name))?;
        ensure!(status.success(), "{} failed: {status}", self.name);
        Ok(())
    }

    /// Returns the system's number for the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

//! A log directory of its own for each test, and the program run on it.

#![allow(
    clippy::unwrap_used,
    reason = "a failing test is to stop and to say why; clippy sees only #[test] functions as tests"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A line as a person would write it by hand.
pub(crate) fn line(number: u64, topic: &str, sender: &str, tier: &str, chain: &str) -> String {
    let minute = number % 60;
    format!(
        r#"{{"message_num":{number},"topic":"{topic}","sender":"{sender}","timestamp":"2025-11-20T12:{minute:02}:45.123Z","tier":"{tier}","chain_type":"{chain}","content":{{"n":{number}}}}}"#
    ) + "\n"
}

/// A place for a log directory, which goes away with the test.
pub(crate) struct Logs(TempDir);

impl Logs {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The log directory; at first there is none.
    pub(crate) fn dir(&self) -> PathBuf {
        self.0.path().join("conversation_logs")
    }

    pub(crate) fn current(&self) -> PathBuf {
        self.dir().join("current_session.jsonl")
    }

    pub(crate) fn archive_dir(&self) -> PathBuf {
        self.dir().join("archive")
    }

    pub(crate) fn write_current(&self, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.dir()).unwrap();
        fs::write(self.current(), bytes).unwrap();
    }

    pub(crate) fn write_archive(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.archive_dir()).unwrap();
        fs::write(self.archive_dir().join(name), bytes).unwrap();
    }

    /// The program's command line for this directory, unless the options name another.
    pub(crate) fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_viewer"));
        command.current_dir(self.0.path());
        if !options.contains(&"--dir") {
            command.arg("--dir").arg(self.dir());
        }
        command.args(options);
        command
    }

    pub(crate) fn view(&self, options: &[&str]) -> Ended {
        Ended::new(self.command(options).output().unwrap())
    }
}

/// What a run left behind.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn report(&self) -> String {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        format!("code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }

    #[track_caller]
    pub(crate) fn with(&self, code: i32, stdout: &str, stderr: &str) {
        assert_eq!(self.code, Some(code), "{}", self.report());
        assert_eq!(self.stdout, stdout);
        assert_eq!(self.stderr, stderr);
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.stdout.contains(text), "no {text:?}\n{}", self.report());
    }

    /// One sentence on standard error, nothing on standard output, code 1.
    #[track_caller]
    pub(crate) fn failed(&self, reason: &str) {
        assert_eq!(
            (self.code, &*self.stdout),
            (Some(1), ""),
            "{}",
            self.report()
        );
        assert!(self.stderr.starts_with("viewer: "), "{}", self.report());
        assert!(
            self.stderr.contains(reason),
            "no {reason:?}\n{}",
            self.report()
        );
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.report());
    }

    /// Numbers of the messages shown, in the order shown.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let heads = self
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix("[#"));
        heads
            .map(|head| head.split(']').next().unwrap().parse().unwrap())
            .collect()
    }

    /// The sum of the counts below a heading.
    pub(crate) fn counted(&self, heading: &str) -> usize {
        let lines = self
            .stdout
            .lines()
            .skip_while(|line| *line != heading)
            .skip(1);
        // Above the columns of the senders stands what they are.
        let lines = lines.take_while(|line| !line.is_empty());
        let counts = lines.filter_map(|line| line.split_once(": "));
        counts
            .map(|(_, count)| count.split(' ').next().unwrap().parse::<usize>().unwrap())
            .sum()
    }
}

//! What the system says of a running process.

use std::fs;

use super::process::Process;
use super::wait::until;

/// How many threads and file descriptors a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holdings {
    threads: usize,
    files: usize,
}

impl Holdings {
    /// What the process has now.
    pub(crate) fn of(process: &Process) -> Self {
        let count = |what| {
            let path = format!("/proc/{}/{what}", process.child.id());
            fs::read_dir(path).map_or(0, Iterator::count)
        };
        Self {
            threads: count("task"),
            files: count("fd"),
        }
    }

    /// Waits until the process has this again, and nothing more.
    #[track_caller]
    pub(crate) fn wait_again(self, process: &Process) {
        let what = format!("{self:?} again");
        until(&what, || (Self::of(process) == self).then_some(()));
    }
}

/// The memory that a process has resident, in bytes.
pub(crate) fn resident(process: &Process) -> u64 {
    let path = format!("/proc/{}/status", process.child.id());
    let status = fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

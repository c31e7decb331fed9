//! What each operating system tells about processes and about itself.

use std::time::Duration;

/// Returns the processor time that a process has used, all its threads
/// together. Only Linux tells it in a file.
pub(crate) fn cpu_time(process: u32) -> Option<Duration> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let nanoseconds = tasks.flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(nanoseconds.sum()))
}

/// Returns a sentence about this machine.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_default();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let parts = [
        model,
        format!("{cores} cores"),
        arch.to_owned(),
        format!("{os} {}", kernel.trim()),
    ];
    let parts: Vec<&str> = parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

/// Returns the value of a `name: value` line.
fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// How much memory a process holds, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) now: u64,
    /// Resident at most so far.
    pub(crate) peak: u64,
}

/// Returns the resident memory of a process. Only Linux tells it in a file.
pub(crate) fn memory(process: u32) -> Option<Memory> {
    let path = format!("/proc/{process}/status");
    let bytes = |name| {
        let kibibytes: u64 = field(&path, name)?.split(' ').next()?.parse().ok()?;
        Some(kibibytes << 10)
    };
    Some(Memory {
        now: bytes("VmRSS")?,
        peak: bytes("VmHWM")?,
    })
}

/// Asks a process to end in an orderly way, and tells whether that worked. Only
/// systems with signals can.
pub(crate) fn terminate(process: u32) -> bool {
    let kill = std::process::Command::new("kill")
        .args(["-TERM", &process.to_string()])
        .status();
    kill.is_ok_and(|status| status.success())
}

/// Makes short sleeps of this thread as exact as the system can. Linux adds 50
/// microseconds to each unless it is told not to, which would hide what is
/// measured; others need not be told.
pub(crate) fn sleep_exactly() {
    if let Ok(thread) = std::fs::read_link("/proc/thread-self")
        && let Some(id) = thread.file_name()
    {
        let slack = std::path::Path::new("/proc").join(id).join("timerslack_ns");
        // Where it isn't allowed, sleeps are longer, and the latencies say so.
        let _set = std::fs::write(slack, "1");
    }
}

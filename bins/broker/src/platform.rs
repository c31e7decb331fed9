//! What differs from system to system.

/// Tells whether users who are neither the owner nor in the group may change
/// what is in a directory.
#[cfg(unix)]
pub(crate) fn others_can_write(dir: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    const OTHERS_WRITE: u32 = 0o002;
    std::fs::metadata(dir).is_ok_and(|dir| dir.permissions().mode() & OTHERS_WRITE != 0)
}

/// Windows keeps lists of who may do what, which the standard library does not read.
#[cfg(not(unix))]
pub(crate) fn others_can_write(_dir: &std::path::Path) -> bool {
    false
}

/// Makes a file that is created readable by its owner alone.
#[cfg(unix)]
pub(crate) fn private_file(options: &mut std::fs::OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Files inherit the directory's access list on Windows.
#[cfg(not(unix))]
pub(crate) fn private_file(_options: &mut std::fs::OpenOptions) {}

/// Makes a directory that is created open to its owner alone.
#[cfg(unix)]
pub(crate) fn private_dir(builder: &mut std::fs::DirBuilder) {
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
}

/// Directories inherit the access list on Windows.
#[cfg(not(unix))]
pub(crate) fn private_dir(_builder: &mut std::fs::DirBuilder) {}

/// Tells whether whoever started the program wants it to outlive its terminal
/// (`nohup`): SIGHUP is ignored then, and has to stay so.
#[cfg(target_os = "linux")]
pub(crate) fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Signal 1 is the lowest bit.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 != 0)
}

/// Tells whether SIGHUP is ignored. The standard library can't ask, but a shell
/// inherits it, and may not take it back.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn ignores_hangup() -> bool {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "kill -HUP $$; exit 0"]);
    shell.stdin(std::process::Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}

/// Tells whether a write failed because the terminal is gone.
#[cfg(unix)]
pub(crate) fn is_hung_up(error: &std::io::Error) -> bool {
    /// The same number on all systems.
    const EIO: i32 = 5;
    error.raw_os_error() == Some(EIO)
}

/// A console that is closed ends its programs on Windows.
#[cfg(not(unix))]
pub(crate) fn is_hung_up(_error: &std::io::Error) -> bool {
    false
}

/// Lets everything else go before what this thread does.
///
/// Only on Linux has a thread a priority of its own that anybody may lower.
#[cfg(target_os = "linux")]
pub(crate) fn lower_priority() {
    const LOWEST: i32 = 19;
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
        log::debug!("the priority of a thread stays as it is: {error}");
    }
}

/// Lets everything else go before what this thread does.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lower_priority() {}

/// Returns how many bytes of a path's file system are free, and how many it has.
pub(crate) fn disk(path: &std::path::Path) -> Option<(u64, u64)> {
    let found = fs4::statvfs(path).ok()?;
    Some((found.available_space(), found.total_space()))
}

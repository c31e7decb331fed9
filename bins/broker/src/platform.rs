//! What differs from system to system.

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

//! What differs between systems.

use std::process::Command;

/// The pager where the environment names none. Windows' own does not understand
/// colours, and waits for a key even where everything fits.
pub(crate) const PAGER: Option<&str> = if cfg!(windows) { None } else { Some("less") };

/// Returns what runs a command line as people write it into the environment.
pub(crate) fn shell(line: &str) -> Command {
    let (shell, option) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut command = Command::new(shell);
    command.arg(option).arg(line);
    command
}

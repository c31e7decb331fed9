//! What differs between systems.

use std::path::Path;
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

/// Returns what shows a page to the user.
#[cfg(feature = "serve")]
pub(crate) fn open_page(address: &str) -> Command {
    let (program, before): (_, &[&str]) = if cfg!(windows) {
        // The first word in quotes is the title of a window.
        ("cmd", &["/C", "start", ""])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(address);
    command
}

/// Tells whether a program can be started: a file of that name, or one in a folder
/// of `PATH`.
pub(crate) fn is_there(program: &str) -> bool {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return path.exists();
    }
    let endings: &[&str] = if cfg!(windows) {
        &["", ".exe", ".cmd", ".bat"]
    } else {
        &[""]
    };
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| {
        let file = |ending: &&str| folder.join(format!("{program}{ending}")).is_file();
        endings.iter().any(file)
    })
}

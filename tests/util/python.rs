//! A Python with stock pyzmq, in a virtual environment that all test runs share.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::programs::target_dir;

/// What pip installs.
const PACKAGE: &str = "pyzmq";

/// The interpreter of the virtual environment, which is made on first need.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        environment().unwrap_or_else(|problem| {
            panic!(
                "{problem}; the end-to-end tests need Python 3 with its venv module, \
                 and `pip install {PACKAGE}` must work"
            )
        })
    })
}

fn environment() -> Result<PathBuf, String> {
    let folder = target_dir().join("e2e-venv");
    // Another test process may be at it; the lock goes with the file handle.
    let lock_path = target_dir().join("e2e-venv.lock");
    let lock = File::create(&lock_path).map_err(|error| describe(&lock_path, &error))?;
    lock.lock().map_err(|error| describe(&lock_path, &error))?;

    let python = interpreter(&folder);
    let marker = folder.join("pyzmq-is-here");
    if marker.exists() && run(&python, ["-c", "import zmq"]).is_ok() {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| describe(&folder, &error))?;
    }
    create(&folder)?;
    run(
        &python,
        [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            PACKAGE,
        ],
    )?;
    fs::write(&marker, "").map_err(|error| describe(&marker, &error))?;
    Ok(python)
}

/// Makes the environment with the first Python 3 that there is.
fn create(folder: &Path) -> Result<(), String> {
    let names = if cfg!(windows) {
        ["python", "py"]
    } else {
        ["python3", "python"]
    };
    let found = names
        .into_iter()
        .find(|name| run(Path::new(name), ["--version"]).is_ok());
    let name = found.ok_or_else(|| format!("neither {} nor {} can be run", names[0], names[1]))?;
    run(
        Path::new(name),
        [OsStr::new("-m"), OsStr::new("venv"), folder.as_os_str()],
    )
}

/// Where a virtual environment has its interpreter.
fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    }
}

fn run<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = command
        .output()
        .map_err(|error| format!("{command:?} did not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    // Some of Python's own modules explain themselves on standard output.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    Err(format!(
        "{command:?} failed ({})",
        text.trim().replace('\n', " / ")
    ))
}

fn describe(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

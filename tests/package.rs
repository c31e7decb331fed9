//! The Python package's own tests (`python/tests`), against the real broker.

use std::process::Command;

use crate::util::broker::free_port;
use crate::util::programs::{programs, workspace};
use crate::util::python::python;

/// Runs one file of tests. Each waits with limits of its own, so there is none here.
#[track_caller]
fn passes(module: &str) {
    let output = Command::new(python())
        .args(["-m", "unittest", &format!("tests.{module}")])
        .current_dir(workspace().join("python"))
        .env("RECORDER_BROKER", &programs().broker)
        .env("RECORDER_PORT", free_port().to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUTF8", "1")
        .output()
        .expect("the interpreter can be run");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{module}:\n{text}");
    assert!(!text.contains("Ran 0 tests"), "{module}:\n{text}");
}

#[test]
fn the_blocking_client_keeps_its_promises() {
    passes("test_blocking");
}

#[test]
fn the_asyncio_client_keeps_its_promises() {
    passes("test_asyncio");
}

#[test]
fn what_is_sent_when() {
    passes("test_machines");
}

#[test]
fn the_examples_of_the_readme_run() {
    passes("test_readme");
}

#[test]
fn the_single_file_is_made_of_the_package() {
    passes("test_single_file");
}

#[test]
fn what_the_packages_start_is_what_the_broker_understands() {
    passes("test_packaging");
}

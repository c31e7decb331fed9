//! The name that the program goes by.

use std::ffi::OsStr;
use std::path::Path;

/// The name under which it was started, where that is one of its own: packages install
/// it as `zmq-viewer`, since `viewer` alone may be anybody's.
pub(crate) fn name() -> &'static str {
    name_of(std::env::args_os().next().as_deref())
}

fn name_of(started: Option<&OsStr>) -> &'static str {
    match started.and_then(|started| Path::new(started).file_stem()) {
        Some(stem) if stem == "zmq-viewer" => "zmq-viewer",
        _ => "viewer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_its_own_count() {
        for (started, name) in [
            ("/usr/bin/zmq-viewer", "zmq-viewer"),
            ("zmq-viewer.exe", "zmq-viewer"),
            ("target/debug/viewer", "viewer"),
            ("$(rm -r /)", "viewer"),
        ] {
            assert_eq!(name_of(Some(OsStr::new(started))), name, "{started}");
        }
        assert_eq!(name_of(None), "viewer");
    }
}

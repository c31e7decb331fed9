//! The name that the program goes by.

use std::ffi::OsStr;
use std::path::Path;

/// The name under which it was started, where that is one of its own: packages install
/// it as `zmq-broker`, since `broker` alone may be anybody's.
pub(crate) fn name() -> &'static str {
    name_of(std::env::args_os().next().as_deref())
}

fn name_of(started: Option<&OsStr>) -> &'static str {
    match started.and_then(|started| Path::new(started).file_stem()) {
        Some(stem) if stem == "zmq-broker" => "zmq-broker",
        _ => "broker",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_its_own_count() {
        for (started, name) in [
            ("/usr/bin/zmq-broker", "zmq-broker"),
            ("zmq-broker.exe", "zmq-broker"),
            ("target/debug/broker", "broker"),
            ("$(rm -r /)", "broker"),
        ] {
            assert_eq!(name_of(Some(OsStr::new(started))), name, "{started}");
        }
        assert_eq!(name_of(None), "broker");
    }
}

//! What stands in a session's place and is no file.
//!
//! The only test of this program: it starts another one, which inherits the
//! journals' locks for a moment, so that no other test could open its own again.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use journal::{Journal, OpenError};
use tempfile::TempDir;

/// A closed session, and nothing in the current one.
fn closed() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    journal.append(&serde_json::json!({"text": "x"})).unwrap();
    journal.archive(None).unwrap();
    dir
}

fn archived(dir: &Path) -> PathBuf {
    let archives = journal::list_archives(dir).unwrap();
    archives.into_iter().next().unwrap().path
}

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

/// Fails where a call waits for somebody at the other end of a pipe: nobody comes.
fn in_time<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, waited) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(call()));
    let minute = std::time::Duration::from_secs(60);
    waited.recv_timeout(minute).expect("it waits for ever")
}

#[test]
fn what_is_no_file_in_the_sessions_place_is_an_error_at_once() {
    let dir = closed();
    let session = journal::current_session(dir.path());
    let socket = dir.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let put: [(&str, &dyn Fn()); 4] = [
        ("pipe", &|| fifo(&session)),
        ("socket", &|| fs::rename(&socket, &session).unwrap()),
        ("directory", &|| fs::create_dir(&session).unwrap()),
        ("link", &|| {
            std::os::unix::fs::symlink(archived(dir.path()), &session).unwrap();
        }),
    ];
    for (what, put) in put {
        fs::remove_file(&session)
            .or_else(|_| fs::remove_dir(&session))
            .unwrap();
        put();
        let path = dir.path().to_owned();
        let error = in_time(move || Journal::open(path)).unwrap_err();
        let OpenError::Io(error) = error else {
            panic!("{what}: {error:?}")
        };
        assert_eq!(error.path, session, "{what}");
        assert!(error.source.to_string().contains(what), "{error:?}");
        if what != "link" {
            let path = session.clone();
            let read = in_time(move || journal::Reader::open(path)).unwrap_err();
            assert!(read.source.to_string().contains(what), "{read:?}");
        }
    }
}

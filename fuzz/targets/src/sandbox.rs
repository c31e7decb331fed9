//! A directory with one closed session, for what reads real files only.

use std::fs;
use std::path::Path;

use query::Source;
use tempfile::TempDir;

const NAME: &str = "session_20251120_143022.jsonl";

thread_local! {
    static DIR: TempDir = make();
}

fn make() -> TempDir {
    // In memory where the system has that: the files are written again and again.
    let memory = Path::new("/dev/shm");
    let dir = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
    let dir = dir.expect("a directory can be made");
    fs::create_dir(query::archive_dir(dir.path())).expect("a directory can be made");
    dir
}

/// Lets `act` work on a journal whose one closed session has these bytes.
///
/// It is a closed one because the end of one that is being written is waited for.
pub(crate) fn with_session(bytes: &[u8], act: impl FnOnce(&Path, &dyn Fn() -> Source)) {
    // An empty file would be a name that is reserved for a session to come.
    let bytes = if bytes.is_empty() { b"\n" } else { bytes };
    DIR.with(|dir| {
        let dir = dir.path();
        fs::write(query::archive_dir(dir).join(NAME), bytes).expect("a file can be written");
        act(dir, &|| {
            Source::archive(dir, NAME).expect("the session is there")
        });
    });
}

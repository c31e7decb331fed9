//! How is a file copied, so that the copy is either whole or not there?

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use journal::raw::{FileSystem as _, RealFs, SessionFile};

use crate::platform::{private_dir, private_file};

/// How much is read at once.
const PIECE: usize = 1 << 20;

/// Makes a directory and its parents, open to their owner alone.
pub(super) fn make_dir(path: &Path) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    private_dir(&mut builder);
    let made = builder.recursive(true).create(path);
    made.with_context(|| format!("cannot make {}", path.display()))
}

/// Copies a file with its time.
pub(super) fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut source = File::open(from).with_context(|| format!("cannot open {}", from.display()))?;
    let modified = source.metadata().and_then(|metadata| metadata.modified());
    replace(to, |file| {
        let mut piece = vec![0; PIECE];
        loop {
            match source.read(&mut piece)? {
                0 => break,
                count => file.write_all(piece.get(..count).unwrap_or_default())?,
            }
        }
        // A courtesy to people, and to the indexes.
        let _kept = modified.as_ref().map(|time| file.set_modified(*time));
        Ok(())
    })
}

/// Writes a session up to its last whole line; an empty one where there is none.
pub(super) fn write_session(session: Option<&SessionFile>, to: &Path) -> anyhow::Result<()> {
    replace(to, |file| {
        let Some(session) = session else {
            return Ok(());
        };
        let end = session.size().map_err(io::Error::other)?;
        let (mut at, mut whole) = (0, 0);
        let mut piece = vec![0; PIECE];
        while at < end {
            let wanted = usize::try_from(end - at).map_or(PIECE, |left| left.min(PIECE));
            let room = piece.get_mut(..wanted).unwrap_or_default();
            let count = session.read_full(room, at).map_err(io::Error::other)?;
            let bytes = room.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            file.write_all(bytes)?;
            if let Some(newline) = bytes.iter().rposition(|byte| *byte == b'\n') {
                whole = at + newline as u64 + 1;
            }
            at += count as u64;
        }
        // What is behind it is just being written, or was torn by a crash.
        file.set_len(whole)
    })
}

/// Writes a file beside, syncs it and lets it take the name.
fn replace(to: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> anyhow::Result<()> {
    let new = beside(to);
    let written = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        private_file(&mut options);
        let mut file = options.write(true).create(true).truncate(true).open(&new)?;
        write(&mut file)?;
        file.sync_all()?;
        // An open file may refuse to be renamed on Windows.
        drop(file);
        std::fs::rename(&new, to)?;
        RealFs.sync_dir(to.parent().unwrap_or(Path::new(".")))
    };
    written().with_context(|| format!("cannot write {}", to.display()))
}

/// A name that no reader of a journal takes for a session.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".copy");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_fails_in_the_middle_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("x");
        std::fs::write(&to, "old").unwrap();
        let failed = replace(&to, |file| {
            file.write_all(b"new")?;
            Err(io::Error::other("the disk"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&to).unwrap(), b"old");
    }
}

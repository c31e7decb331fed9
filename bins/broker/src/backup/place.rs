//! Where a copy goes: a directory, or a stream as tar.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::Context as _;
use journal::raw::SessionFile;
use journal::{Archive, Sessions, Upkeep};

use super::copy::{copy_file, make_dir, write_session};

/// How much is read at once.
const PIECE: usize = 1 << 20;

/// Where a copy goes. Names are relative to a journal's directory.
pub(super) trait Place {
    /// Copies a closed session; false where it is there already.
    fn closed(&mut self, archive: &Archive) -> anyhow::Result<bool>;

    /// Copies a file that does not change.
    fn file(&mut self, from: &Path, name: &Path) -> anyhow::Result<()>;

    /// Copies a session up to its last whole line; without one there is none any more.
    fn session(&mut self, session: Option<&SessionFile>, name: &Path) -> anyhow::Result<()>;
}

/// A closed session's name below a journal's directory.
fn in_archive(archive: &Archive) -> PathBuf {
    Path::new("archive").join(&archive.name)
}

/// A directory, in which an earlier copy may be.
pub(super) struct Folder {
    dir: PathBuf,
    there: Vec<Archive>,
    /// Two backups to one place would take each other's newest session away.
    _alone: Upkeep,
}

impl Folder {
    pub(super) fn open(dir: &Path) -> anyhow::Result<Self> {
        make_dir(&dir.join("archive"))?;
        let alone = Upkeep::begin(dir).context("the copy can't be written")?;
        Ok(Self {
            dir: dir.to_owned(),
            there: Sessions::of(dir).closed()?,
            _alone: alone,
        })
    }
}

impl Place for Folder {
    fn closed(&mut self, archive: &Archive) -> anyhow::Result<bool> {
        // Closed sessions never change, but they may be compressed.
        let is_same =
            |known: &Archive| known.session() == archive.session() && known.bytes == archive.bytes;
        if self.there.iter().any(is_same) {
            return Ok(false);
        }
        self.file(&archive.path, &in_archive(archive))?;
        Ok(true)
    }

    fn file(&mut self, from: &Path, name: &Path) -> anyhow::Result<()> {
        let to = self.dir.join(name);
        if let Some(parent) = to.parent() {
            make_dir(parent)?;
        }
        copy_file(from, &to)
    }

    fn session(&mut self, session: Option<&SessionFile>, name: &Path) -> anyhow::Result<()> {
        let to = self.dir.join(name);
        if session.is_none() && !to.exists() {
            return Ok(());
        }
        write_session(session, &to)
    }
}

/// A stream, as tar.
pub(super) struct Stream<W: Write> {
    tar: tar::Builder<W>,
    sent: HashSet<String>,
}

impl<W: Write> Stream<W> {
    pub(super) fn begin(out: W) -> Self {
        Self {
            tar: tar::Builder::new(out),
            sent: HashSet::new(),
        }
    }

    /// Writes the end, without which what has come is no whole copy.
    pub(super) fn finish(self) -> io::Result<()> {
        self.tar.into_inner()?.flush()
    }

    fn append(
        &mut self,
        name: &Path,
        bytes: u64,
        modified: u64,
        content: impl Read,
    ) -> anyhow::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(modified);
        let told = || format!("cannot write {}", name.display());
        // One that is shorter than was said would shift all that comes behind it.
        let padded = content.chain(io::repeat(b'\n')).take(bytes);
        self.tar
            .append_data(&mut header, name, padded)
            .with_context(told)
    }
}

impl<W: Write> Place for Stream<W> {
    fn closed(&mut self, archive: &Archive) -> anyhow::Result<bool> {
        // The list may be made anew while some have gone already.
        if self.sent.contains(archive.session()) {
            return Ok(false);
        }
        self.file(&archive.path, &in_archive(archive))?;
        self.sent.insert(archive.session().to_owned());
        Ok(true)
    }

    fn file(&mut self, from: &Path, name: &Path) -> anyhow::Result<()> {
        let file = File::open(from).with_context(|| format!("cannot open {}", from.display()))?;
        let metadata = file
            .metadata()
            .with_context(|| format!("cannot read {}", from.display()))?;
        let modified = metadata.modified().ok();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |time| time.as_secs());
        self.append(name, metadata.len(), modified, file)
    }

    fn session(&mut self, session: Option<&SessionFile>, name: &Path) -> anyhow::Result<()> {
        let Some(session) = session else {
            return Ok(());
        };
        let end = whole(session)?;
        let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |time| time.as_secs());
        self.append(name, end, now, Reading { session, at: 0 })
    }
}

/// Finds the end of a session's last whole line. What is behind it is just being
/// written, or was torn by a crash.
fn whole(session: &SessionFile) -> anyhow::Result<u64> {
    let mut end = session.size()?;
    let mut piece = vec![0; PIECE];
    while end > 0 {
        let begin = end.saturating_sub(PIECE as u64);
        let wanted = usize::try_from(end - begin).unwrap_or(PIECE);
        let room = piece.get_mut(..wanted).unwrap_or_default();
        let count = session.read_full(room, begin)?;
        let bytes = room.get(..count).unwrap_or_default();
        if let Some(newline) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + newline as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// A session, read from its beginning.
struct Reading<'a> {
    session: &'a SessionFile,
    at: u64,
}

impl Read for Reading<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.session.read_full(room, self.at);
        let count = count.map_err(io::Error::other)?;
        self.at += count as u64;
        Ok(count)
    }
}

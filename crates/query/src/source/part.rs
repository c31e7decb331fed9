//! One session file, as far as it is read, and the index that belongs to it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use journal::Damage;
use journal::raw::ReadFile;
use tempfile::NamedTempFile;

use super::{Convert, handle, open, tail};
use crate::closed;
use crate::convert::{self, Converted, Growth};
use crate::error::Error;

/// One session file, as far as it is read.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    /// Nothing at or behind this offset is read.
    pub(crate) end: u64,
    /// A closed session is opened only when it is read: there may be many.
    pub(super) held: Option<Arc<dyn ReadFile>>,
    /// Holds the lines of a file that had none, or what came from a pipe.
    pub(super) spool: Option<Arc<NamedTempFile>>,
    /// How a file goes on whose lines were made one by one.
    pub(super) growth: Option<Growth>,
    /// What was found wrong before any line was read.
    pub(crate) damage: Vec<Damage>,
    /// Whether a journal wrote it, so that its numbers grow.
    pub(crate) is_session: bool,
    /// Which index is looked for.
    pub(crate) indexed: Indexed,
    /// Whether the session has the bytes that its index was made of, where its time
    /// did not tell.
    pub(crate) has_content: OnceLock<bool>,
    /// Why its index is not used, if it has one.
    pub(super) complaint: OnceLock<String>,
}

/// Which index a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indexed {
    No,
    /// One of all of it.
    Closed,
    /// One of its beginning.
    Current,
}

impl Part {
    /// A file that somebody may write to.
    pub(super) fn live(path: &Path, file: Arc<dyn ReadFile>) -> Result<Self, Error> {
        let mut part = Self::whole(path, file.clone())?;
        part.is_session = true;
        part.indexed = Indexed::Current;
        part.end = tail::settle(file.as_ref(), path, part.end)?;
        Ok(part)
    }

    /// A file that lies anywhere.
    pub(super) fn file(path: &Path) -> Result<Self, Error> {
        Self::file_by(path, convert::lines_of)
    }

    pub(super) fn file_by(path: &Path, convert: Convert) -> Result<Self, Error> {
        if let Some(spool) = open::spool_if_pipe(path)? {
            return Self::spooled(path, spool);
        }
        let file = open::file(path)?;
        if closed::is_compressed(&path.to_string_lossy())
            && let Ok(file) = open::session_file(path)
        {
            return Self::whole(path, file);
        }
        if let Some(converted) = convert(path)? {
            return Self::converted(path, converted);
        }
        if path.file_name() == journal::current_session("").file_name() {
            return Self::live(path, file);
        }
        Self::whole(path, file)
    }

    /// What came through a pipe.
    pub(super) fn spooled(name: &Path, spool: NamedTempFile) -> Result<Self, Error> {
        if let Some(converted) = convert::lines_of_spool(&spool, name)? {
            return Self::converted(name, converted);
        }
        let mut part = Self::whole(name, open::file(spool.path())?)?;
        part.spool = Some(Arc::new(spool));
        Ok(part)
    }

    fn converted(path: &Path, converted: Converted) -> Result<Self, Error> {
        let Converted {
            lines,
            damage,
            growth,
        } = converted;
        let mut part = Self::whole(path, open::file(lines.path())?)?;
        part.spool = Some(Arc::new(lines));
        part.growth = growth;
        part.damage = damage;
        Ok(part)
    }

    pub(super) fn whole(path: &Path, file: Arc<dyn ReadFile>) -> Result<Self, Error> {
        let size = file.size().map_err(|source| Error::Read {
            operation: "measure",
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            end: size,
            held: Some(file),
            spool: None,
            growth: None,
            damage: Vec::new(),
            is_session: false,
            indexed: Indexed::No,
            has_content: OnceLock::new(),
            complaint: OnceLock::new(),
        })
    }

    pub(super) fn closed(archive: &journal::Archive) -> Result<Self, Error> {
        // What somebody has packed otherwise than the broker does it.
        let is_session =
            closed::is_compressed(&archive.name) && open::session_file(&archive.path).is_ok();
        if closed::is_packed(&archive.name) && !is_session {
            return Self::file(&archive.path);
        }
        Ok(Self {
            path: archive.path.clone(),
            end: archive.bytes,
            held: None,
            spool: None,
            growth: None,
            damage: Vec::new(),
            is_session: true,
            indexed: Indexed::Closed,
            has_content: OnceLock::new(),
            complaint: OnceLock::new(),
        })
    }

    pub(crate) fn may_have_index(&self) -> bool {
        self.indexed != Indexed::No && self.complaint.get().is_none()
    }

    /// Notes why the index is not used.
    pub(crate) fn complain(&self, reason: &str) {
        // The first reason is enough.
        let _known = self.complaint.set(reason.to_owned());
    }

    pub(crate) fn open(&self) -> Result<Arc<dyn ReadFile>, Error> {
        match &self.held {
            Some(file) => Ok(file.clone()),
            None => open::session_file(&self.path),
        }
    }

    /// Reads some bytes from `offset` on; 0 only at the end of the file.
    pub(crate) fn read_at(
        &self,
        file: &dyn ReadFile,
        bytes: &mut [u8],
        offset: u64,
    ) -> Result<usize, Error> {
        handle::read_at(file, &self.path, bytes, offset)
    }

    /// Reads the line that begins at `offset`, up to `most` bytes of it.
    pub(crate) fn line_at(&self, offset: u64, most: usize) -> Result<Vec<u8>, Error> {
        const STEP: usize = 8 << 10;
        let file = self.open()?;
        let mut line = Vec::new();
        loop {
            let known = line.len();
            line.resize(known + STEP, 0);
            let room = line.get_mut(known..).unwrap_or_default();
            let count = self.read_at(file.as_ref(), room, offset + known as u64)?;
            let newline = memchr::memchr(b'\n', room.get(..count).unwrap_or_default());
            line.truncate(known + newline.unwrap_or(count));
            if newline.is_some() || count == 0 || line.len() >= most {
                return Ok(line);
            }
        }
    }

    /// Reads bytes that were there before.
    pub(crate) fn read_exact(
        &self,
        file: &dyn ReadFile,
        bytes: &mut [u8],
        offset: u64,
    ) -> Result<(), Error> {
        handle::read_exact(file, &self.path, bytes, offset)
    }
}

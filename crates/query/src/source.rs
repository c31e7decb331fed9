//! The session files of a question, opened once and read as often as it takes.
//!
//! Where the broker may rename a file, it is reached by its handle alone: that it
//! is archived meanwhile, and so gets another name, changes nothing.

mod lines;
mod open;
mod tail;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use journal::{FileSystem, Integrity, ReadFile, RealFs};

use crate::archives;
use crate::error::Error;
use crate::index::{Index, Unusable};
use crate::scan::{Chunk, Tuning};
pub(crate) use lines::Lines;
pub(crate) use open::current_reader;

/// A message to be shown. Its line is parsed only where somebody asks.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its number.
    pub number: u64,
    /// The file that it stands in.
    pub path: &'a Path,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// What its checksum says.
    pub integrity: Integrity,
    /// The line, without its newline.
    pub line: &'a [u8],
    /// How many messages it stands below in a tree of replies; else 0.
    pub depth: usize,
}

impl<'a> Entry<'a> {
    /// Reads the fields of the line.
    ///
    /// # Errors
    /// [`message::DecodeError`] where somebody put a right checksum on a line
    /// that is no message.
    pub fn record(&self) -> Result<message::Record<'a>, message::DecodeError> {
        message::Record::parse(self.line)
    }
}

/// How many bytes of a [`Source`] were read for the question being answered.
///
/// Some questions need what was read more than once.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Returns how many bytes were read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One or several session files, the oldest first.
///
/// What is recorded after it was opened is not part of it.
#[derive(Debug)]
pub struct Source {
    name: PathBuf,
    pub(crate) parts: Vec<Part>,
    pub(crate) tuning: Tuning,
    progress: Progress,
    /// Holds what came from a pipe.
    _spool: Option<tempfile::NamedTempFile>,
}

/// One session file, as far as it is read.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    /// Nothing at or behind this offset is read.
    pub(crate) end: u64,
    /// A closed session is opened only when it is read: there may be many.
    held: Option<Arc<dyn ReadFile>>,
    /// Whether an index is looked for.
    may_have_index: bool,
    /// Why its index is not used, if it has one.
    complaint: OnceLock<String>,
}

impl Source {
    /// Opens the session being written in a journal's directory.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], [`Error::NoSession`], or [`Error::Read`] where
    /// the file can't be opened.
    pub fn current(dir: &Path) -> Result<Self, Error> {
        let path = journal::current_session(dir);
        let part = Part::live(&path, open::current_file(dir)?)?;
        Ok(Self::new(path, vec![part]))
    }

    /// Opens a closed session by its name, with or without its `.jsonl`.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], [`Error::NoArchive`] where the name is not in the
    /// list of [`archives`](crate::list_archives), or [`Error::Read`] where the
    /// file can't be opened.
    pub fn archive(dir: &Path, name: &str) -> Result<Self, Error> {
        Self::archives(dir, &[name.to_owned()])
    }

    /// Opens closed sessions by their names, in the order of their messages.
    ///
    /// # Errors
    /// As [`archive`](Self::archive).
    pub fn archives(dir: &Path, names: &[String]) -> Result<Self, Error> {
        let chosen = archives::choose_all(dir, names)?;
        let parts: Vec<_> = chosen.iter().map(Part::closed).collect();
        let name = match &parts[..] {
            [part] => part.path.clone(),
            _ => archives::archive_dir(dir),
        };
        Ok(Self::new(name, parts))
    }

    /// Opens every closed session, oldest first, and the one being written.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], [`Error::NoSession`] where there is nothing at
    /// all, or [`Error::Read`] where a file can't be opened.
    pub fn all(dir: &Path) -> Result<Self, Error> {
        let open::All { archives, current } = open::all(dir)?;
        let mut parts: Vec<_> = archives.iter().map(Part::closed).collect();
        if let Some(file) = current {
            parts.push(Part::live(&journal::current_session(dir), file)?);
        }
        Ok(Self::new(dir.to_owned(), parts))
    }

    /// Opens a file that lies anywhere. What is no regular file, such as a pipe,
    /// is copied to a temporary file first.
    ///
    /// # Errors
    /// [`Error::Read`] where it can't be opened or read, [`Error::NotAFile`] for
    /// a directory, and [`Error::File`] where it can't be copied.
    pub fn file(path: &Path) -> Result<Self, Error> {
        if let Some(spool) = open::spool_if_pipe(path)? {
            return Self::spooled(path, spool);
        }
        let file = open::file(path)?;
        let is_current = path.file_name() == journal::current_session("").file_name();
        let part = if is_current {
            Part::live(path, file)?
        } else {
            Part::whole(path, file)?
        };
        Ok(Self::new(path.to_owned(), vec![part]))
    }

    /// Reads standard input to its end.
    ///
    /// # Errors
    /// [`Error::File`] where it can't be copied to a temporary file.
    pub fn stdin() -> Result<Self, Error> {
        let name = Path::new("standard input");
        Self::spooled(name, open::spool(&mut std::io::stdin().lock(), name)?)
    }

    fn spooled(name: &Path, spool: tempfile::NamedTempFile) -> Result<Self, Error> {
        let part = Part::whole(name, open::file(spool.path())?)?;
        let mut source = Self::new(name.to_owned(), vec![part]);
        source._spool = Some(spool);
        Ok(source)
    }

    fn new(name: PathBuf, parts: Vec<Part>) -> Self {
        Self {
            name,
            parts,
            tuning: Tuning::default(),
            progress: Progress::default(),
            _spool: None,
        }
    }

    /// Answers without the indexes of closed sessions.
    #[must_use]
    pub fn without_index(mut self) -> Self {
        for part in &mut self.parts {
            part.may_have_index = false;
        }
        self
    }

    /// Returns the sessions whose indexes were found and not used so far, and why.
    pub fn unused_indexes(&self) -> impl Iterator<Item = (&Path, &str)> {
        let parts = self.parts.iter();
        parts.filter_map(|part| Some((&*part.path, part.complaint.get()?.as_str())))
    }

    /// Returns the path under which the file was opened, or the directory of
    /// several.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.name
    }

    /// Returns how many bytes there are to read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.end).sum()
    }

    /// Returns something that tells how far reading has come, also to another thread.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    pub(crate) fn has_read(&self, bytes: u64) {
        self.progress.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the stretches that hold everything.
    pub(crate) fn stretches(&self) -> Vec<Chunk> {
        let whole = |(part, file): (usize, &Part)| Chunk {
            part,
            start: 0,
            end: file.end,
        };
        self.parts.iter().enumerate().map(whole).collect()
    }
}

impl Part {
    /// A file that somebody may write to.
    fn live(path: &Path, file: Arc<dyn ReadFile>) -> Result<Self, Error> {
        let mut part = Self::whole(path, file.clone())?;
        part.end = tail::settle(file.as_ref(), &part)?;
        Ok(part)
    }

    fn whole(path: &Path, file: Arc<dyn ReadFile>) -> Result<Self, Error> {
        let size = file.size().map_err(|source| Error::Read {
            operation: "measure",
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            end: size,
            held: Some(file),
            may_have_index: false,
            complaint: OnceLock::new(),
        })
    }

    fn closed(archive: &journal::Archive) -> Self {
        Self {
            path: archive.path.clone(),
            end: archive.bytes,
            held: None,
            may_have_index: true,
            complaint: OnceLock::new(),
        }
    }

    pub(crate) fn may_have_index(&self) -> bool {
        self.may_have_index && self.complaint.get().is_none()
    }

    /// Opens the index, if there is one that belongs to the file as it is read.
    pub(crate) fn index(&self) -> Option<Index> {
        if !self.may_have_index() {
            return None;
        }
        let file = self.open().ok()?;
        if file.size().ok() != Some(self.end) {
            return None;
        }
        match Index::open(&self.path, file.as_ref()) {
            Ok(index) => Some(index),
            Err(Unusable::Missing) => None,
            Err(unusable) => {
                self.complain(&unusable.to_string());
                None
            }
        }
    }

    /// Notes why the index is not used.
    pub(crate) fn complain(&self, reason: &str) {
        // The first reason is enough.
        let _known = self.complaint.set(reason.to_owned());
    }

    pub(crate) fn open(&self) -> Result<Arc<dyn ReadFile>, Error> {
        match &self.held {
            Some(file) => Ok(file.clone()),
            None => open::file(&self.path),
        }
    }

    /// Reads some bytes from `offset` on; 0 only at the end of the file.
    pub(crate) fn read_at(
        &self,
        file: &dyn ReadFile,
        bytes: &mut [u8],
        offset: u64,
    ) -> Result<usize, Error> {
        file.read_at(bytes, offset).map_err(|source| Error::Read {
            operation: "read",
            path: self.path.clone(),
            source,
        })
    }

    /// Reads the line that begins at `offset`, but no more than so many bytes.
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
        let mut filled = 0;
        while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.read_at(file, room, offset + filled as u64)? {
                0 => {
                    return Err(Error::Read {
                        operation: "read",
                        path: self.path.clone(),
                        source: std::io::ErrorKind::UnexpectedEof.into(),
                    });
                }
                count => filled += count,
            }
        }
        Ok(())
    }
}

/// Opens a file of the local file system for reading.
fn open_file(path: &Path) -> std::io::Result<Arc<dyn ReadFile>> {
    RealFs.open_read(path).map(Arc::from)
}

#[cfg(test)]
mod tests;

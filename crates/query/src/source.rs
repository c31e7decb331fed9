//! The session files of a question, opened once and read as often as it takes.
//!
//! Where the broker may rename a file, it is reached by its handle alone: that it
//! is archived meanwhile, and so gets another name, changes nothing.

mod chunk;
mod handle;
mod open;
mod part;
mod tail;
mod tuning;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use journal::Integrity;
use journal::raw::{FileSystem, ReadFile, RealFs};

use crate::closed;
use crate::convert::{self, Converted, Ways};
use crate::error::Error;
use crate::findings::Findings;
pub(crate) use chunk::{CACHE_LINE, Chunk, LoadedLines, lag, load};
pub(crate) use open::{All, all, current_reader, session_file};
pub(crate) use part::{Indexed, Part};
pub(crate) use tuning::Tuning;

/// A message to be shown. Its line is parsed only where somebody asks.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its number. Far behind the beginning of a file of lines without checksums it
    /// is the one that the line, or one shortly before it, carries; `None` where none
    /// does. Whoever needs it says so ([`Sink::wants_numbers`](crate::Sink::wants_numbers)).
    pub number: Option<u64>,
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
    /// Whether its files have nothing to do with each other, so that only the
    /// time tells which message came first.
    pub(crate) is_merged: bool,
    progress: Progress,
    /// The closed session that stands for a current one without messages.
    instead: Option<String>,
}

/// How lines are made of a file.
type Convert = fn(&Path) -> Result<Option<Converted>, Error>;

/// Leaves out files that were named before, under whatever name.
fn keep_first(parts: &mut Vec<Part>) {
    let mut seen = std::collections::HashSet::new();
    parts.retain(|part| {
        let path = part.path.canonicalize();
        path.map_or(true, |path| seen.insert(path))
    });
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

    /// Opens the session being written, or the newest closed one where that has
    /// no message: after an orderly stop and at the daily rotation it begins anew.
    /// [`instead`](Self::instead) tells which one it is then.
    ///
    /// # Errors
    /// As [`current`](Self::current); [`Error::NoSession`] only where there is no
    /// closed session either.
    pub fn current_or_newest(dir: &Path) -> Result<Self, Error> {
        let current = match Self::current(dir) {
            Err(Error::NoSession { archives, .. }) if archives > 0 => None,
            opened => Some(opened?),
        };
        let (None | Some(0)) = current.as_ref().map(Self::bytes) else {
            return current.map_or_else(|| Self::current(dir), Ok);
        };
        match (closed::list(dir)?.pop(), current) {
            (Some(newest), _) => {
                let mut source = Self::closed(dir, std::slice::from_ref(&newest))?;
                source.instead = Some(newest.name);
                Ok(source)
            }
            (None, Some(current)) => Ok(current),
            (None, None) => Self::current(dir),
        }
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

    /// Opens closed sessions by their names, in the order of their messages. A
    /// name may be a pattern with `*` and `?`, or `latest`.
    ///
    /// # Errors
    /// As [`archive`](Self::archive).
    pub fn archives(dir: &Path, names: &[String]) -> Result<Self, Error> {
        Self::closed(dir, &closed::choose_all(dir, names)?)
    }

    fn closed(dir: &Path, chosen: &[journal::Archive]) -> Result<Self, Error> {
        let parts = chosen.iter().map(Part::closed);
        let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
        let name = match &parts[..] {
            [part] => part.path.clone(),
            _ => closed::archive_dir(dir),
        };
        Ok(Self::new(name, parts))
    }

    /// Opens every closed session, oldest first, and the one being written.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], [`Error::NoSession`] where there is nothing at
    /// all, or [`Error::Read`] where a file can't be opened.
    pub fn all(dir: &Path) -> Result<Self, Error> {
        let All { archives, current } = all(dir)?;
        let parts = archives.iter().map(Part::closed);
        let mut parts: Vec<_> = parts.collect::<Result<_, _>>()?;
        if let Some(file) = current {
            parts.push(Part::live(&journal::current_session(dir), file.file())?);
        }
        Ok(Self::new(dir.to_owned(), parts))
    }

    /// Opens a file that lies anywhere. What is no regular file, such as a pipe,
    /// is copied to a temporary file first, and so are the lines of a file that is
    /// packed, is in UTF-16, or holds JSON over several lines.
    ///
    /// # Errors
    /// [`Error::Read`] where it can't be opened or read, [`Error::NotAFile`] for
    /// a directory, and [`Error::File`] where it can't be copied.
    pub fn file(path: &Path) -> Result<Self, Error> {
        Ok(Self::new(path.to_owned(), vec![Part::file(path)?]))
    }

    /// Opens a session file as its bytes stand, whatever they are.
    pub(crate) fn session(path: &Path) -> Result<Self, Error> {
        let part = Part::whole(path, open::session_file(path)?)?;
        Ok(Self::new(path.to_owned(), vec![part]))
    }

    /// Opens several files, and all sessions of directories, whose messages are
    /// put in the order of their times; `-` is standard input. Of a directory that is no
    /// journal's, the files in it count. What is named twice is read once.
    ///
    /// # Errors
    /// As [`file`](Self::file) and [`all`](Self::all).
    pub fn files(paths: &[PathBuf]) -> Result<Self, Error> {
        Self::of_files(paths, convert::lines_of)
    }

    /// Opens files that somebody may be writing, each up to its last whole line.
    pub(crate) fn growing_files(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut source = Self::of_files(paths, convert::growing_lines_of)?;
        for part in &mut source.parts {
            if part.spool.is_none()
                && let Some(file) = part.held.clone()
            {
                part.end = tail::settle(file.as_ref(), &part.path, part.end)?;
            }
        }
        Ok(source)
    }

    fn of_files(paths: &[PathBuf], convert: Convert) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut journals = 0;
        for path in paths {
            if path.as_os_str() == "-" {
                parts.extend(Self::stdin()?.parts);
            } else if path.is_dir() {
                let files = open::files_in(path);
                for file in &files {
                    parts.push(Part::file_by(file, convert)?);
                }
                if files.is_empty() {
                    parts.extend(Self::all(path)?.parts);
                    journals += 1;
                }
            } else {
                parts.push(Part::file_by(path, convert)?);
            }
        }
        let is_one_journal = paths.len() == 1 && journals == 1;
        let is_merged = parts.len() > 1 && !is_one_journal;
        keep_first(&mut parts);
        let name = match &parts[..] {
            [part] => part.path.clone(),
            parts => PathBuf::from(format!("{} files", parts.len())),
        };
        let mut source = Self::new(name, parts);
        source.is_merged = is_merged;
        Ok(source)
    }

    /// Returns each file that can grow, how far it is read, and how it goes on; `None`
    /// where it can't be gone on with.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (&Path, Option<(u64, Option<Ways>)>)> {
        let grows = |part: &&Part| part.held.is_some();
        self.parts.iter().filter(grows).map(|part| {
            let end = match (&part.growth, &part.spool) {
                (Some(growth), _) => Some((growth.taken, Some(growth.ways.clone()))),
                (None, Some(_)) => None,
                (None, None) if part.end == 0 => Some((0, None)),
                (None, None) => Some((part.end, Some(Ways::default()))),
            };
            (&*part.path, end)
        })
    }

    /// Reads standard input to its end.
    ///
    /// # Errors
    /// [`Error::File`] where it can't be copied to a temporary file.
    pub fn stdin() -> Result<Self, Error> {
        let name = Path::new("standard input");
        let spool = open::spool(&mut std::io::stdin().lock(), name)?;
        Ok(Self::new(
            name.to_owned(),
            vec![Part::spooled(name, spool)?],
        ))
    }

    fn new(name: PathBuf, parts: Vec<Part>) -> Self {
        Self {
            name,
            parts,
            tuning: Tuning::default(),
            is_merged: false,
            progress: Progress::default(),
            instead: None,
        }
    }

    /// Returns the name of the closed session that stands for a current one
    /// without messages.
    #[must_use]
    pub fn instead(&self) -> Option<&str> {
        self.instead.as_deref()
    }

    /// Answers without the indexes of sessions.
    #[must_use]
    pub fn without_index(mut self) -> Self {
        for part in &mut self.parts {
            part.indexed = Indexed::No;
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

    /// Returns the files that are read, the oldest first.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(|part| &*part.path)
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

    /// Adds what was found wrong before any line was read.
    pub(crate) fn add_damage_to(&self, findings: &mut Findings) {
        let damage = self.parts.iter().flat_map(|part| &part.damage);
        damage.for_each(|damage| findings.add_damage(damage.clone()));
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

/// Opens a file of the local file system for reading.
fn open_file(path: &Path) -> std::io::Result<Arc<dyn ReadFile>> {
    RealFs.open_read(path).map(Arc::from)
}

#[cfg(test)]
mod tests;

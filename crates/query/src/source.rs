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

use journal::{Damage, FileSystem, Integrity, ReadFile, RealFs};
use tempfile::NamedTempFile;

use crate::archives;
use crate::convert::{self, Converted, Growth, Ways};
use crate::error::Error;
use crate::findings::Findings;
use crate::index::{Index, Unusable};
use crate::scan::{Chunk, Numbers, Tuning};
pub(crate) use lines::Lines;
pub(crate) use open::{All, all, current_reader, session_file};

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

/// One session file, as far as it is read.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    /// Nothing at or behind this offset is read.
    pub(crate) end: u64,
    /// A closed session is opened only when it is read: there may be many.
    held: Option<Arc<dyn ReadFile>>,
    /// Holds the lines of a file that had none, or what came from a pipe.
    spool: Option<Arc<NamedTempFile>>,
    /// How a file goes on whose lines were made one by one.
    growth: Option<Growth>,
    /// What was found wrong before any line was read.
    pub(crate) damage: Vec<Damage>,
    /// Whether a journal wrote it, so that its numbers grow.
    pub(crate) is_session: bool,
    /// Which index is looked for.
    indexed: Indexed,
    /// Whether the session has the bytes that its index was made of, where its time
    /// did not tell.
    has_content: OnceLock<bool>,
    /// Why its index is not used, if it has one.
    complaint: OnceLock<String>,
}

/// Which index a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Indexed {
    No,
    /// One of all of it.
    Closed,
    /// One of its beginning.
    Current,
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
        match (archives::list(dir)?.pop(), current) {
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
        Self::closed(dir, &archives::choose_all(dir, names)?)
    }

    fn closed(dir: &Path, chosen: &[journal::Archive]) -> Result<Self, Error> {
        let parts = chosen.iter().map(Part::closed);
        let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
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
                part.end = tail::settle(file.as_ref(), part)?;
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

    /// Returns the number of the last message of a file, if there is any.
    pub(crate) fn last_number(&self, path: &Path) -> Option<u64> {
        let part = self.parts.iter().position(|part| part.path == path)?;
        let mut numbers = Numbers::new(&self.parts, self.tuning);
        numbers.last_of(part).ok()
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

impl Part {
    /// A file that somebody may write to.
    fn live(path: &Path, file: Arc<dyn ReadFile>) -> Result<Self, Error> {
        let mut part = Self::whole(path, file.clone())?;
        part.is_session = true;
        part.indexed = Indexed::Current;
        part.end = tail::settle(file.as_ref(), &part)?;
        Ok(part)
    }

    /// A file that lies anywhere.
    fn file(path: &Path) -> Result<Self, Error> {
        Self::file_by(path, convert::lines_of)
    }

    fn file_by(path: &Path, convert: Convert) -> Result<Self, Error> {
        if let Some(spool) = open::spool_if_pipe(path)? {
            return Self::spooled(path, spool);
        }
        let file = open::file(path)?;
        if archives::is_compressed(&path.to_string_lossy())
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
    fn spooled(name: &Path, spool: NamedTempFile) -> Result<Self, Error> {
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
            spool: None,
            growth: None,
            damage: Vec::new(),
            is_session: false,
            indexed: Indexed::No,
            has_content: OnceLock::new(),
            complaint: OnceLock::new(),
        })
    }

    fn closed(archive: &journal::Archive) -> Result<Self, Error> {
        // What somebody has packed otherwise than the broker does it.
        let is_session =
            archives::is_compressed(&archive.name) && open::session_file(&archive.path).is_ok();
        if archives::is_packed(&archive.name) && !is_session {
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

    /// Opens the index, if there is one that belongs to the file as it is read.
    pub(crate) fn index(&self) -> Option<Index> {
        if !self.may_have_index() {
            return None;
        }
        let file = self.open().ok()?;
        if self.indexed == Indexed::Closed && file.size().ok() != Some(self.end) {
            return None;
        }
        let opened = Index::open(&self.path, file.as_ref());
        match opened.and_then(|index| self.own(index, file.as_ref())) {
            Ok(index) => Some(index),
            Err(Unusable::Missing) => None,
            // A session that has just begun has none yet, and the former one's is there.
            Err(Unusable::OtherSession) if self.indexed == Indexed::Current => None,
            Err(unusable) => {
                self.complain(&unusable.to_string());
                None
            }
        }
    }

    /// Returns an index if it belongs to the file as far as that is read.
    fn own(&self, index: Index, file: &dyn ReadFile) -> Result<Index, Unusable> {
        let is_read = index.session_bytes() <= self.end;
        let is_same = || *self.has_content.get_or_init(|| index.has_content_of(file));
        match is_read && (index.has_stamp_of(&self.path) || is_same()) {
            true => Ok(index),
            false => Err(Unusable::OtherSession),
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
        file.read_at(bytes, offset).map_err(|source| Error::Read {
            operation: "read",
            path: self.path.clone(),
            source,
        })
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
        let read = file.read_exact_at(bytes, offset);
        read.map_err(|source| Error::Read {
            operation: "read",
            path: self.path.clone(),
            source,
        })
    }
}

/// Opens a file of the local file system for reading.
fn open_file(path: &Path) -> std::io::Result<Arc<dyn ReadFile>> {
    RealFs.open_read(path).map(Arc::from)
}

#[cfg(test)]
mod tests;

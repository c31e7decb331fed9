//! Which session files does a journal have, in which order, and none missed while
//! one is being closed?

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archives::{Archive, Begins, look};
use crate::backward::Backward;
use crate::error::ReadError;
use crate::fs::{FileSystem, RealFs};
use crate::reader::Reader;
use crate::record::{Line, Problem};
use crate::session::Layout;
use crate::session_file::SessionFile;
use crate::span::first_number;

/// How often the directory is looked at again while sessions are closed one after
/// the other.
const TRIES: u32 = 10;

/// The sessions of a journal's directory: everybody who wants to know which there
/// are asks here.
///
/// Each answer is of that moment. What is remembered in between is how closed
/// sessions begin, because they never change.
#[derive(Debug)]
pub struct Sessions {
    fs: Arc<dyn FileSystem>,
    layout: Layout,
    /// How closed sessions begin, by their files' names and lengths.
    known: HashMap<(String, u64), Known>,
}

/// What never changes of a closed session.
#[derive(Debug, Clone, Copy)]
struct Known {
    first: u64,
    begins: Begins,
    bytes: u64,
}

/// All sessions of a journal at one moment: none is missed and none is in it twice.
#[derive(Debug)]
pub struct Snapshot {
    /// The closed ones, in the order of their numbers.
    pub archives: Vec<Archive>,
    /// The one being written, opened, because it may have another name a moment
    /// later. Between two sessions there is none.
    pub current: Option<SessionFile>,
    fs: Arc<dyn FileSystem>,
}

impl Sessions {
    /// Looks at a journal's directory of the local file system.
    #[must_use]
    pub fn of(dir: impl AsRef<Path>) -> Self {
        Self::of_in(Arc::new(RealFs), dir.as_ref())
    }

    /// Looks at a journal's directory of the given file system.
    #[must_use]
    pub fn of_in(fs: Arc<dyn FileSystem>, dir: &Path) -> Self {
        Self {
            fs,
            layout: Layout::new(dir),
            known: HashMap::new(),
        }
    }

    /// Lists the closed sessions, oldest first: by the number of their first record,
    /// and by name where that is the same. A directory without archives is an empty
    /// list.
    ///
    /// # Errors
    /// [`ReadError`] where the archive directory or a file in it can't be read.
    pub fn closed(&mut self) -> Result<Vec<Archive>, ReadError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.look() {
                // A file got another name after it was listed.
                Err(error) if error.is_not_found() && tried < TRIES => {}
                listed => return listed,
            }
        }
    }

    /// Opens the session being written; `None` where there is none, as for a moment
    /// between two sessions.
    ///
    /// # Errors
    /// [`ReadError`] where the file can't be opened.
    pub fn current(&self) -> Result<Option<SessionFile>, ReadError> {
        match SessionFile::open(self.fs.as_ref(), &self.layout.current()) {
            Err(error) if error.is_not_found() => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Finds all sessions.
    ///
    /// The closed ones are the same before and after the current one was opened, so
    /// no session was closed in between: else it would be missed, or be there twice.
    ///
    /// # Errors
    /// [`ReadError`] where the archive directory or a file can't be read.
    pub fn all(&mut self) -> Result<Snapshot, ReadError> {
        let mut archives = self.closed()?;
        let mut tried = 0;
        loop {
            tried += 1;
            let current = self.current()?;
            let before = std::mem::replace(&mut archives, self.closed()?);
            if before == archives || tried == TRIES {
                return Ok(Snapshot {
                    archives,
                    current,
                    fs: Arc::clone(&self.fs),
                });
            }
        }
    }

    fn look(&mut self) -> Result<Vec<Archive>, ReadError> {
        let mut archives = Vec::new();
        for (name, stored) in look(self.fs.as_ref(), &self.layout)?.sessions {
            let path = self.layout.archive(&name);
            let Known {
                first,
                begins,
                bytes,
            } = match self.known.get(&(name.clone(), stored)) {
                Some(known) => *known,
                None => {
                    let file = SessionFile::open(self.fs.as_ref(), &path)?;
                    let (first, begins) = beginning(&file)?;
                    let bytes = file.size()?;
                    let known = Known {
                        first,
                        begins,
                        bytes,
                    };
                    self.known.insert((name.clone(), stored), known);
                    known
                }
            };
            archives.push(Archive {
                name,
                path,
                bytes,
                stored,
                first,
                begins,
            });
        }
        archives.sort_by(|a, b| (a.first, &a.name).cmp(&(b.first, &b.name)));
        Ok(archives)
    }
}

impl Snapshot {
    /// Lists the sessions that hold a record, in the order of their numbers.
    pub(crate) fn holding(self) -> Result<Vec<Holding>, ReadError> {
        let closed = self.archives.into_iter();
        let closed = closed.filter(|archive| archive.begins != Begins::Nowhere);
        let mut holding: Vec<Holding> = closed
            .map(|archive| Holding {
                numbered: archive.begins == Begins::Numbered,
                place: SessionOrder {
                    first: archive.first,
                    name: Name::Archive(archive.session().to_owned()),
                },
                file: Whereabouts::Archive(archive.path),
            })
            .collect();
        if let Some(file) = self.current {
            let (first, begins) = beginning(&file)?;
            let name = Name::Current;
            if begins != Begins::Nowhere {
                holding.push(Holding {
                    numbered: begins == Begins::Numbered,
                    place: SessionOrder { first, name },
                    file: Whereabouts::Current(file),
                });
            }
        }
        holding.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(holding)
    }

    /// Opens each session from its start, oldest first.
    pub fn readers(self) -> impl Iterator<Item = Result<Reader, ReadError>> {
        let Self {
            archives,
            current,
            fs,
        } = self;
        let closed = archives.into_iter();
        let closed = closed.map(move |archive| Reader::open_in(fs.as_ref(), &archive.path));
        closed.chain(current.map(|file| Ok(Reader::live(file))))
    }

    /// Opens each session at its end, newest first.
    pub fn backward(self) -> impl Iterator<Item = Result<Backward, ReadError>> {
        let Self {
            archives,
            current,
            fs,
        } = self;
        let closed = archives.into_iter().rev();
        let closed = closed.map(move |archive| Backward::open_in(fs.as_ref(), &archive.path));
        current.map(Backward::of).into_iter().chain(closed)
    }
}

/// A session that holds a record.
#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) place: SessionOrder,
    /// Whether its lines carry numbers, and not only a count within the file.
    pub(crate) numbered: bool,
    file: Whereabouts,
}

/// A session's place among the others: archives in the order of their first
/// numbers and names, and the current one, which has no name of its own yet,
/// behind all that begin with the same number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionOrder {
    pub(crate) first: u64,
    name: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Archive(String),
    Current,
}

/// Where a session's bytes are.
#[derive(Debug)]
enum Whereabouts {
    Archive(PathBuf),
    /// Opened: it may have another name a moment later.
    Current(SessionFile),
}

impl Holding {
    /// Tells whether nothing is added to it any more.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.file, Whereabouts::Archive(_))
    }

    /// Opens it from its start.
    pub(crate) fn reader(self, fs: &dyn FileSystem) -> Result<Reader, ReadError> {
        match self.file {
            Whereabouts::Archive(path) => Reader::open_in(fs, &path),
            Whereabouts::Current(file) => Ok(Reader::live(file)),
        }
    }

    /// Opens it at its end.
    pub(crate) fn backward(self, fs: &dyn FileSystem) -> Result<Backward, ReadError> {
        match self.file {
            Whereabouts::Archive(path) => Backward::open_in(fs, &path),
            Whereabouts::Current(file) => Backward::of(file),
        }
    }
}

/// Reads all records of a journal's directory in order: those of the closed sessions,
/// and of the one being written as far as it has come.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let (journal, _) = journal::Journal::open(dir.path())?;
/// journal.append(&serde_json::json!({"said": "before"}))?;
/// journal.archive(None)?;
/// journal.append(&serde_json::json!({"said": "after"}))?;
/// let numbers: Vec<u64> = journal::read_all(dir.path())?
///     .filter_map(|line| Some(line.ok()?.number))
///     .collect();
/// assert_eq!(numbers, [1, 2]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ReadError`] where the directory can't be listed. The iterator's errors are damage,
/// behind which it goes on, and files that can't be read.
pub fn read_all(
    dir: impl AsRef<Path>,
) -> Result<impl Iterator<Item = Result<Line, Problem>>, ReadError> {
    let readers = Sessions::of(dir).all()?.readers();
    Ok(readers.flat_map(|opened| {
        let (reader, failed) = match opened {
            Ok(reader) => (Some(reader), None),
            Err(error) => (None, Some(Err(Problem::Io(error)))),
        };
        reader.into_iter().flatten().chain(failed)
    }))
}

/// Tells how a session begins: under which number, and what says so.
pub(crate) fn beginning(file: &SessionFile) -> Result<(u64, Begins), ReadError> {
    if let Some(first) = first_number(file)? {
        return Ok((first, Begins::Numbered));
    }
    let mut reader = Reader::new(file.clone(), file.ending());
    let Some(first) = reader.first_number()? else {
        return Ok((1, Begins::Nowhere));
    };
    let begins = match reader.first_is_numbered()? {
        true => Begins::Numbered,
        false => Begins::Counted,
    };
    Ok((first, begins))
}

impl ReadError {
    pub(crate) fn is_not_found(&self) -> bool {
        self.source.kind() == ErrorKind::NotFound
    }
}

/// Lists the closed sessions of a journal's directory, oldest first: by the
/// number of their first record, and by name where that is the same.
///
/// # Errors
/// [`ReadError`] where the archive directory or a file in it can't be read. A
/// directory without archives is an empty list.
pub fn list_archives(dir: impl AsRef<Path>) -> Result<Vec<Archive>, ReadError> {
    Sessions::of(dir).closed()
}

#[cfg(test)]
mod tests;

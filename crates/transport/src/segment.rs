//! One session's file as those see it who read what is committed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use journal::raw::{ReadFile, RealFs, SessionFile};
use journal::{Archive, Operation, ReadError, Reader};

use crate::sync::held;

/// How much of a session's beginning tells it from all others: the number of
/// its first record is in it.
const BEGINNING: usize = 256;

/// A session, and the very file that its records were committed to.
///
/// A path is never asked for that file while it is written: after a failure, or
/// while a session is closed, another file stands there, with bytes that nobody
/// may see yet.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Counts the sessions that a place can be in.
    pub(crate) ordinal: u64,
    /// The number of its first record, or of the next one to come.
    pub(crate) first: u64,
    held: Mutex<Held>,
    /// Its length in bytes, once it is closed.
    end: OnceLock<u64>,
}

#[derive(Debug)]
enum Held {
    /// Nothing was committed to it yet, and its file is not known.
    Nothing,
    Open {
        file: SessionFile,
        /// Whether its path is that of an archive, which never changes.
        archived: bool,
    },
    /// It is closed, and opened by its name when somebody needs it.
    Named {
        path: PathBuf,
        /// How it begins, as far as that is known.
        beginning: Vec<u8>,
        /// What others have opened and still read. Of a compressed file a part is in
        /// memory, and all who read the session share that.
        opened: Option<Weak<dyn ReadFile>>,
    },
}

impl Held {
    fn current(file: SessionFile) -> Self {
        let archived = false;
        Self::Open { file, archived }
    }

    fn named(path: PathBuf, beginning: Vec<u8>) -> Self {
        Self::Named {
            path,
            beginning,
            opened: None,
        }
    }
}

impl Segment {
    pub(crate) fn new(ordinal: u64, first: u64, file: Option<SessionFile>) -> Self {
        let held = file.map_or(Held::Nothing, Held::current);
        Self {
            ordinal,
            first,
            held: Mutex::new(held),
            end: OnceLock::new(),
        }
    }

    /// A session that was closed before the start.
    pub(crate) fn closed(ordinal: u64, archive: &Archive) -> Self {
        // Without compression or with it: whichever there is when it is opened.
        let path = archive.path.with_file_name(archive.session());
        Self {
            ordinal,
            first: archive.first,
            held: Mutex::new(Held::named(path, Vec::new())),
            end: OnceLock::from(archive.bytes),
        }
    }

    /// Tells whether it is not known yet where its records go.
    pub(crate) fn lacks_file(&self) -> bool {
        matches!(*self.lock(), Held::Nothing)
    }

    /// Says where its records go, if that is not known.
    pub(crate) fn found(&self, file: Option<SessionFile>) {
        let mut held = self.lock();
        if let (Held::Nothing, Some(file)) = (&*held, file) {
            *held = Held::current(file);
        }
    }

    /// Notes that nothing is added any more.
    pub(crate) fn close(&self, end: u64) {
        self.end.get_or_init(|| end);
    }

    /// Returns the length of a session that is closed.
    pub(crate) fn end(&self) -> Option<u64> {
        self.end.get().copied()
    }

    /// Notes the name that the file has got.
    pub(crate) fn rename(&self, path: &Path) {
        let mut held = self.lock();
        if let Held::Open { file, archived } = &mut *held {
            *file = file.renamed(path);
            *archived = true;
        }
    }

    /// Tells whether it is closed, and opened by its name when somebody needs it.
    pub(crate) fn is_named(&self) -> bool {
        matches!(*self.lock(), Held::Named { .. })
    }

    /// Tells whether somebody who comes later can open it.
    #[cfg(test)]
    pub(crate) fn is_known_by_name(&self) -> bool {
        self.is_named() || self.can_be_let_go()
    }

    /// Tells whether its file is open, and could be opened again by its name.
    pub(crate) fn can_be_let_go(&self) -> bool {
        matches!(*self.lock(), Held::Open { archived: true, .. })
    }

    /// Gives up the open file of an archive; it is opened again by its name.
    /// Where its beginning can't be read, it stays open.
    pub(crate) fn let_go(&self) {
        let mut held = self.lock();
        if let Held::Open {
            file,
            archived: true,
        } = &*held
            && let Ok(beginning) = beginning(file)
        {
            *held = Held::named(file.path().to_owned(), beginning);
        }
    }

    /// Reads its records before an offset up to which they are committed.
    pub(crate) fn reader(&self, until: u64) -> Result<Reader, ReadError> {
        Ok(Reader::of(self.file()?, until))
    }

    /// Returns its file, opened.
    pub(crate) fn file(&self) -> Result<SessionFile, ReadError> {
        match &mut *self.lock() {
            Held::Open { file, .. } => Ok(file.clone()),
            Held::Named {
                path,
                beginning: known,
                opened,
            } => {
                if let Some(file) = opened.as_ref().and_then(Weak::upgrade) {
                    return Ok(SessionFile::new(path, file));
                }
                let file = SessionFile::open(&RealFs, path)?;
                let whole = file.size()? >= self.end().unwrap_or_default();
                if whole && beginning(&file)?.starts_with(known) {
                    *opened = Some(Arc::downgrade(&file.file()));
                    return Ok(file);
                }
                let error = "another file has its name now";
                Err(failed(
                    Operation::FindAgain,
                    path.clone(),
                    std::io::Error::other(error),
                ))
            }
            Held::Nothing => {
                let error = std::io::ErrorKind::NotFound.into();
                Err(failed(Operation::Find, PathBuf::new(), error))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        held(self.held.lock())
    }
}

fn beginning(file: &SessionFile) -> Result<Vec<u8>, ReadError> {
    let mut beginning = vec![0; BEGINNING];
    let filled = file.read_full(&mut beginning, 0)?;
    beginning.truncate(filled);
    Ok(beginning)
}

fn failed(operation: Operation, path: PathBuf, source: std::io::Error) -> ReadError {
    ReadError {
        operation,
        path,
        offset: 0,
        source,
    }
}

/// Says that somebody has cut off or changed what was committed.
pub(crate) fn cut_short(path: &Path, offset: u64) -> ReadError {
    ReadError {
        operation: Operation::ReadOn,
        path: path.to_owned(),
        offset,
        source: std::io::ErrorKind::UnexpectedEof.into(),
    }
}

/// Why records cannot be read back.
#[derive(Debug, thiserror::Error)]
#[error("cannot replay from the journal")]
pub(crate) struct Lost(#[from] pub(crate) ReadError);

impl Lost {
    /// Tells whether the file is not there any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.source.kind() == ErrorKind::NotFound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    /// An archive of one record that is opened by its name when it is read.
    fn named() -> (Bench, std::sync::Arc<Segment>, PathBuf) {
        let mut bench = Bench::new(10);
        // It is longer than what is kept of it to tell it from others.
        bench.record(&[&"a".repeat(2 * BEGINNING)]);
        let segment = bench.tail.current().segment;
        let archived = bench.archive();
        segment.let_go();
        assert!(segment.is_named());
        (bench, segment, archived.path)
    }

    fn records(segment: &Segment, until: u64) -> usize {
        let mut reader = segment.reader(until).unwrap();
        std::iter::from_fn(|| reader.next_item().unwrap().map(drop)).count()
    }

    #[test]
    fn a_session_is_read_up_to_where_it_is_committed_under_every_name_that_it_gets() {
        let mut bench = Bench::new(10);
        bench.record(&["a"]);
        let (segment, until) = (bench.tail.current().segment, bench.tail.current().bytes);
        bench.record(&["b"]);
        segment.let_go();
        assert!(!segment.is_named(), "it is still written");
        assert_eq!((records(&segment, until), segment.end()), (1, None));
        bench.archive();
        let end = segment.end().unwrap();
        assert_eq!((records(&segment, until), records(&segment, end)), (1, 2));
        assert!(segment.can_be_let_go());
        segment.let_go();
        assert_eq!((records(&segment, until), records(&segment, end)), (1, 2));
    }

    #[test]
    fn another_file_with_its_name_is_not_read_in_its_place() {
        let (_bench, segment, path) = named();
        let own = std::fs::read(&path).unwrap();
        std::fs::write(&path, vec![b'x'; own.len()]).unwrap();
        let error = segment.file().unwrap_err();
        assert_eq!(error.operation, Operation::FindAgain);
        std::fs::write(&path, &own[..own.len() - 1]).unwrap();
        assert!(segment.file().is_err(), "something of it is missing");
        std::fs::write(&path, &own).unwrap();
        assert_eq!(records(&segment, own.len() as u64), 1);
    }

    #[test]
    fn a_file_that_is_gone_is_told_from_one_that_is_wrong() {
        let (_bench, segment, path) = named();
        std::fs::write(&path, b"x").unwrap();
        assert!(!Lost::from(segment.file().unwrap_err()).is_gone());
        std::fs::remove_file(path).unwrap();
        assert!(Lost::from(segment.file().unwrap_err()).is_gone());
    }
}

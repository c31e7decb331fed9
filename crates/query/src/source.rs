//! A session file, opened once and read as often as it takes.
//!
//! The file is reached by its handle alone: that the broker archives it
//! meanwhile, and so gives it another name, changes nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use journal::{Damage, Ending, Integrity, Item, ReadError, Reader, Reason};

use crate::archives;
use crate::error::Error;
use crate::findings::Findings;

/// Between two sessions there is none for a moment, and of a line that is being
/// written there may be half for a moment: so often, and so long apart, such
/// things are looked at again.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// A message as it was read, whatever is to be done with it.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its number.
    pub number: u64,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// What its checksum says.
    pub integrity: Integrity,
    /// The line, without its newline.
    pub line: &'a [u8],
    /// The fields of the line.
    pub record: message::Record<'a>,
}

impl<'a> Entry<'a> {
    fn new(line: &journal::Record<'a>, record: message::Record<'a>) -> Self {
        Self {
            number: line.number,
            offset: line.offset,
            integrity: line.integrity,
            line: line.line,
            record,
        }
    }
}

/// The messages of one session file.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    reader: Reader,
    /// Whether the file may grow; not so once its end was reached.
    live: bool,
}

impl Source {
    /// Opens the session being written in a journal's directory.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], [`Error::NoSession`], or [`Error::Read`] where
    /// the file can't be opened.
    pub fn current(dir: &Path) -> Result<Self, Error> {
        let path = journal::current_session(dir);
        let mut tried = 0;
        loop {
            tried += 1;
            match Reader::open(&path) {
                Err(error) if is_missing(&error) => {
                    let archives = archives::list(dir)?.len();
                    if archives == 0 || tried == TRIES {
                        return Err(Error::NoSession { path, archives });
                    }
                    sleep(PAUSE);
                }
                opened => {
                    let reader = opened?;
                    return Ok(Self {
                        path,
                        reader,
                        live: true,
                    });
                }
            }
        }
    }

    /// Opens a closed session by its name, with or without its `.jsonl`.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], [`Error::NoArchive`] where the name is not in the
    /// list of [`archives`](crate::list_archives), or [`Error::Read`] where the
    /// file can't be opened.
    pub fn archive(dir: &Path, name: &str) -> Result<Self, Error> {
        let path = archives::choose(dir, name)?;
        let reader = Reader::open(&path)?;
        Ok(Self {
            path,
            reader,
            live: false,
        })
    }

    /// Returns the path under which the file was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives up the reader, which is at the start of the file.
    pub(crate) fn into_reader(self) -> Reader {
        self.reader
    }

    /// Reads the messages from `from` on and gives each to `visit`.
    ///
    /// The first call reads to the end of the file as it is then. Later ones
    /// end at the same place, so that they find the same messages.
    pub(crate) fn read(
        &mut self,
        from: Place,
        findings: &mut Findings,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        self.reader
            .seek(from.offset, Some(from.number.saturating_sub(1)));
        if self.live {
            // At first only what is whole, down to the newline.
            self.read_on(findings, visit)?;
            self.reader.set_ending(Ending::Closed);
        }
        while let Some(torn) = self.read_on(findings, visit)? {
            if self.live && self.is_continued(&torn)? {
                self.stop_at(torn.offset);
                return Ok(());
            }
            findings.add_damage(torn);
        }
        self.stop_at(self.reader.offset());
        Ok(())
    }

    /// Settles where this and all later passes end.
    fn stop_at(&mut self, end: u64) {
        self.live = false;
        self.reader.set_ending(Ending::Closed);
        self.reader.set_limit(end);
    }

    /// Reads to the end of the file, or to a line that has none.
    fn read_on(
        &mut self,
        findings: &mut Findings,
        visit: &mut Visit<'_>,
    ) -> Result<Option<Damage>, Error> {
        while let Some(item) = self.reader.next_item()? {
            let line = match item {
                Item::Damage(damage) if damage.reason == Reason::Torn => return Ok(Some(damage)),
                Item::Damage(damage) => {
                    findings.add_damage(damage);
                    continue;
                }
                Item::Record(line) => line,
            };
            match message::Record::parse(line.line) {
                Ok(record) => {
                    findings.check(&line, &self.path);
                    visit(Entry::new(&line, record))?;
                }
                Err(_) => findings.add_damage(unreadable(&line, &self.path)),
            }
        }
        Ok(None)
    }

    /// Tells whether somebody is still writing the line that `torn` belongs to,
    /// and else goes on behind it.
    ///
    /// A group of lines is written at once, so that half of a line is seen for
    /// a moment only, unless the writer was killed.
    fn is_continued(&mut self, torn: &Damage) -> Result<bool, Error> {
        let last = Some(self.reader.last_number());
        self.reader.set_ending(Ending::Live);
        for _ in 0..TRIES {
            sleep(PAUSE);
            self.reader.seek(torn.offset, last);
            if self.reader.next_item()?.is_some() {
                return Ok(true);
            }
        }
        self.reader.set_ending(Ending::Closed);
        self.reader.seek(torn.offset + torn.length, last);
        Ok(false)
    }
}

/// What is done with each message.
pub(crate) type Visit<'v> = dyn FnMut(Entry<'_>) -> Result<(), Error> + 'v;

/// Where a message stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) number: u64,
}

impl Place {
    /// Where a file begins.
    pub(crate) const START: Self = Self {
        offset: 0,
        number: 1,
    };
}

/// JSON to the journal, but nothing that a message could be read from.
fn unreadable(line: &journal::Record<'_>, path: &Path) -> Damage {
    Damage {
        path: path.to_owned(),
        line: None,
        offset: line.offset,
        length: line.line.len() as u64,
        reason: Reason::NotJson,
    }
}

fn is_missing(error: &ReadError) -> bool {
    error.source.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests;

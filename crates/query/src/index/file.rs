//! An index that was opened: it is whole, and belongs to its session.

use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi as crc32c};
use journal::raw::{FileSystem, ReadFile, RealFs};

use super::binding::{Binding, changed, created};
use super::column::{Column, Values};
use super::dictionary;
use super::directory::Directory;
use super::header::{Header, Wrong};
use super::paths::{Unusable, columns_path, index_path};
use super::sums;
use super::text::{Table, Wanted};
use crate::bytes::Input;
use crate::bytes::Span;

/// An index. Its pieces are read, and their checksums compared, when they are used.
#[derive(Debug)]
pub(crate) struct Index {
    file: Box<dyn ReadFile>,
    /// Holds the columns, where they are in a file of their own.
    columns: Option<Box<dyn ReadFile>>,
    header: Header,
    pub(super) directory: Directory,
}

/// The different values of the named columns; `None` where there were too many.
pub(super) type Dictionaries = [Option<Vec<Box<[u8]>>>; Column::NAMED.len()];

impl Index {
    /// Opens the index of a closed session, or of the beginning of the current one,
    /// and finds out whether it can belong to it: whether it is as long, or long
    /// enough, and has the same end. See also [`has_stamp_of`](Self::has_stamp_of).
    pub(crate) fn open(session: &Path, journal: &dyn ReadFile) -> Result<Self, Unusable> {
        let path = index_path(session);
        let file = open_regular(&path)?;
        let mut bytes = [0; Header::SIZE];
        let length = file.size()?;
        if length < Header::SIZE as u64 {
            return Err(Unusable::Broken);
        }
        file.read_exact_at(&mut bytes, 0)?;
        let header = Header::read(&bytes).map_err(|wrong| match wrong {
            Wrong::Version => Unusable::OtherVersion,
            Wrong::Broken => Unusable::Broken,
        })?;
        if header.length != length {
            return Err(Unusable::Broken);
        }
        // The cheap comparisons first.
        let size = journal.size()?;
        let is_long_enough = match header.apart {
            0 => header.binding.length == size,
            _ => header.binding.length <= size,
        };
        if !is_long_enough || !header.binding.fits(journal)? {
            return Err(Unusable::OtherSession);
        }
        let columns = match header.apart {
            0 => None,
            length => Some(open_columns(session, length)?),
        };
        let directory = fetch(file.as_ref(), length, header.directory)
            .and_then(|bytes| Directory::read(&bytes, header.binding.length))
            .ok_or(Unusable::Broken)?;
        Ok(Self {
            file,
            columns,
            header,
            directory,
        })
    }

    /// Tells whether the session was not changed since, as far as its time says;
    /// a copy has another one.
    pub(crate) fn has_stamp_of(&self, session: &Path) -> bool {
        let stamp = match self.columns {
            Some(_) => created(session),
            None => changed(session),
        };
        // Where the system does not tell, nothing is known.
        stamp.is_ok_and(|stamp| stamp != 0 && stamp == self.header.binding.stamp)
    }

    /// Reads the session to find out whether it has the same bytes.
    pub(crate) fn has_content_of(&self, journal: &dyn ReadFile) -> bool {
        sums::are_same(journal, &self.directory, self.session_bytes())
    }

    /// As [`has_content_of`](Self::has_content_of), on this thread, as long as it is to
    /// go on.
    pub(super) fn has_content_of_paced(
        &self,
        journal: &dyn ReadFile,
        go_on: &mut dyn FnMut() -> bool,
    ) -> ControlFlow<(), bool> {
        sums::are_same_paced(journal, &self.directory, self.session_bytes(), go_on)
    }

    /// Tells whether it is the index of the session that lies there, whatever its time.
    pub(super) fn belongs_to(&self, session: &Path, journal: &dyn ReadFile) -> bool {
        self.has_stamp_of(session) || self.has_content_of(journal)
    }

    /// Tells whether it is one of the session being written, or was.
    pub(super) fn is_of_current(&self) -> bool {
        self.columns.is_some()
    }

    /// Writes it once more, for a session that has another time.
    pub(super) fn copy_to(&self, out: &mut dyn Write, binding: Binding) -> io::Result<()> {
        let header = Header {
            binding,
            ..self.header
        };
        out.write_all(&header.to_bytes())?;
        let mut at = Header::SIZE as u64;
        let mut piece = vec![0; 64 << 10];
        while at < self.header.length {
            match self.file.read_at(&mut piece, at)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => {
                    out.write_all(piece.get(..count).unwrap_or_default())?;
                    at += count as u64;
                }
            }
        }
        Ok(())
    }

    /// Returns how many bytes of the file of columns belong to it.
    pub(super) fn apart(&self) -> u64 {
        self.header.apart
    }

    /// Returns its length.
    pub(super) fn bytes(&self) -> u64 {
        self.header.length
    }

    /// Returns how many bytes of the session it tells of.
    pub(crate) fn session_bytes(&self) -> u64 {
        self.header.binding.length
    }

    /// Returns a limit for what it counts. The last line that it tells of may end
    /// far behind the beginning that it belongs to.
    pub(super) fn most_bytes(&self) -> u64 {
        let behind = u64::from(u32::MAX) * u64::from(self.is_of_current());
        self.session_bytes().saturating_add(behind)
    }

    /// Reads a piece; `None` where it is not as it was written.
    pub(super) fn fetch(&self, span: Span) -> Option<Vec<u8>> {
        fetch(self.file.as_ref(), self.header.length, span)
    }

    pub(super) fn dictionaries(&self) -> Option<Dictionaries> {
        let bytes = self.fetch(self.directory.dictionaries)?;
        let mut input = Input(&bytes);
        let mut dictionaries = Dictionaries::default();
        for values in &mut dictionaries {
            *values = dictionary::read(&mut input)?;
        }
        input.end().map(|()| dictionaries)
    }

    /// Reads a column of a group of blocks.
    pub(super) fn column(&self, group: usize, column: Column) -> Option<Values> {
        let packed = self.directory.groups.get(group)?.get(column.at())?;
        let bytes = self.fetch_column(packed.span)?;
        Some(Values::new(packed.width, bytes))
    }

    /// Reads the bytes of a column; `None` where they are not as they were written.
    pub(super) fn fetch_column(&self, span: Span) -> Option<Vec<u8>> {
        match &self.columns {
            Some(columns) => fetch(columns.as_ref(), self.header.apart, span),
            None => self.fetch(span),
        }
    }

    /// Tells whether it knows of texts.
    pub(super) fn has_text(&self) -> bool {
        self.directory.texts.is_some()
    }

    /// Returns a bit for each block of a group that may hold one of these texts;
    /// `None` where it is not as it was written.
    pub(super) fn may_hold(&self, group: usize, any_of: &[Wanted]) -> Option<u64> {
        let list = *self.directory.texts.as_ref()?.get(group)?;
        let fetch = &|span| self.fetch(span);
        Table::read(list, self.directory.blocks(group), fetch)?.may_hold(any_of)
    }

    /// Reads all of it, to find out whether its bytes are as they were written.
    pub(super) fn check_bytes(&self) -> Result<(), Unusable> {
        let mut at = Header::SIZE as u64;
        let mut body = Digest::new(CrcAlgorithm::Crc32Iscsi);
        let mut piece = vec![0; 64 << 10];
        while at < self.header.length {
            match self.file.read_at(&mut piece, at)? {
                0 => break,
                count => {
                    body.update(piece.get(..count).unwrap_or_default());
                    at += count as u64;
                }
            }
        }
        if at != self.header.length || body.finalize() != u64::from(self.header.body) {
            return Err(Unusable::Broken);
        }
        let columns = self.directory.groups.iter().flatten();
        let mut spans = columns.map(|packed| packed.span);
        if self.columns.is_some() && !spans.all(|span| self.fetch_column(span).is_some()) {
            return Err(Unusable::Broken);
        }
        Ok(())
    }
}

/// Opens the columns of the current session's index.
fn open_columns(session: &Path, length: u64) -> Result<Box<dyn ReadFile>, Unusable> {
    match open_regular(&columns_path(session)) {
        Ok(file) if file.size()? >= length => Ok(file),
        Ok(_) | Err(Unusable::Missing) => Err(Unusable::Broken),
        Err(unusable) => Err(unusable),
    }
}

/// Opens a file that is no pipe, which would keep whoever opens it waiting.
fn open_regular(path: &Path) -> Result<Box<dyn ReadFile>, Unusable> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unusable::Missing),
        metadata => metadata?,
    };
    if !metadata.is_file() {
        return Err(Unusable::Broken);
    }
    Ok(RealFs.open_read(path)?)
}

fn fetch(file: &dyn ReadFile, length: u64, span: Span) -> Option<Vec<u8>> {
    let end = span.offset.checked_add(span.length.into())?;
    if span.length > Span::LONGEST || end > length {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(span.length).ok()?];
    file.read_exact_at(&mut bytes, span.offset).ok()?;
    (crc32c(&bytes) == span.crc).then_some(bytes)
}

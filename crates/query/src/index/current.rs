//! The index of the beginning of the session being written.
//!
//! More is only ever added to a session, so what was known of its beginning stays
//! true. Whole groups of blocks are added to a file of columns, which only grows,
//! and a small file with all the rest takes the place of the one before. That one
//! says how much of the columns belongs to it: what a program that was killed has
//! left behind that is overwritten, and readers with the former file lose nothing.
//!
//! Nothing is synced here. That would make the recorder's fsync wait, and what a
//! crash leaves has checksums that tell whether it is whole.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use journal::raw::ReadFile;

use super::binding::Binding;
use super::directory::Shape;
use super::file::Index;
use super::paths::{columns_path, index_path};
use super::publishing::{Built, publish, temporary};
use super::writing::{IndexContents, Pieces, Writing};
use crate::error::Error;
use crate::source::Source;

/// How the current session is cut up: an index grows by a group of 16 MiB.
const SHAPE: Shape = Shape {
    block: 512 << 10,
    group: 32,
};
/// What the file of columns begins with, so that it has bytes where no block has any.
const COLUMNS: [u8; 8] = *b"\x89SIDXC\r\n";
/// So far from the end nothing is indexed yet: a group of records that the disk
/// refused is taken back.
const YOUNG: u64 = 2 << 20;

/// How thoroughly the index that is there is looked at before it is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It is one that this program has made itself.
    Own,
    /// Its session and all of it are read, and it is made anew where they differ.
    Nothing,
}

/// Extends the index of the session being written, or makes the first one; `None`
/// where there is not enough new in it, there is no session, as between two of them for a
/// moment, or another program is at it.
///
/// It reads what is new, on this thread, in bounded memory, and asks after each half
/// MiB whether to go on.
///
/// # Errors
/// [`Error::Read`] where the session can't be read, and [`Error::File`] where the
/// index can't be written. What was there before is used further then.
pub fn extend_index(
    session: &Path,
    trust: Trust,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Option<Built>, Error> {
    extend(session, SHAPE, YOUNG, trust, go_on)
}

pub(super) fn extend(
    session: &Path,
    shape: Shape,
    young: u64,
    trust: Trust,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Option<Built>, Error> {
    let failed = |source| Error::file("make an index of", session, source);
    let source = match Source::session(session) {
        Err(Error::Read { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let file = source.parts[0].open()?;
    let ControlFlow::Continue(known) = known(session, file.as_ref(), trust, go_on) else {
        return Ok(Some(Built::Stopped));
    };
    let known = known.filter(|known| known.directory.shape == shape);
    let so_far = known.as_ref().map_or(0, Index::session_bytes);
    let end = whole_groups(file.as_ref(), shape, young).map_err(failed)?;
    if end <= so_far {
        return Ok(None);
    }
    let (columns, is_new) = match &known {
        Some(_) => (Columns::open(session), false),
        None => (Columns::create(session).map(Some), true),
    };
    let Some(columns) = columns.map_err(failed)? else {
        return Ok(None);
    };
    let (temporary, prefix) = temporary(session).map_err(failed)?;
    let out = Pieces::behind_header(temporary.as_file()).map_err(failed)?;
    let apart = known.as_ref().map_or(COLUMNS.len() as u64, Index::apart);
    if is_new {
        let mut file = columns.file();
        file.write_all(&COLUMNS).map_err(failed)?;
    }
    let apart = Pieces::behind(columns.file(), apart).map_err(failed)?;
    let mut writing = Writing::new(out, Some(apart), IndexContents::Fields, shape);
    if let Some(known) = &known {
        writing.take_over(known, session).map_err(failed)?;
    }
    if writing.pass(source, end, go_on)?.is_break() {
        return Ok(Some(Built::Stopped));
    }
    let binding = Binding::of_current(session, file.as_ref(), end).map_err(failed)?;
    let bytes = writing.finish(binding).map_err(failed)?;
    // On Windows nothing takes the place of a file that is open.
    drop(known);
    if is_new {
        columns.publish(session).map_err(failed)?;
    }
    publish(temporary, session, &prefix, false).map_err(failed)?;
    Ok(Some(Built::Done { bytes }))
}

/// Opens the index that is there, if more can be added to it.
fn known(
    session: &Path,
    file: &dyn ReadFile,
    trust: Trust,
    go_on: &mut dyn FnMut() -> bool,
) -> ControlFlow<(), Option<Index>> {
    let Ok(index) = Index::open(session, file) else {
        return ControlFlow::Continue(None);
    };
    let is_likely = match trust {
        Trust::Own => index.has_stamp_of(session),
        Trust::Nothing => false,
    };
    let is_good =
        is_likely || (index.check().is_ok() && index.has_content_of_paced(file, go_on)?);
    let is_good = is_good && index.is_of_current() && index.directory.ends_with_a_group();
    ControlFlow::Continue(is_good.then_some(index))
}

/// Returns where the last whole group ends whose lines are all there.
fn whole_groups(file: &dyn ReadFile, shape: Shape, young: u64) -> io::Result<u64> {
    let group = u64::from(shape.block) * u64::from(shape.group);
    let size = file.size()?;
    let end = size.saturating_sub(young) / group * group;
    match end == 0 || has_newline(file, end - 1)? {
        true => Ok(end),
        // One line is longer than all that; it is waited for.
        false => Ok(0),
    }
}

fn has_newline(file: &dyn ReadFile, mut at: u64) -> io::Result<bool> {
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = file.read_at(&mut piece, at)?;
        let read = piece.get(..count).unwrap_or_default();
        if count == 0 || memchr::memchr(b'\n', read).is_some() {
            return Ok(count > 0);
        }
        at += count as u64;
    }
}

/// The file of columns, which has another name until an index refers to it.
enum Columns {
    There(File),
    New(tempfile::NamedTempFile),
}

impl Columns {
    /// Opens and locks the one that is there; `None` where another program is at it.
    fn open(session: &Path) -> io::Result<Option<Self>> {
        let mut options = File::options();
        let file = options.read(true).write(true).open(columns_path(session))?;
        Ok(file.try_lock().is_ok().then_some(Self::There(file)))
    }

    /// Makes one, which is locked as long as it has no name.
    fn create(session: &Path) -> io::Result<Self> {
        Ok(Self::New(temporary(session)?.0))
    }

    fn file(&self) -> &File {
        match self {
            Self::There(file) => file,
            Self::New(file) => file.as_file(),
        }
    }

    fn publish(self, session: &Path) -> io::Result<()> {
        if let Self::New(file) = self {
            file.persist(columns_path(session))?;
        }
        Ok(())
    }
}

/// The path that a closed session had while it was written.
fn former_path(closed: &Path) -> Option<PathBuf> {
    Some(journal::current_session(closed.parent()?.parent()?))
}

/// Opens what the index of the current session knew of one that is closed now.
pub(super) fn begun(closed: &Path, go_on: &mut dyn FnMut() -> bool) -> Option<Index> {
    let file = Source::session(closed).ok()?.parts[0].open().ok()?;
    let index = Index::open(&former_path(closed)?, file.as_ref()).ok()?;
    let is_same = index.has_stamp_of(closed)
        || index.has_content_of_paced(file.as_ref(), go_on) == ControlFlow::Continue(true);
    (is_same && index.is_of_current() && index.directory.ends_with_a_group()).then_some(index)
}

/// Removes it, when the closed session has an index of its own.
pub(super) fn remove_begun(closed: &Path) {
    if let Some(session) = former_path(closed) {
        // Whoever still reads them keeps them, or has them removed the next time.
        let _gone_already = fs::remove_file(index_path(&session));
        let _gone_already = fs::remove_file(columns_path(&session));
    }
}

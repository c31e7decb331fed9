//! Closed sessions: how one becomes closed, and which there are.
//!
//! A session is closed in these steps. Beside each stands what the next start
//! finds if the machine stops right after it:
//!
//! 1. reserve the archive's name with an empty file — an empty archive, which
//!    the next start removes; the session is continued;
//! 2. rename the session onto it — no current session; the next start begins
//!    one, and the numbering goes on behind the archive;
//! 3. sync both directories — the same, and it survives a power failure;
//! 4. create the new session — an empty session.
//!
//! The session's own bytes were synced when they were committed.

use std::io;
use std::path::{Path, PathBuf};

use crate::backward::Backward;
use crate::error::{AtPath, IoError, ReadError};
use crate::fs::{FileSystem, RealFs};
use crate::reader::Reader;
use crate::session::{Layout, archive_name, is_archive_name};

/// A closed session in the archive directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The file's name, such as `session_20251120_143022.jsonl`.
    pub name: String,
    /// Its whole path.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// The number of its first record; 1 for a file whose lines carry none.
    pub first: u64,
}

/// Lists the closed sessions of a journal's directory, oldest first: by the
/// number of their first record, and by name where that is the same.
///
/// # Errors
/// [`ReadError`] where the archive directory or a file in it can't be read. A
/// directory without archives is an empty list.
pub fn list_archives(dir: impl AsRef<Path>) -> Result<Vec<Archive>, ReadError> {
    list_in(&RealFs, &Layout::new(dir.as_ref()))
}

pub(crate) fn list_in(fs: &dyn FileSystem, layout: &Layout) -> Result<Vec<Archive>, ReadError> {
    let mut archives = Vec::new();
    for (name, bytes) in archive_names(fs, layout)? {
        let path = layout.archive(&name);
        let first = Reader::open_in(fs, &path)?.first_number()?.unwrap_or(1);
        archives.push(Archive {
            name,
            path,
            bytes,
            first,
        });
    }
    archives.sort_by(|a, b| (a.first, &a.name).cmp(&(b.first, &b.name)));
    Ok(archives)
}

/// Returns the names and lengths of the archives that hold anything.
pub(crate) fn archive_names(
    fs: &dyn FileSystem,
    layout: &Layout,
) -> Result<Vec<(String, u64)>, ReadError> {
    let path = layout.archive_dir();
    match fs.list(&path) {
        Ok(mut names) => {
            names.retain(|(name, bytes)| is_archive_name(name) && *bytes > 0);
            Ok(names)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(ReadError {
            operation: "list",
            path,
            offset: 0,
            source,
        }),
    }
}

/// Returns the largest number in the archives, 0 where there are none.
///
/// Every archive's end is looked at: a clock that ran backwards may have named
/// a newer one as if it were older.
pub(crate) fn last_number(
    fs: &dyn FileSystem,
    layout: &Layout,
    max_line: usize,
) -> Result<u64, ReadError> {
    let mut last = 0;
    let mut unnumbered = Vec::new();
    for (name, _) in archive_names(fs, layout)? {
        let path = layout.archive(&name);
        let mut backward = Backward::open_in(fs, &path)?;
        backward.set_max_line(max_line);
        match backward.highest_number()? {
            Some(number) => last = last.max(number),
            None => unnumbered.push(path),
        }
    }
    // Counting the lines of files without numbers means reading all of them, so
    // it is done only where no other archive says how far the numbering came.
    if last == 0 {
        for path in unnumbered {
            last = last.max(count(fs, &path, max_line)?);
        }
    }
    Ok(last)
}

fn count(fs: &dyn FileSystem, path: &Path, max_line: usize) -> Result<u64, ReadError> {
    let mut reader = Reader::open_in(fs, path)?;
    reader.set_max_line(max_line);
    while reader.next_item()?.is_some() {}
    Ok(reader.highest_number())
}

/// Moves the current session's file into the archive, steps 1 and 2.
pub(crate) fn move_session(
    fs: &dyn FileSystem,
    layout: &Layout,
    stamp: &str,
    label: Option<&str>,
) -> Result<String, IoError> {
    let name = reserve(fs, layout, stamp, label)?;
    let (from, to) = (layout.current(), layout.archive(&name));
    let renamed = fs.rename(&from, &to).at("archive", &from);
    // A network's file system may have renamed it nevertheless. If the removal
    // fails too, the next start does it.
    if renamed.is_err() && fs.open_read(&to).and_then(|file| file.size()).ok() == Some(0) {
        let _reserved_in_vain: io::Result<()> = fs.remove_file(&to);
    }
    renamed.map(|()| name)
}

/// Makes the move durable, step 3.
pub(crate) fn sync_move(fs: &dyn FileSystem, layout: &Layout) -> Result<(), IoError> {
    let archive_dir = layout.archive_dir();
    fs.sync_dir(&archive_dir).at("sync", &archive_dir)?;
    fs.sync_dir(&layout.dir).at("sync", &layout.dir)
}

/// Takes a name that no file has. Renaming alone would overwrite a file that
/// another program put there in the meantime.
fn reserve(
    fs: &dyn FileSystem,
    layout: &Layout,
    stamp: &str,
    label: Option<&str>,
) -> Result<String, IoError> {
    let mut attempt = 1;
    loop {
        let name = archive_name(stamp, label, attempt);
        let path = layout.archive(&name);
        match fs.create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            result => return result.at("create", &path).map(|()| name),
        }
    }
}

/// Removes names that were reserved and never used; they hold no byte.
pub(crate) fn remove_reservations(fs: &dyn FileSystem, layout: &Layout) -> Result<(), IoError> {
    let dir = layout.archive_dir();
    for (name, bytes) in fs.list(&dir).at("list", &dir)? {
        if is_archive_name(&name) && bytes == 0 {
            let path = layout.archive(&name);
            fs.remove_file(&path).at("remove", &path)?;
        }
    }
    Ok(())
}

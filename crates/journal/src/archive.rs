//! How does a session become closed?
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

use crate::error::{AtPath, IoError, synced};
use crate::fs::{FileSystem, Kind, sync_dir_if_possible};
use crate::operation::Operation;
use crate::session::{Layout, archive_name, compressed_name, is_archive_name};

/// Moves the current session's file into the archive, steps 1 and 2.
pub(crate) fn move_session(
    fs: &dyn FileSystem,
    layout: &Layout,
    stamp: &str,
    label: Option<&str>,
) -> Result<String, IoError> {
    let name = reserve(fs, layout, stamp, label)?;
    let (from, to) = (layout.current(), layout.archive(&name));
    let renamed = fs.rename(&from, &to).at(Operation::Archive, &from);
    // A network's file system may have renamed it nevertheless. If the removal
    // fails too, the next start does it.
    if renamed.is_err() && fs.open_read(&to).and_then(|file| file.size()).ok() == Some(0) {
        let _reserved_in_vain: io::Result<()> = fs.remove_file(&to);
    }
    renamed.map(|()| name)
}

/// Makes the move durable, step 3.
///
/// False where the file system syncs no directories.
pub(crate) fn sync_move(fs: &dyn FileSystem, layout: &Layout) -> Result<bool, IoError> {
    let archive_dir = layout.archive_dir();
    let theirs = synced(sync_dir_if_possible(fs, &archive_dir), &archive_dir)?;
    let ours = synced(sync_dir_if_possible(fs, layout.dir()), layout.dir())?;
    Ok(theirs && ours)
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
        // A compressed session has the name, too.
        if fs
            .open_read(&layout.archive(&compressed_name(&name)))
            .is_ok()
        {
            attempt += 1;
            continue;
        }
        match fs.create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            result => return result.at(Operation::Create, &path).map(|()| name),
        }
    }
}

/// Removes names that were reserved and never used; they hold no byte.
pub(crate) fn remove_reservations(fs: &dyn FileSystem, layout: &Layout) -> Result<(), IoError> {
    let dir = layout.archive_dir();
    for entry in fs.list(&dir).at(Operation::List, &dir)? {
        if is_archive_name(&entry.name) && entry.kind == Kind::File && entry.bytes == 0 {
            let path = layout.archive(&entry.name);
            fs.remove_file(&path).at(Operation::Remove, &path)?;
        }
    }
    Ok(())
}

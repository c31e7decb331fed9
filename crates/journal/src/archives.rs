//! Which closed sessions are there, and which files in their directory are none?

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::ReadError;
use crate::fs::{DirEntry, FileSystem, Kind, RealFs};
use crate::operation::Operation;
use crate::session::{Layout, is_archive_name, is_compressed_name, is_derived_name, plain_name};
use crate::session_file::SessionFile;

/// A closed session in the archive directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The file's name, such as `session_20251120_143022.jsonl`.
    pub name: String,
    /// Its whole path.
    pub path: PathBuf,
    /// Its length in bytes, without compression.
    pub bytes: u64,
    /// How many bytes it takes on the disk.
    pub stored: u64,
    /// The number of its first record; 1 for a file whose lines carry none.
    pub first: u64,
    /// What says so.
    pub begins: Begins,
}

impl Archive {
    /// Returns the session's name, which stays the same when it is compressed.
    #[must_use]
    pub fn session(&self) -> &str {
        plain_name(&self.name)
    }

    /// Tells whether its file is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.session() != self.name
    }
}

/// What says under which number a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// Its records carry numbers.
    Numbered,
    /// They carry none, such as those of older recorders, and are counted from 1.
    Counted,
    /// It holds no record that can be read.
    Nowhere,
}

/// A file in the archive directory that is not read as a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its name.
    pub name: String,
    /// Its whole path.
    pub path: PathBuf,
    /// Why it is not read.
    pub reason: NotRead,
}

/// Why a file in the archive directory is not read as a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotRead {
    /// It is called otherwise than a session.
    Name,
    /// It is compressed, as its name says.
    Compressed,
    /// Its name is no Unicode.
    Unnameable,
    /// It is a directory.
    Directory,
    /// It is a link that leads nowhere.
    BrokenLink,
    /// It is a named pipe, a socket or a device.
    Special,
}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "a session's name is session_*.jsonl",
            Self::Compressed => {
                "it is compressed, but not by `broker compress`: unpack it to have it read"
            }
            Self::Unnameable => "its name is not Unicode",
            Self::Directory => "it is a directory",
            Self::BrokenLink => "it is a link that leads nowhere",
            Self::Special => "it is a named pipe, a socket or a device",
        })
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

/// Lists what is in the archive directory and is not read as a session, by name,
/// with the reason. Indexes, and names that are reserved for a session which is
/// just being closed, are not in the list.
///
/// # Errors
/// [`ReadError`] where the archive directory can't be read; one that is missing
/// is an empty list.
pub fn list_unread(dir: impl AsRef<Path>) -> Result<Vec<Unread>, ReadError> {
    Ok(look(&RealFs, &Layout::new(dir.as_ref()))?.unread)
}

/// What the archive directory holds.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Names and lengths of the sessions that hold anything.
    pub(crate) sessions: Vec<(String, u64)>,
    pub(crate) unread: Vec<Unread>,
}

/// Sorts what the archive directory holds: everybody who wants to know which
/// sessions there are asks here.
pub(crate) fn look(fs: &dyn FileSystem, layout: &Layout) -> Result<Listing, ReadError> {
    let path = layout.archive_dir();
    let entries = match fs.list(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => {
            return Err(ReadError {
                operation: Operation::List,
                path,
                offset: 0,
                source,
            });
        }
    };
    let mut listing = Listing::default();
    let plain: HashSet<String> = entries
        .iter()
        .filter(|entry| entry.bytes > 0 && is_archive_name(&entry.name))
        .map(|entry| entry.name.clone())
        .collect();
    for DirEntry { name, kind, bytes } in entries {
        // While a session is compressed, both are there for a moment.
        if kind == Kind::File && is_compressed_name(&name) && plain.contains(plain_name(&name)) {
            continue;
        }
        match reason(&name, kind) {
            Some(NotRead::Compressed) if is_readable(fs, layout, &name) => {
                listing.sessions.push((name, bytes));
            }
            _ if kind == Kind::File && is_derived_name(&name) => {}
            Some(reason) => listing.unread.push(Unread {
                path: layout.archive(&name),
                name,
                reason,
            }),
            None if bytes == 0 => {}
            None => listing.sessions.push((name, bytes)),
        }
    }
    listing.unread.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listing)
}

/// Tells whether a compressed file can be read from the middle.
fn is_readable(fs: &dyn FileSystem, layout: &Layout, name: &str) -> bool {
    cfg!(feature = "compression")
        && is_compressed_name(name)
        && SessionFile::open(fs, &layout.archive(name)).is_ok()
}

/// Tells why a file is not read as a session, if it is not.
fn reason(name: &str, kind: Kind) -> Option<NotRead> {
    const PACKED: [&str; 8] = ["gz", "zst", "xz", "bz2", "lz4", "zip", "7z", "tgz"];
    let is_packed = || {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|ending| PACKED.contains(&ending))
    };
    match kind {
        Kind::Directory => Some(NotRead::Directory),
        Kind::BrokenLink => Some(NotRead::BrokenLink),
        Kind::Special => Some(NotRead::Special),
        Kind::Unnameable => Some(NotRead::Unnameable),
        Kind::File if is_archive_name(name) => None,
        Kind::File if is_packed() => Some(NotRead::Compressed),
        Kind::File => Some(NotRead::Name),
    }
}

//! An append-only journal of JSON lines that survives crashes.
//!
//! A record is any value that serializes to a JSON object. The journal numbers
//! it, adds a checksum, and returns from [`Journal::append`] when the line is
//! on stable storage; threads that append at the same time share one fsync.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let (journal, _found) = journal::Journal::open(dir)?;
//! std::thread::scope(|scope| {
//!     for agent in ["claude", "gemini"] {
//!         let journal = journal.clone();
//!         scope.spawn(move || journal.append(&serde_json::json!({ "agent": agent })));
//!     }
//! });
//! let lines: Vec<journal::Line> =
//!     journal::Reader::open(journal.session_path())?.collect::<Result<_, _>>()?;
//! assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//! - What was appended is on disk, and is read back after any crash.
//! - Numbers start at 1, go up by 1, and never repeat, across crashes and
//!   archived sessions.
//! - No byte on disk is destroyed: damage is skipped and reported as
//!   [`Damage`], with file, line, offset, length and reason, and never hides
//!   the good line behind it.
//! - There is one writer per directory. Readers need no lock.
//!
//! # What it is not
//! It is no database and no message queue: there are no indexes, updates or
//! deletions, and old sessions stay until somebody removes them. It trusts the
//! disk to keep what an fsync said it has.
//!
//! # Files
//! `current_session.jsonl` is being written; `archive/session_*.jsonl` are
//! closed sessions that never change again. A line is
//! `{"message_num":N,` + your members + `,"crc":"xxxxxxxx"}`.
#![warn(clippy::indexing_slicing)]

mod archive;
mod archives;
mod backward;
mod checkpoint;
#[cfg(feature = "compression")]
mod compress;
#[cfg(feature = "compression")]
mod compressed;
mod damage;
mod error;
mod find;
mod follow;
mod fs;
mod group;
mod head;
mod identity;
mod inspect;
mod journal;
mod line;
mod locate;
mod lock;
mod numbering;
mod operation;
mod options;
mod reader;
mod record;
mod recovery;
mod removed;
mod reserved;
mod retention;
mod sealed_text;
mod session;
mod session_file;
mod sessions;
mod span;
mod standing;
mod stretch;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
mod sync;
#[cfg(test)]
mod testing;
mod writer;

pub use archives::{Archive, Begins, NotRead, Unread, list_unread};
pub use backward::Backward;
#[cfg(feature = "compression")]
pub use compress::{CompressError, Compressed, compress};
pub use damage::{Damage, Integrity, Reason};
pub use error::{AppendError, CommitError, IoError, OpenError, ReadError, RecordError};
pub use find::{Lookup, find_record};
pub use follow::Follower;
pub use head::{Missing, mark_restored};
pub use inspect::{Inventory, take_inventory};
pub use journal::Journal;
pub use locate::{Bracket, open_at};
pub use operation::Operation;
pub use options::{DEFAULT_MAX_LINE, Options};
pub use reader::Reader;
pub use record::{Ending, Item, Line, Problem, Record};
pub use recovery::{Recovery, Tail};
pub use removed::{Removed, removed_sessions};
pub use retention::{ClosedSession, Expired, Plan, Retention, Surroundings, Upkeep, UpkeepError};
pub use session::{DEFAULT_DIR, Layout, current_session};
pub use sessions::{Sessions, Snapshot, list_archives, read_all};
pub use standing::Jump;
pub use writer::Archived;

/// What a pipeline needs that puts records on disk itself, and what reads files its own
/// way: groups of lines and the writer that commits them, what is in a line, and the
/// seam to the file system.
///
/// A program that records events needs none of it: [`Journal`] does all that for many
/// threads, and [`Reader`], [`Backward`] and [`Follower`] read.
pub mod raw {
    #[cfg(feature = "compression")]
    pub use crate::compressed::plain_path;
    pub use crate::fs::{AppendFile, DirEntry, FileSystem, Kind, LockGuard, ReadFile, RealFs};
    pub use crate::group::Group;
    pub use crate::line::{
        Checked, Piece, checksum, is_sealed, is_sealed_at, looks_sealed, sort_line,
    };
    pub use crate::numbering::Numbering;
    pub use crate::session::Session;
    pub use crate::session_file::SessionFile;
    pub use crate::writer::{Committed, FreshFile, Writer};
}

/// The examples of the README run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

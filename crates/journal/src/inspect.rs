//! What is there of a journal, and what is not? For whoever looks at it without
//! writing to it.

use std::path::Path;

use crate::archives::{Unread, look};
use crate::error::IoError;
use crate::fs::RealFs;
use crate::head::{Found, Head, Missing};
use crate::removed::{Removed, removed_in};
use crate::session::Layout;
use crate::sessions::{Sessions, Snapshot};
use crate::span::{Span, archived, count, of_file};

/// What there is of a journal beside its readable records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inventory {
    /// Its identity, a UUID; `None` where no writer has made one yet.
    pub journal: Option<String>,
    /// The numbers of which the files hold no record although they were given.
    /// Numbers of damaged records inside a file are not among them.
    pub missing: Vec<Missing>,
    /// The files in the archive directory that are not read.
    pub unread: Vec<Unread>,
    /// The sessions that were removed on purpose; their numbers are not missing.
    pub removed: Vec<Removed>,
}

/// Finds out which numbers a journal's files lack, and which files are not read.
///
/// It needs no lock, also beside a writer that is just closing its session.
///
/// # Errors
/// [`IoError`] where a file can't be read.
pub fn take_inventory(dir: impl AsRef<Path>) -> Result<Inventory, IoError> {
    let layout = Layout::new(dir.as_ref());
    // Read first: what the files get in the meantime is not missed.
    let head = Head::read(&RealFs, &layout)?;
    let unread = look(&RealFs, &layout)?.unread;
    let removed = removed_in(&RealFs, &layout)?;
    let Found::Head(mut head) = head else {
        return Ok(Inventory {
            unread,
            removed,
            ..Inventory::default()
        });
    };
    let Snapshot {
        archives, current, ..
    } = Sessions::of(dir).all()?;
    let mut spans = archived(&RealFs, archives.into_iter().map(|archive| archive.path))?;
    if let Some(file) = current {
        spans.push(match of_file(&file)? {
            Some(span) => span,
            None => Span {
                first: 1,
                last: count(file)?,
            },
        });
    }
    spans.extend(removed.iter().map(Span::of_removed));
    let in_files = spans.iter().map(|span| span.last).max().unwrap_or(0);
    let last = in_files.max(head.last);
    head.compare(spans, last);
    Ok(Inventory {
        journal: Some(head.journal),
        missing: head.missing,
        unread,
        removed,
    })
}

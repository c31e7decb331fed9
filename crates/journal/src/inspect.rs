//! What is there of a journal, and what is not? For whoever looks at it without
//! writing to it.

use std::io::ErrorKind;
use std::path::Path;

use crate::archives::{Unread, look};
use crate::error::{IoError, ReadError};
use crate::fs::{FileSystem, RealFs};
use crate::head::{Found, Head, Missing};
use crate::session::Layout;
use crate::session_file::SessionFile;
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
}

/// Finds out which numbers a journal's files lack, and which files are not read.
///
/// It needs no lock; beside a writer that is just closing its session it looks
/// again.
///
/// # Errors
/// [`IoError`] where a file can't be read.
pub fn take_inventory(dir: impl AsRef<Path>) -> Result<Inventory, IoError> {
    const TRIES: u32 = 10;
    let layout = Layout::new(dir.as_ref());
    let mut tried = 0;
    loop {
        tried += 1;
        let before = look(&RealFs, &layout)?.sessions;
        let inventory = take(&RealFs, &layout);
        let after = look(&RealFs, &layout)?.sessions;
        if before == after || tried == TRIES {
            return inventory;
        }
    }
}

fn take(fs: &dyn FileSystem, layout: &Layout) -> Result<Inventory, IoError> {
    let unread = look(fs, layout)?.unread;
    // Read first: what the files get in the meantime is not missed.
    let Found::Head(mut head) = Head::read(fs, layout)? else {
        return Ok(Inventory {
            unread,
            ..Inventory::default()
        });
    };
    let mut spans = archived(fs, layout)?;
    match SessionFile::open(fs, &layout.current()) {
        Ok(file) => spans.push(match of_file(&file)? {
            Some(span) => span,
            None => Span {
                first: 1,
                last: count(file)?,
            },
        }),
        Err(error) if error.source.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(ReadError::into(error)),
    }
    let in_files = spans.iter().map(|span| span.last).max().unwrap_or(0);
    let last = in_files.max(head.last);
    head.compare(spans, last);
    Ok(Inventory {
        journal: Some(head.journal),
        missing: head.missing,
        unread,
    })
}

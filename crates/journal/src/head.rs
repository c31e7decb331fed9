//! How far have the numbers come, whatever has become of the files?
//!
//! The head is a small file of its own. It is written durably whenever a commit
//! goes beyond the number that it has reserved, before that commit returns, and
//! reserves more the longer the session is. So it is never behind what somebody
//! was told, and costs nothing per message. What `last` says was on stable
//! storage when the head was written: where the files end before it, records
//! are missing, and the next number is above all that may have been given.

use std::io::{self, ErrorKind, IoSlice};
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::error::{AtPath, IoError, synced};
use crate::fs::{AppendFile, FileSystem, RealFs, append_all, sync_dir_if_possible};
use crate::identity::new_uuid;
use crate::operation::Operation;
use crate::sealed_text;
use crate::session::{Layout, utc};
use crate::session_file::SessionFile;
use crate::span::{Span, missing_from};

const VERSION: u32 = 1;
/// How many spans of missing numbers are kept; all are found again at each opening.
const KEPT: usize = 100;
/// No more numbers than that are reserved ahead.
const FARTHEST: u64 = 1 << 20;

/// Numbers whose records are not in the journal's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The first of them.
    pub first: u64,
    /// The last of them. Some of the last ones may never have been given.
    pub last: u64,
    /// When they were there for the last time, as far as that is known: a time
    /// in UTC (RFC 3339).
    pub there: Option<String>,
    /// When they were found missing.
    pub since: String,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            first,
            last,
            there,
            since,
        } = self;
        match first == last {
            true => write!(f, "number {first} is missing")?,
            false => write!(f, "numbers {first} to {last} are missing")?,
        }
        write!(f, ", noticed at {since}")?;
        there.as_ref().map_or(Ok(()), |there| {
            write!(f, "; at {there} nothing was missing there")
        })
    }
}

/// What the head's file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    version: u32,
    /// The journal's identity, a UUID.
    pub(crate) journal: String,
    /// The number of the first record that the journal knows of.
    pub(crate) first: u64,
    /// The highest number whose record is known to have been on stable storage.
    pub(crate) last: u64,
    /// No number above this was told to anybody.
    pub(crate) reserved: u64,
    /// When this was written, in UTC.
    pub(crate) noted: String,
    pub(crate) missing: Vec<Missing>,
    /// When the journal was restored from a copy: a time in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restored: Option<String>,
}

/// What is found of a head.
pub(crate) enum Found {
    Head(Head),
    Nothing,
    /// A file that is no head, or only a part of one.
    Damaged,
}

impl Head {
    /// Makes the head of a journal that knows of no record before `first`.
    pub(crate) fn new(first: u64) -> Self {
        Self {
            version: VERSION,
            journal: new_uuid(),
            first,
            last: 0,
            reserved: 0,
            noted: now(),
            missing: Vec::new(),
            restored: None,
        }
    }

    pub(crate) fn read(fs: &dyn FileSystem, layout: &Layout) -> Result<Found, IoError> {
        let path = layout.head();
        let file = match SessionFile::open(fs, &path) {
            Ok(file) => file,
            Err(error) if error.source.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error.into()),
        };
        let mut text = vec![0; sealed_text::LONGEST];
        let length = file.read_full(&mut text, 0)?;
        text.truncate(length);
        match sealed_text::read::<Self>(&text) {
            Some(head) if head.version == VERSION => Ok(Found::Head(head)),
            Some(head) => {
                let version = head.version;
                Err(io::Error::new(
                    ErrorKind::Unsupported,
                    format!("it is of version {version}, and this program knows version {VERSION}"),
                ))
                .at(Operation::Read, &path)
            }
            None => Ok(Found::Damaged),
        }
    }

    /// Notes that the record `last` is on stable storage, and reserves numbers
    /// behind it: more of them the more records the session holds, so that soon
    /// after its beginning `last` is near the truth, and later on the head is
    /// seldom written.
    pub(crate) fn reserve(&mut self, last: u64, records: u64) {
        self.last = last;
        self.reserved = last.saturating_add(records.saturating_mul(4).min(FARTHEST));
    }

    /// Notes that no number above `last` was given.
    pub(crate) fn settle(&mut self, last: u64) {
        (self.last, self.reserved) = (last, last);
    }

    /// Notes which of the numbers up to `last` the files do not hold; true
    /// where that has changed.
    pub(crate) fn compare(&mut self, spans: Vec<Span>, last: u64) -> bool {
        let lowest = spans.iter().map(|span| span.first).min();
        let first = lowest.map_or(self.first, |lowest| lowest.min(self.first));
        let all = Span { first, last };
        let mut missing = Vec::new();
        for span in missing_from(all, spans) {
            self.split_into(&mut missing, span);
        }
        missing.truncate(KEPT);
        let changed = first != self.first || missing != self.missing;
        self.first = first;
        self.missing = missing;
        changed
    }

    /// Cuts a stretch where one that was known begins or ends, so that each part
    /// says since when it is missing.
    fn split_into(&self, missing: &mut Vec<Missing>, span: Span) {
        let known_until = |last: u64| (last <= self.reserved).then(|| self.noted.clone());
        let new = |first, last| Missing {
            first,
            last,
            there: known_until(first),
            since: now(),
        };
        let mut next = span.first;
        for known in &self.missing {
            let (first, last) = (known.first.max(next), known.last.min(span.last));
            if first > last {
                continue;
            }
            if next < first {
                missing.push(new(next, first - 1));
            }
            missing.push(Missing {
                first,
                last,
                ..known.clone()
            });
            next = last + 1;
        }
        if next <= span.last {
            missing.push(new(next, span.last));
        }
    }

    /// Stores the head behind the old one, whose place it takes: after a crash
    /// it is the one or the other. `file` is the one that is kept open for that,
    /// so that a program without free descriptors goes on.
    ///
    /// Where that fails, a new file takes the place of the old one, since the
    /// old one's pages may be lost while a second fsync of it would succeed.
    pub(crate) fn store(
        &mut self,
        file: &mut Option<HeadFile>,
        fs: &dyn FileSystem,
        layout: &Layout,
    ) -> Result<(), IoError> {
        self.noted = now();
        let path = layout.head();
        let text = sealed_text::write(self)
            .map_err(io::Error::from)
            .at(Operation::WriteRecords, &path)?;
        if let Some(mut open) = file.take()
            && open.append(text.as_bytes()).is_ok()
        {
            *file = Some(open);
            return Ok(());
        }
        match replace(fs, layout, text.as_bytes()) {
            Err(error) if !error.is_full() => replace(fs, layout, text.as_bytes())?,
            stored => stored?,
        }
        *file = HeadFile::open(fs, layout);
        Ok(())
    }
}

/// Notes that a journal of the local file system was restored from a copy: what came
/// behind the copy is not in it, although others may have seen it. Whoever opens the
/// journal is told ([`Recovery::restored`](crate::Recovery::restored)).
///
/// # Errors
/// [`IoError`] where the note can't be written.
pub fn mark_restored(dir: impl AsRef<Path>) -> Result<(), IoError> {
    let layout = Layout::new(dir);
    let mut head = match Head::read(&RealFs, &layout)? {
        Found::Head(head) => head,
        // The journal gets an identity of its own.
        Found::Nothing | Found::Damaged => Head::new(1),
    };
    head.restored = Some(now());
    head.store(&mut None, &RealFs, &layout)
}

/// The head's file, open for further heads.
#[derive(Debug)]
pub(crate) struct HeadFile(Box<dyn AppendFile>);

impl HeadFile {
    /// Opens the file. Without it each head gets a file of its own.
    pub(crate) fn open(fs: &dyn FileSystem, layout: &Layout) -> Option<Self> {
        fs.open_append(&layout.head()).ok().map(Self)
    }

    /// Appends a head and syncs it; not where the file has become long.
    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let size = usize::try_from(self.0.size()?).unwrap_or(usize::MAX);
        if size.saturating_add(text.len()) > sealed_text::LONGEST {
            return Err(ErrorKind::FileTooLarge.into());
        }
        match self.0.append(&[IoSlice::new(text)])? {
            written if written == text.len() => self.0.sync(),
            _ => Err(ErrorKind::WriteZero.into()),
        }
    }
}

fn replace(fs: &dyn FileSystem, layout: &Layout, text: &[u8]) -> Result<(), IoError> {
    let (new, path) = (layout.new_head(), layout.head());
    match fs.remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).at(Operation::Remove, &new);
        }
        _ => {}
    }
    let mut file = fs.open_append(&new).at(Operation::Create, &new)?;
    append_all(file.as_mut(), text).at(Operation::WriteRecords, &new)?;
    synced(file.sync(), &new)?;
    // An open file may refuse to be renamed on Windows.
    drop(file);
    fs.rename(&new, &path).at(Operation::Rename, &new)?;
    synced(sync_dir_if_possible(fs, layout.dir()), layout.dir()).map(drop)
}

/// Returns the time in UTC, to the second.
pub(crate) fn now() -> String {
    utc(SystemTime::now(), "%Y-%m-%dT%H:%M:%SZ").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missing_before_says_since_when_and_what_is_new_is_told_from_it() {
        let long_ago = || "2024-01-01T00:00:00Z".to_owned();
        let known = |first, last| Missing {
            first,
            last,
            there: None,
            since: long_ago(),
        };
        let mut head = Head::new(1);
        head.settle(20);
        head.noted = "2025-01-01T00:00:00Z".to_owned();
        head.missing = vec![known(4, 6), known(12, 30)];
        let span = |first, last| Span { first, last };
        assert!(head.compare(vec![span(1, 2), span(9, 13), span(18, 18)], 20));
        let found: Vec<_> = head
            .missing
            .iter()
            .map(|one| (one.first, one.last, one.since == long_ago()))
            .collect();
        let expected = [
            (3, 3, false),
            (4, 6, true),
            (7, 8, false),
            (14, 17, true),
            (19, 20, true),
        ];
        assert_eq!(found, expected);
        assert_eq!(head.missing[0].there.as_ref(), Some(&head.noted));
        assert_eq!(head.missing[1].there, None);
        assert!(!head.compare(vec![span(1, 2), span(9, 13), span(18, 18)], 20));
    }
}

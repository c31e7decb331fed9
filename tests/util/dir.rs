//! A private log directory, and what lies in it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::record::Record;
use super::wait::until;

/// A directory that goes away with the test.
#[derive(Debug)]
pub(crate) struct Dir {
    temp: TempDir,
}

impl Dir {
    /// An empty place; the log directory itself does not exist yet.
    pub(crate) fn new() -> Self {
        Self {
            temp: TempDir::new().expect("a temporary directory"),
        }
    }

    /// The directory around the log directory.
    pub(crate) fn path(&self) -> &Path {
        self.temp.path()
    }

    /// The log directory.
    pub(crate) fn logs(&self) -> PathBuf {
        self.temp.path().join("conversation_logs")
    }

    /// The session being written.
    pub(crate) fn current(&self) -> PathBuf {
        self.logs().join("current_session.jsonl")
    }

    /// The folder of closed sessions.
    pub(crate) fn archive(&self) -> PathBuf {
        self.logs().join("archive")
    }

    /// Writes the current session's file, with the directories it needs.
    pub(crate) fn write_current(&self, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.logs()).unwrap();
        fs::write(self.current(), bytes).unwrap();
    }

    /// Writes the file of a closed session.
    pub(crate) fn write_archive(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.archive()).unwrap();
        fs::write(self.archive().join(name), bytes).unwrap();
    }

    /// The bytes of the current session; none when there is no file.
    pub(crate) fn current_bytes(&self) -> Vec<u8> {
        fs::read(self.current()).unwrap_or_default()
    }

    /// Names of the closed sessions, in the order of the alphabet.
    pub(crate) fn archives(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.archive()) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .unwrap()
                    .file_name()
                    .into_string()
                    .expect("a name in UTF-8")
            })
            .filter(|name| name.ends_with(".jsonl") || name.ends_with(".jsonl.zst"))
            .collect();
        names.sort();
        names
    }

    /// The whole lines of the current session.
    #[track_caller]
    pub(crate) fn records(&self) -> Vec<Record> {
        parse(&self.current_bytes())
    }

    /// The whole records of the current session, and how many lines are torn.
    ///
    /// For a session whose broker was killed: each kill may leave one torn line.
    pub(crate) fn survivors(&self) -> (Vec<Record>, usize) {
        let bytes = self.current_bytes();
        let text = std::str::from_utf8(&bytes).expect("what is written is ASCII");
        let lines = text.split('\n').filter(|line| !line.is_empty());
        let (whole, torn): (Vec<_>, Vec<_>) = lines.map(Record::try_parse).partition(Result::is_ok);
        (whole.into_iter().map(Result::unwrap).collect(), torn.len())
    }

    /// The lines of one closed session.
    #[track_caller]
    pub(crate) fn archived(&self, name: &str) -> Vec<Record> {
        parse(&fs::read(self.archive().join(name)).unwrap())
    }

    /// The lines of all sessions, in the order of their first numbers.
    ///
    /// Asked while a session is being closed, it can count that session twice.
    #[track_caller]
    pub(crate) fn all_records(&self) -> Vec<Record> {
        let mut sessions = vec![self.records()];
        sessions.extend(self.archives().iter().map(|name| self.archived(name)));
        sessions.retain(|session| !session.is_empty());
        sessions.sort_by_key(|session| session[0].num());
        sessions.into_iter().flatten().collect()
    }

    /// Number of lines in the current session.
    pub(crate) fn line_count(&self) -> usize {
        self.current_bytes()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
    }

    /// Waits until the current session has at least `count` lines.
    #[track_caller]
    pub(crate) fn wait_lines(&self, count: usize) {
        let what = format!("{count} lines in {}", self.current().display());
        until(&what, || (self.line_count() >= count).then_some(()));
    }

    /// Waits until there are `count` closed sessions, and returns their names.
    ///
    /// A name is reserved by an empty file before the session takes its place.
    #[track_caller]
    pub(crate) fn wait_archives(&self, count: usize) -> Vec<String> {
        until("archives", || {
            let names = self.archives();
            let is_there = |name| fs::metadata(self.archive().join(name)).unwrap().len() > 0;
            (names.len() >= count && names.iter().all(is_there)).then_some(names)
        })
    }
}

/// Asserts that numbers start at `first` and go up by one.
#[track_caller]
pub(crate) fn assert_numbered_from(first: u64, records: &[Record]) {
    for (expected, record) in (first..).zip(records) {
        assert_eq!(record.num(), expected, "numbers go up by one");
    }
}

/// Whole lines only: the last one may still be in the writing.
#[track_caller]
fn parse(bytes: &[u8]) -> Vec<Record> {
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        return Vec::new();
    };
    std::str::from_utf8(&bytes[..end])
        .expect("a journal is text")
        .split('\n')
        .map(Record::parse)
        .collect()
}

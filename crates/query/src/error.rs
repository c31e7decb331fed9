//! Why a question could not be answered.

use std::io;
use std::path::{Path, PathBuf};

use crate::sanitise::sanitise;

/// How many names an error lists before it sums up the rest.
const NAMES: usize = 10;

/// Why a journal could not be read, or its messages not be shown.
///
/// Damage in a file is no error, see [`Findings`](crate::Findings).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such directory.
    #[error("there is no directory {}: name another one, or start the broker, which makes it", shown(.dir))]
    NoDirectory {
        /// The directory that was asked for.
        dir: PathBuf,
    },
    /// The directory has no current session.
    #[error("there is no session {}: {}", shown(.path), instead(*.archives))]
    NoSession {
        /// The file that is not there.
        path: PathBuf,
        /// How many closed sessions there are instead.
        archives: usize,
    },
    /// The name is not among those of the closed sessions.
    #[error("there is no archived session '{}' in {}: {}", sanitise(.name), shown(.dir), choices(.names))]
    NoArchive {
        /// The name that was asked for.
        name: String,
        /// The directory of the closed sessions.
        dir: PathBuf,
        /// The names to choose from, oldest first.
        names: Vec<String>,
    },
    /// A pattern to search for could not be understood.
    #[error("'{}' is no regular expression", sanitise(.pattern))]
    Pattern {
        /// That pattern.
        pattern: String,
        /// What is wrong with it, in a few words.
        reason: String,
        /// At which of its characters, counted from 0.
        at: usize,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// A file or directory could not be read.
    #[error("cannot {operation} {}", shown(.path))]
    Read {
        /// What was being done.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What was to be read is a directory, a pipe or the like.
    #[error("{} is no regular file", shown(.path))]
    NotAFile {
        /// What it is instead.
        path: PathBuf,
    },
    /// A new file could not be written, or its place not be found.
    #[error("cannot {operation} {}", shown(.path))]
    File {
        /// What was being done.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file that was to be created is there already.
    #[error("{} is there already and is not overwritten: name a new file", shown(.path))]
    Exists {
        /// That file.
        path: PathBuf,
    },
    /// The file that was to be created would be one of a journal's own.
    #[error("{} would be taken for a file of the journal: name one elsewhere", shown(.path))]
    InJournal {
        /// That file.
        path: PathBuf,
    },
    /// The new file does not read back as it was written.
    #[error("{} does not hold what was written: {found} records were read back, and {written} or others were written", shown(.path))]
    NotTheSame {
        /// The new file.
        path: PathBuf,
        /// How many records were written.
        written: u64,
        /// How many were read back.
        found: u64,
    },
    /// A new file failed, and what there is of it could not be removed.
    #[error("{reason}; {} is not whole and could not be removed", shown(.path))]
    Partial {
        /// The new file.
        path: PathBuf,
        /// What failed first.
        reason: String,
        /// Why it could not be removed.
        #[source]
        source: io::Error,
    },
    /// Messages of which the bytes could not be rebuilt from their records, as where a
    /// program has put spaces into the lines. All that was asked for was shown.
    #[error(
        "{count} of the messages, the first of them #{number}, were changed since they were \
         recorded: what is written of them is their content, and not what was sent"
    )]
    Changed {
        /// How many.
        count: u64,
        /// The number of the first one.
        number: u64,
        /// What is wrong with the record.
        #[source]
        source: message::DecodeError,
    },
    /// A database, such as the one in which Cursor keeps its sessions.
    #[error(
        "{} is a SQLite database, which is not read; export the conversation as text first: \
         Cursor does so with \"Export Chat\" in the chat's menu, any other with \
         `sqlite3 -json FILE 'select * from TABLE'`",
        shown(.path)
    )]
    Database {
        /// The file.
        path: PathBuf,
    },
    /// What was found could not be written.
    #[error("cannot write the output")]
    Write(#[from] io::Error),
}

impl Error {
    pub(crate) fn file(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            operation,
            path: path.to_owned(),
            source,
        }
    }
}

impl From<journal::ReadError> for Error {
    fn from(error: journal::ReadError) -> Self {
        Self::Read {
            operation: error.operation.as_str(),
            path: error.path,
            source: error.source,
        }
    }
}

impl From<journal::IoError> for Error {
    fn from(error: journal::IoError) -> Self {
        Self::Read {
            operation: error.operation.as_str(),
            path: error.path,
            source: error.source,
        }
    }
}

/// Shows a path, whose name anybody may have chosen.
#[must_use]
pub fn shown(path: &Path) -> String {
    sanitise(&path.display().to_string()).into_owned()
}

fn instead(archives: usize) -> String {
    match archives {
        0 => "nothing was recorded here yet".to_owned(),
        1 => "there is 1 archived session to choose instead".to_owned(),
        more => format!("there are {more} archived sessions to choose from instead"),
    }
}

/// Names the newest of the choices.
fn choices(names: &[String]) -> String {
    if names.is_empty() {
        return "there are none yet".to_owned();
    }
    let older = names.len().saturating_sub(NAMES);
    let newest: Vec<_> = names
        .iter()
        .skip(older)
        .map(|name| sanitise(name))
        .collect();
    let and_older = match older {
        0 => String::new(),
        more => format!(" and {more} older ones"),
    };
    format!("choose one of {}{and_older}", newest.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_archive(count: usize) -> String {
        let names = (1..=count).map(|n| format!("session_{n}.jsonl")).collect();
        let (name, dir) = ("\u{1b}x".to_owned(), "logs".into());
        Error::NoArchive { name, dir, names }.to_string()
    }

    #[test]
    fn an_unknown_archive_names_the_choices() {
        assert_eq!(
            no_archive(2),
            "there is no archived session '\\u001bx' in logs: \
             choose one of session_1.jsonl, session_2.jsonl"
        );
        assert!(no_archive(0).ends_with("there are none yet"));
        let many = no_archive(12);
        assert!(many.contains("choose one of session_3.jsonl, "), "{many}");
        assert!(
            many.ends_with("session_12.jsonl and 2 older ones"),
            "{many}"
        );
    }

    #[test]
    fn paths_are_fit_to_be_shown() {
        let error = Error::NoDirectory {
            dir: "a\u{202e}b".into(),
        };
        assert!(error.to_string().contains("a\\u202eb"));
    }
}

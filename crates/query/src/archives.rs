//! The closed sessions, and the choice of one by its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use journal::{Archive, Unread};

use crate::error::Error;
use crate::time::{date_and_time, is_date, is_time};

const SUFFIX: &str = ".jsonl";

/// A closed session as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedSession {
    /// The file's name, such as `session_20251120_143022.jsonl`.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was closed, as far as that is known.
    pub closed: Closed,
}

/// When a session was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// What the file's name says, as `2025-11-20 14:30:22`.
    Named(String),
    /// The name says nothing; the file was changed last at this time, in UTC.
    Changed(String),
    /// Neither the name nor the file system says.
    Unknown,
}

/// Returns the directory that holds the closed sessions of a journal.
#[must_use]
pub fn archive_dir(dir: &Path) -> PathBuf {
    dir.join("archive")
}

/// Lists the closed sessions of a journal's directory, oldest first.
///
/// # Errors
/// [`Error::NoDirectory`], or [`Error::Read`] where the archive can't be read.
pub fn list_archives(dir: &Path) -> Result<Vec<ArchivedSession>, Error> {
    let archives = list(dir)?.into_iter().map(|archive| ArchivedSession {
        closed: closed(&archive),
        name: archive.name,
        bytes: archive.bytes,
    });
    Ok(archives.collect())
}

/// Lists what is in the archive directory and is not read, with the reason.
///
/// # Errors
/// [`Error::Read`] where the archive can't be read.
pub fn list_unread(dir: &Path) -> Result<Vec<Unread>, Error> {
    Ok(journal::list_unread(dir)?)
}

pub(crate) fn list(dir: &Path) -> Result<Vec<Archive>, Error> {
    if !dir.is_dir() {
        return Err(Error::NoDirectory {
            dir: dir.to_owned(),
        });
    }
    match journal::list_archives(dir) {
        // A file went away between being listed and being opened.
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => {
            Ok(journal::list_archives(dir)?)
        }
        listed => Ok(listed?),
    }
}

/// Finds the file of a closed session by its name, with or without `.jsonl`.
pub(crate) fn choose(dir: &Path, name: &str) -> Result<PathBuf, Error> {
    // The path of the only one there is.
    let chosen = choose_all(dir, &[name.to_owned()])?;
    Ok(chosen.into_iter().map(|archive| archive.path).collect())
}

/// Finds closed sessions by their names, with or without `.jsonl`, and returns
/// them in the order of the list; none stands twice.
///
/// A name is only compared with those of the list, never made part of a path.
pub(crate) fn choose_all(dir: &Path, names: &[String]) -> Result<Vec<Archive>, Error> {
    let archives = list(dir)?;
    let mut chosen = vec![false; archives.len()];
    for name in names {
        let is_named = |archive: &Archive| {
            archive.name == *name || archive.name.strip_suffix(SUFFIX) == Some(name)
        };
        match archives.iter().position(is_named) {
            Some(at) => chosen[at] = true,
            None => {
                return Err(Error::NoArchive {
                    name: name.clone(),
                    dir: archive_dir(dir),
                    names: archives.into_iter().map(|archive| archive.name).collect(),
                });
            }
        }
    }
    let all = archives.into_iter().zip(chosen);
    Ok(all
        .filter_map(|(archive, is_chosen)| is_chosen.then_some(archive))
        .collect())
}

fn closed(archive: &Archive) -> Closed {
    if let Some(time) = stamp(&archive.name) {
        return Closed::Named(time);
    }
    let changed = fs::metadata(&archive.path).and_then(|metadata| metadata.modified());
    changed.map_or(Closed::Unknown, |time| Closed::Changed(date_and_time(time)))
}

/// Finds `YYYYMMDD_HHMMSS` among the parts of a name, between labels perhaps.
fn stamp(name: &str) -> Option<String> {
    let parts: Vec<&str> = name
        .strip_suffix(SUFFIX)
        .unwrap_or(name)
        .split('_')
        .collect();
    parts.windows(2).find_map(|pair| match pair {
        [date, time] => stamp_of(date, time),
        _ => None,
    })
}

fn stamp_of(date: &str, time: &str) -> Option<String> {
    if date.len() != 8 || time.len() != 6 {
        return None;
    }
    let part = |text: &str, from: usize, to: usize| {
        let digits = text.get(from..to)?;
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|_| are_digits)
    };
    let (year, month, day) = (part(date, 0, 4)?, part(date, 4, 6)?, part(date, 6, 8)?);
    let (hour, minute, second) = (part(time, 0, 2)?, part(time, 2, 4)?, part(time, 4, 6)?);
    (is_date(year, month, day) && is_time(hour, minute, second))
        .then(|| format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
}

#[cfg(test)]
mod tests;

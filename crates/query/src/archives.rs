//! What is told of closed sessions in a list.

use std::fs;
use std::path::Path;

use journal::{Archive, Unread};

use crate::analysis::{Analysis, ValueKind};
use crate::closed::{PACKED, SUFFIX, list};
use crate::count::count;
use crate::error::Error;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::source::Source;
use crate::time::{calendar_date, date_and_time, is_time};
use crate::zone::Zone;

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

/// What is in a closed session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// How many messages it holds.
    pub messages: u64,
    /// When the first and the last of them came, as `2025-11-20 14:30:22`.
    pub times: Option<(String, String)>,
    /// Who sent them, most messages first.
    pub senders: Vec<String>,
    /// How many stretches of it can't be read.
    pub damaged: u64,
}

/// Tells what is in a closed session; with an index that takes no time.
///
/// # Errors
/// [`Error::NoArchive`], or [`Error::Read`] where it can't be read.
pub fn holdings(dir: &Path, name: &str, zone: &Zone) -> Result<Holdings, Error> {
    let source = Source::archive(dir, name)?;
    let mut findings = Findings::default();
    let analysis: Analysis = count(&source, &Filter::default(), &mut findings)?;
    let senders = analysis.values(ValueKind::Sender).into_iter();
    Ok(Holdings {
        messages: analysis.counts.messages,
        times: analysis.recorded(zone),
        senders: senders.map(|(name, ..)| name).collect(),
        damaged: findings.damaged,
    })
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
    let ending = PACKED.iter().chain([&SUFFIX]);
    let mut short = ending.filter_map(|ending| name.strip_suffix(ending));
    let parts: Vec<&str> = short.next().unwrap_or(name).split('_').collect();
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
    let date = calendar_date(year, month, day).filter(|_| is_time(hour, minute, second))?;
    Some(format!("{date} {hour:02}:{minute:02}:{second:02}"))
}

#[cfg(test)]
mod tests;

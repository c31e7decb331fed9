//! The closed sessions, and the choice of one by its name.

use std::fs;
use std::path::{Path, PathBuf};

use journal::{Archive, Begins, Layout, Sessions};

use crate::error::Error;

pub(crate) const SUFFIX: &str = ".jsonl";
/// Endings of sessions that were packed afterwards.
pub(crate) const PACKED: [&str; 2] = [".jsonl.gz", ".jsonl.zst"];
/// Stands for the newest closed session.
const LATEST: &str = "latest";

/// Returns the directory that holds the closed sessions of a journal.
#[must_use]
pub fn archive_dir(dir: &Path) -> PathBuf {
    Layout::new(dir).archive_dir()
}

pub(crate) fn list(dir: &Path) -> Result<Vec<Archive>, Error> {
    let archives = sessions(dir)?.closed()?;
    Ok(with_packed(dir, archives))
}

/// Looks for the sessions of a directory that is there.
pub(crate) fn sessions(dir: &Path) -> Result<Sessions, Error> {
    match dir.is_dir() {
        true => Ok(Sessions::of(dir)),
        false => Err(Error::NoDirectory {
            dir: dir.to_owned(),
        }),
    }
}

/// Adds those that somebody has packed.
pub(crate) fn with_packed(dir: &Path, mut archives: Vec<Archive>) -> Vec<Archive> {
    let packed = packed(dir, &archives);
    if !packed.is_empty() {
        archives.extend(packed);
        archives.sort_by(|a, b| (a.first, &a.name).cmp(&(b.first, &b.name)));
    }
    archives
}

/// Tells whether a file in the archive is packed, by its name.
pub(crate) fn is_packed(name: &str) -> bool {
    PACKED.iter().any(|suffix| name.ends_with(suffix))
}

/// Tells whether a file may be one that the broker itself has compressed: a journal
/// opens files of other names as they are.
pub(crate) fn is_compressed(name: &str) -> bool {
    name.ends_with(".zst")
}

fn is_packed_session(name: &str) -> bool {
    name.starts_with("session_") && is_packed(name)
}

/// Finds closed sessions that somebody has packed. One whose session lies beside
/// it, not packed, is the same once more.
fn packed(dir: &Path, plain: &[Archive]) -> Vec<Archive> {
    let Ok(entries) = fs::read_dir(archive_dir(dir)) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = names.filter(|name| is_packed_session(name));
    let is_new = |name: &String| {
        let known = |archive: &Archive| archive.name == *name || name.starts_with(&archive.name);
        !plain.iter().any(known)
    };
    let archive = |name: String| {
        let path = archive_dir(dir).join(&name);
        let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Archive {
            bytes,
            stored: bytes,
            first: first_number(&path).unwrap_or(1),
            begins: Begins::Numbered,
            path,
            name,
        }
    };
    names.filter(is_new).map(archive).collect()
}

/// Reads the number of the first message of a packed session.
fn first_number(path: &Path) -> Option<u64> {
    let line = crate::convert::first_line(path)?;
    message::Record::parse(&line).ok()?.message_num
}

/// Finds the file of a closed session by its name, with or without `.jsonl`.
pub(crate) fn choose(dir: &Path, name: &str) -> Result<PathBuf, Error> {
    // The path of the only one there is.
    let chosen = choose_all(dir, &[name.to_owned()])?;
    Ok(chosen.into_iter().map(|archive| archive.path).collect())
}

/// Finds closed sessions by their names, with or without `.jsonl`, by patterns,
/// or by `latest`, and returns them in the order of the list; none stands twice.
///
/// A name is only compared with those of the list, never made part of a path.
pub(crate) fn choose_all(dir: &Path, names: &[String]) -> Result<Vec<Archive>, Error> {
    let archives = list(dir)?;
    let mut chosen = vec![false; archives.len()];
    for name in names {
        let before = archives.iter().zip(&mut chosen);
        let mut is_any = false;
        if name == LATEST {
            if let Some((_, last)) = before.last() {
                (*last, is_any) = (true, true);
            }
        } else {
            // A name that fits one to the letter, or but for its ending, means that one.
            let exact = archives.iter().find(|archive| archive.name == *name);
            let exact = exact.or_else(|| archives.iter().find(|archive| is_short(archive, name)));
            let exact = exact.map(|archive| &archive.name);
            for (archive, is_chosen) in before {
                let is_wanted = match exact {
                    Some(exact) => archive.name == *exact,
                    None => is_pattern_of(archive, name),
                };
                if is_wanted {
                    (*is_chosen, is_any) = (true, true);
                }
            }
        }
        if !is_any {
            return Err(Error::NoArchive {
                name: name.clone(),
                dir: archive_dir(dir),
                names: archives.into_iter().map(|archive| archive.name).collect(),
            });
        }
    }
    let all = archives.into_iter().zip(chosen);
    Ok(all
        .filter_map(|(archive, is_chosen)| is_chosen.then_some(archive))
        .collect())
}

/// Tells whether a name is that of a closed session without its ending.
fn is_short(archive: &Archive, name: &str) -> bool {
    let mut endings = PACKED.iter().chain([&SUFFIX, &".gz", &".zst"]);
    endings.any(|ending| archive.name.strip_suffix(ending) == Some(name))
}

/// Tells whether a session's name, with or without its ending, is like a pattern.
fn is_pattern_of(archive: &Archive, pattern: &str) -> bool {
    let endings = PACKED.iter().chain([&SUFFIX]);
    let short = endings.filter_map(|ending| archive.name.strip_suffix(ending));
    let mut names = short.chain([&*archive.name]);
    names.any(|name| is_like(name.as_bytes(), pattern.as_bytes()))
}

/// Tells whether a text is like a pattern, in which `*` stands for any text and
/// `?` for a single character.
fn is_like(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut wanted) = (0, 0);
    // Where the last star stands, and which text it has not taken yet.
    let mut star = None;
    while at < text.len() {
        match pattern.get(wanted) {
            Some(b'*') => {
                star = Some((wanted, at));
                wanted += 1;
            }
            Some(byte) if *byte == b'?' || Some(byte) == text.get(at) => {
                at += 1;
                wanted += 1;
            }
            _ => {
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                (at, wanted) = (taken + 1, place + 1);
            }
        }
    }
    let rest = pattern.get(wanted..).unwrap_or_default();
    rest.iter().all(|byte| *byte == b'*')
}

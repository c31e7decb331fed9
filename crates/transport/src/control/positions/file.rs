//! One small file per name, replaced as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use journal::raw::{FileSystem, Kind, RealFs};
use serde::{Deserialize, Serialize};

use super::super::replace::{replace, sync};

/// Before the name, so that no name is one that a system keeps for a device.
const PREFIX: &str = "consumer_";
const SUFFIX: &str = ".json";
/// No file that was written here is longer.
const LONGEST: u64 = 4096;

/// What is kept for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::control) enum Stored {
    /// All messages up to this one were acknowledged.
    At(Position),
    /// There is a file that can't be read.
    Damaged(String),
}

/// A message up to which all were acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::control) struct Position {
    pub(in crate::control) number: u64,
    /// The checksum of its record, where that is known: another record may have
    /// its number after a restore.
    pub(in crate::control) crc: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    name: String,
    message_num: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc: Option<String>,
    updated_at: String,
}

/// Returns where the files are.
pub(in crate::control) fn directory(logs: &Path) -> PathBuf {
    logs.join("consumers")
}

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{PREFIX}{name}{SUFFIX}"))
}

/// Reads all files; one that can't be read is told when its name is asked for.
pub(super) fn read_all(dir: &Path) -> BTreeMap<String, Stored> {
    list(dir).unwrap_or_default()
}

/// Reads all files, of which there are none where no consumer has come by yet.
pub(super) fn list(dir: &Path) -> io::Result<BTreeMap<String, Stored>> {
    let names = match RealFs.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    let names = names.iter().filter_map(|entry| {
        let name = entry.name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        (entry.kind == Kind::File).then_some((name, entry.bytes))
    });
    let stored = names.map(|(name, bytes)| (name.to_owned(), read(dir, name, bytes)));
    Ok(stored.collect())
}

fn read(dir: &Path, name: &str, bytes: u64) -> Stored {
    let path = path(dir, name);
    let problem = |reason: String| Stored::Damaged(format!("{}: {reason}", path.display()));
    if bytes > LONGEST {
        return problem(format!("it has {bytes} bytes"));
    }
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) => return problem(error.to_string()),
    };
    match serde_json::from_slice::<Contents>(&text) {
        Ok(contents) if contents.name == name => Stored::At(Position {
            number: contents.message_num,
            crc: contents.crc,
        }),
        Ok(contents) => problem(format!("it belongs to {:?}", contents.name)),
        Err(error) => problem(error.to_string()),
    }
}

/// Replaces the files of these names. Each file is synced before it takes its
/// name, and the directory once for all of them.
pub(super) fn write_all(dir: &Path, positions: &BTreeMap<String, Position>) -> io::Result<()> {
    RealFs.create_dir_all(dir)?;
    let updated_at = message::format_time(SystemTime::now()).to_string();
    for (name, Position { number, crc }) in positions {
        let contents = Contents {
            name: name.clone(),
            message_num: *number,
            crc: crc.clone(),
            updated_at: updated_at.clone(),
        };
        replace(&path(dir, name), &serde_json::to_string(&contents)?)?;
    }
    sync(dir)
}

/// Removes a name's file; one that is gone already is no error.
pub(super) fn remove(dir: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(path(dir, name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| sync(dir)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(all: &[(&str, u64)]) -> BTreeMap<String, Position> {
        all.iter()
            .map(|(name, number)| ((*name).to_owned(), at(*number)))
            .collect()
    }

    fn at(number: u64) -> Position {
        let crc = number.is_multiple_of(2).then(|| format!("{number:08x}"));
        Position { number, crc }
    }

    #[test]
    fn what_was_written_is_read_back_and_replaced_as_a_whole() {
        let logs = tempfile::tempdir().unwrap();
        let dir = directory(logs.path());
        assert!(read_all(&dir).is_empty());
        write_all(&dir, &numbers(&[("a", 5), ("con", 7)])).unwrap();
        write_all(&dir, &numbers(&[("a", 6)])).unwrap();
        let read = read_all(&dir);
        assert_eq!(read.len(), 2);
        assert_eq!(read["a"], Stored::At(at(6)));
        assert_eq!(read["con"], Stored::At(at(7)));
        remove(&dir, "a").unwrap();
        remove(&dir, "a").unwrap();
        assert_eq!(read_all(&dir).len(), 1);
    }

    #[test]
    fn a_file_that_is_no_position_is_named_and_harms_no_other() {
        let logs = tempfile::tempdir().unwrap();
        let dir = directory(logs.path());
        write_all(&dir, &numbers(&[("good", 1)])).unwrap();
        for (name, text) in [
            ("torn", "{\"name\":\"torn\",\"mess"),
            ("long", &" ".repeat(5000)),
            (
                "moved",
                "{\"name\":\"other\",\"message_num\":1,\"updated_at\":\"\"}",
            ),
        ] {
            fs::write(path(&dir, name), text).unwrap();
        }
        let read = read_all(&dir);
        assert_eq!(read["good"], Stored::At(at(1)));
        for name in ["torn", "long", "moved"] {
            let Stored::Damaged(reason) = &read[name] else {
                panic!("{name}")
            };
            assert!(reason.contains(name), "{reason}");
        }
    }

    #[test]
    fn a_position_without_a_checksum_is_read_as_before() {
        let logs = tempfile::tempdir().unwrap();
        let dir = directory(logs.path());
        fs::create_dir(&dir).unwrap();
        let text = "{\"name\":\"old\",\"message_num\":3,\"updated_at\":\"\"}";
        fs::write(path(&dir, "old"), text).unwrap();
        assert_eq!(read_all(&dir)["old"], Stored::At(at(3)));
    }

    #[test]
    fn a_leftover_of_a_crash_is_no_position() {
        let logs = tempfile::tempdir().unwrap();
        let dir = directory(logs.path());
        write_all(&dir, &numbers(&[("a", 1)])).unwrap();
        fs::write(dir.join("consumer_a.new"), "{").unwrap();
        assert_eq!(read_all(&dir)["a"], Stored::At(at(1)));
        write_all(&dir, &numbers(&[("a", 2)])).unwrap();
        assert_eq!(read_all(&dir)["a"], Stored::At(at(2)));
    }
}

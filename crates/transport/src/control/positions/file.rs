//! One small file per name, replaced as a whole.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use journal::{FileSystem, RealFs};
use serde::{Deserialize, Serialize};

/// Before the name, so that no name is one that a system keeps for a device.
const PREFIX: &str = "consumer_";
const SUFFIX: &str = ".json";
/// No file that was written here is longer.
const LONGEST: u64 = 4096;

/// What is kept for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::control) enum Stored {
    /// All messages up to this one were acknowledged.
    At { number: u64, updated_at: String },
    /// There is a file that can't be read.
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct Contents {
    name: String,
    message_num: u64,
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
    let names = RealFs.list(dir).unwrap_or_default();
    let names = names.iter().filter_map(|(file, bytes)| {
        let name = file.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        Some((name, *bytes))
    });
    names
        .map(|(name, bytes)| (name.to_owned(), read(dir, name, bytes)))
        .collect()
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
        Ok(contents) if contents.name == name => Stored::At {
            number: contents.message_num,
            updated_at: contents.updated_at,
        },
        Ok(contents) => problem(format!("it belongs to {:?}", contents.name)),
        Err(error) => problem(error.to_string()),
    }
}

/// Replaces the files of these names. Each file is synced before it takes its
/// name, and the directory once for all of them.
pub(super) fn write_all(
    dir: &Path,
    numbers: &BTreeMap<String, u64>,
) -> io::Result<BTreeMap<String, Stored>> {
    RealFs.create_dir_all(dir)?;
    let updated_at = message::format_time(SystemTime::now()).to_string();
    for (name, number) in numbers {
        let contents = Contents {
            name: name.clone(),
            message_num: *number,
            updated_at: updated_at.clone(),
        };
        write(dir, name, &contents)?;
    }
    RealFs.sync_dir(dir)?;
    let stored = |(name, number): (&String, &u64)| {
        let updated_at = updated_at.clone();
        let number = *number;
        (name.clone(), Stored::At { number, updated_at })
    };
    Ok(numbers.iter().map(stored).collect())
}

fn write(dir: &Path, name: &str, contents: &Contents) -> io::Result<()> {
    let path = path(dir, name);
    let new = path.with_extension("new");
    let mut file = create(&new)?;
    file.write_all(serde_json::to_string(contents)?.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, &path)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    crate::platform::private_file(&mut options);
    options.write(true).create(true).truncate(true).open(path)
}

/// Removes a name's file; one that is gone already is no error.
pub(super) fn remove(dir: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(path(dir, name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| RealFs.sync_dir(dir)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(all: &[(&str, u64)]) -> BTreeMap<String, u64> {
        all.iter()
            .map(|(name, number)| ((*name).to_owned(), *number))
            .collect()
    }

    #[test]
    fn what_was_written_is_read_back_and_replaced_as_a_whole() {
        let logs = tempfile::tempdir().unwrap();
        let dir = directory(logs.path());
        assert!(read_all(&dir).is_empty());
        write_all(&dir, &numbers(&[("a", 5), ("con", 7)])).unwrap();
        let written = write_all(&dir, &numbers(&[("a", 6)])).unwrap();
        let read = read_all(&dir);
        assert_eq!(read.len(), 2);
        assert_eq!(read.get("a"), written.get("a"));
        assert!(matches!(read["con"], Stored::At { number: 7, .. }));
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
        assert!(matches!(read["good"], Stored::At { number: 1, .. }));
        for name in ["torn", "long", "moved"] {
            let Stored::Damaged(reason) = &read[name] else {
                panic!("{name}")
            };
            assert!(reason.contains(name), "{reason}");
        }
    }

    #[test]
    fn a_leftover_of_a_crash_is_no_position() {
        let logs = tempfile::tempdir().unwrap();
        let dir = directory(logs.path());
        write_all(&dir, &numbers(&[("a", 1)])).unwrap();
        fs::write(dir.join("consumer_a.new"), "{").unwrap();
        assert!(matches!(read_all(&dir)["a"], Stored::At { number: 1, .. }));
        write_all(&dir, &numbers(&[("a", 2)])).unwrap();
        assert!(matches!(read_all(&dir)["a"], Stored::At { number: 2, .. }));
    }
}

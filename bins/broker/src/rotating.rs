//! A file for the log that does not grow for ever.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::platform;

/// At this size a file is put away.
const SIZE: u64 = 10 << 20;
/// How many are kept besides the one being written.
const KEPT: u32 = 5;

/// Writes to a file; when that is full it becomes `FILE.1`, that one `FILE.2`, and the
/// oldest goes.
#[derive(Debug)]
pub(crate) struct Rotating {
    path: PathBuf,
    /// None where it could not be opened again: what is said meanwhile is lost, but
    /// recording goes on.
    file: Option<File>,
    bytes: u64,
    size: u64,
}

impl Rotating {
    /// Opens a file, behind what is in it.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (file, bytes) = open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            bytes,
            size: SIZE,
        })
    }

    fn turn(&mut self) -> io::Result<()> {
        // Some systems rename no file that is open.
        self.file = None;
        for age in (1..KEPT).rev() {
            let moved = fs::rename(self.older(age), self.older(age + 1));
            if let Err(error) = moved
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        fs::rename(&self.path, self.older(1))
    }

    fn older(&self, age: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{age}"));
        name.into()
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    platform::private_file(&mut options);
    let file = options.append(true).create(true).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

impl Write for Rotating {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes + bytes.len() as u64 > self.size {
            // One that can't be put away is written on.
            let _turned = self.turn();
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let (file, length) = open(&self.path)?;
                self.bytes = length;
                self.file.insert(file)
            }
        };
        // Whole lines: what is written by two is not mixed.
        file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_bounded_in_size_and_number_and_the_newest_lines_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("broker.log");
        let mut log = Rotating::open(&path).unwrap();
        log.size = 100;
        for number in 0..200 {
            writeln!(log, "line {number:03} ").unwrap();
        }
        drop(log);
        let mut files: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert_eq!(files.len(), 1 + KEPT as usize, "{files:?}");
        // `broker.log` sorts before `broker.log.1`, which is older.
        files.reverse();
        let mut kept = String::new();
        for file in &files {
            let text = fs::read_to_string(file).unwrap();
            assert!(text.len() <= 100, "{file:?}");
            kept.push_str(&text);
        }
        let lines: Vec<&str> = kept.lines().collect();
        let expected: Vec<String> = (200 - lines.len()..200)
            .map(|number| format!("line {number:03} "))
            .collect();
        assert_eq!(lines, expected);
        assert!(lines.len() > 50);
    }

    #[test]
    fn a_file_that_is_there_is_written_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("broker.log");
        fs::write(&path, "before\n").unwrap();
        let mut log = Rotating::open(&path).unwrap();
        log.write_all(b"after\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\nafter\n");
        // A line that is longer than a file may be is written all the same.
        log.size = 10;
        log.write_all(b"a line that is long\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a line that is long\n");
    }

    #[test]
    fn a_directory_that_is_gone_costs_lines_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs").join("broker.log");
        assert!(Rotating::open(&path).is_err());
        fs::create_dir(dir.path().join("logs")).unwrap();
        let mut log = Rotating::open(&path).unwrap();
        log.size = 10;
        log.write_all(b"0123456789").unwrap();
        #[cfg(unix)]
        {
            fs::remove_dir_all(dir.path().join("logs")).unwrap();
            assert!(log.write_all(b"lost").is_err());
            fs::create_dir(dir.path().join("logs")).unwrap();
            log.write_all(b"found").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "found");
        }
    }
}

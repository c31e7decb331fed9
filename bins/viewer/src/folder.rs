//! The directory into which a transcript is written as pages.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A directory that was made, or was there and empty.
#[derive(Debug)]
pub(crate) struct NewFolder(PathBuf);

impl NewFolder {
    /// Makes the directory. One that has something in it is left alone: pages of another
    /// transcript would stand between these.
    pub(crate) fn make(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
        let mut entries =
            fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        if entries.next().is_some() {
            anyhow::bail!(
                "{} is not empty: remove it, or choose another directory for --out",
                path.display()
            );
        }
        Ok(Self(path.to_owned()))
    }

    /// The page with which one begins.
    pub(crate) fn index(&self) -> PathBuf {
        self.0.join("index.html")
    }
}

impl render::Folder for NewFolder {
    fn write(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.0.join(name);
        let made = File::create_new(&path).or_else(|error| match path.parent() {
            // The first file of a folder within it.
            Some(folder) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir(folder)?;
                File::create_new(&path)
            }
            _ => Err(error),
        });
        made?.write_all(content)
    }
}

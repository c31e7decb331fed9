//! A small file that is replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use journal::raw::{FileSystem, RealFs};

/// Replaces a file by one that holds this and a newline, which is synced before it
/// takes the name. The directory is to be synced after that.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = create(&new)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)
}

/// Syncs the directory, unless the file system does not do that (EINVAL); the
/// broker has said so when it started.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    match RealFs.sync_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    crate::platform::private_file(&mut options);
    options.write(true).create(true).truncate(true).open(path)
}

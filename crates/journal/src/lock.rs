//! One writer per directory.

use std::io::ErrorKind;

use crate::error::{AtPath, OpenError};
use crate::fs::{FileSystem, LockGuard};
use crate::operation::Operation;
use crate::session::Layout;

/// Takes the directory's lock and leaves this process's id beside it.
pub(crate) fn take_lock(
    fs: &dyn FileSystem,
    layout: &Layout,
) -> Result<Box<dyn LockGuard>, OpenError> {
    let path = layout.lock();
    let guard = match fs.lock(&path) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            return Err(OpenError::Locked {
                dir: layout.dir().to_owned(),
                owner: owner(fs, layout),
            });
        }
        result => result.at(Operation::Lock, &path)?,
    };
    let path = layout.owner();
    let id = std::process::id().to_string();
    fs.write_hint(&path, id.as_bytes())
        .at(Operation::Write, &path)?;
    Ok(guard)
}

/// Reads who holds the lock; a hint that is missing or odd is no answer.
fn owner(fs: &dyn FileSystem, layout: &Layout) -> Option<u32> {
    let mut digits = [0; 16];
    let file = fs.open_read(&layout.owner()).ok()?;
    let count = file.read_at(&mut digits, 0).ok()?;
    std::str::from_utf8(digits.get(..count)?)
        .ok()?
        .trim()
        .parse()
        .ok()
}

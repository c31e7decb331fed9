//! One bridge for each journal.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::Error;

/// Held by the bridge that carries a journal; it goes with the process.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: a process that was begun in this moment has a copy.
    fn drop(&mut self) {
        // Where that fails, closing it has to do.
        let _closed: std::io::Result<()> = self.0.unlock();
    }
}

impl Lock {
    /// Takes the lock of the journal in a directory.
    ///
    /// # Errors
    /// [`Error::Taken`] where another bridge has it, [`Error::File`] where there is no
    /// such directory.
    pub fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("bridge.lock");
        let at_path = |source| Error::File {
            path: path.clone(),
            source,
        };
        let file = File::create(&path).map_err(at_path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Taken {
                dir: dir.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(at_path(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_bridge_of_a_journal_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        assert!(matches!(Lock::take(dir.path()), Err(Error::Taken { .. })));
        drop(first);
        assert!(Lock::take(dir.path()).is_ok());
    }
}

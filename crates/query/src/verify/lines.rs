//! Which line of a file a byte belongs to.

use std::path::Path;
use std::sync::Arc;

use journal::raw::ReadFile;

use crate::error::Error;
use crate::source::session_file;

const CHUNK: usize = 64 << 10;

/// Counts the lines of a file up to where something was found.
///
/// Places are asked for in ascending order, so that the file is gone through at
/// most once, and not at all where nothing is found.
#[derive(Debug)]
pub(crate) struct CheckedLines {
    file: Arc<dyn ReadFile>,
    /// Up to here newlines are counted.
    offset: u64,
    newlines: u64,
}

impl CheckedLines {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            file: session_file(path)?,
            offset: 0,
            newlines: 0,
        })
    }

    /// Returns how many bytes there are from `offset` on, as far as is known.
    pub(crate) fn behind(&self, offset: u64) -> u64 {
        self.file.size().unwrap_or(offset).saturating_sub(offset)
    }

    /// Returns the line of the byte at `offset`, from 1; `None` where the file
    /// can't be read so far, or was counted farther already.
    pub(crate) fn line_of(&mut self, offset: u64) -> Option<u64> {
        let mut buffer = vec![0; CHUNK];
        while self.offset < offset {
            let wanted =
                usize::try_from(offset - self.offset).map_or(CHUNK, |rest| rest.min(CHUNK));
            let room = buffer.get_mut(..wanted)?;
            let read = self.file.read_at(room, self.offset).ok()?;
            let bytes = buffer.get(..read).filter(|bytes| !bytes.is_empty())?;
            self.newlines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.offset += read as u64;
        }
        (self.offset == offset).then_some(self.newlines + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_1() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let long = "x".repeat(2 * CHUNK);
        std::fs::write(&path, format!("a\n{long}\n\nb")).unwrap();
        let mut lines = CheckedLines::open(&path).unwrap();
        assert_eq!(lines.line_of(0), Some(1));
        assert_eq!(lines.line_of(2), Some(2));
        assert_eq!(lines.line_of(2 + 2 * CHUNK as u64), Some(2));
        assert_eq!(lines.line_of(4 + 2 * CHUNK as u64), Some(4));
        assert_eq!(lines.line_of(1), None, "only forwards");
        assert_eq!(lines.line_of(1 << 30), None, "beyond the end");
    }
}

//! How does a file begin? That is what tells one session from another.

use super::Reader;
use crate::damage::Integrity;
use crate::error::ReadError;
use crate::line::Checked;
use crate::record::Item;

impl Reader {
    /// Returns the number of the file's first record, and goes to the start.
    pub(crate) fn first_number(&mut self) -> Result<Option<u64>, ReadError> {
        self.seek(0, None);
        let first = self.find_first()?;
        self.seek(0, None);
        Ok(first)
    }

    /// An altered first line may carry any number; the next line that was not
    /// altered tells what it was.
    fn find_first(&mut self) -> Result<Option<u64>, ReadError> {
        let (mut first, mut before) = (None, 0);
        while let Some(item) = self.next_item()? {
            let Item::Record(record) = item else { continue };
            match record.integrity {
                Integrity::Verified => {
                    return Ok(Some(record.number.saturating_sub(before).max(1)));
                }
                Integrity::Unverified => return Ok(first.or(Some(record.number))),
                Integrity::Altered => {}
            }
            first = first.or(Some(record.number));
            before += 1;
        }
        Ok(first)
    }

    /// Tells whether the file's first record carries a number, and goes to the
    /// start.
    pub(crate) fn first_is_numbered(&mut self) -> Result<bool, ReadError> {
        self.seek(0, None);
        let mut numbered = false;
        while self.is_ready()? {
            if let Some(Checked::Record { number, .. }) =
                self.pending.pop_front().map(|s| s.checked)
            {
                numbered = number.is_some();
                break;
            }
        }
        self.seek(0, None);
        Ok(numbered)
    }

    /// Returns the file's first bytes, at most `count` of them.
    pub(crate) fn head(&self, count: usize) -> Result<Vec<u8>, ReadError> {
        let mut head = vec![0; count];
        let filled = self.lines.file.read_full(&mut head, 0)?;
        head.truncate(filled);
        Ok(head)
    }
}

//! What an older recorder has left in the session that the broker goes on with.

use std::path::Path;

use journal::raw::FileSystem;
use journal::{Integrity, Item, ReadError, Reader};
use message::Record;

/// Counts the lines of an older recorder that carry no topic: only a subscription to
/// everything gets them. They stand before all that a broker has recorded, so that
/// nothing of a long session is read for them.
pub(crate) fn without_topic(fs: &dyn FileSystem, session: &Path) -> Result<u64, ReadError> {
    let mut lines = Reader::open_in(fs, session)?;
    let mut count = 0;
    while let Some(item) = lines.next_item()? {
        let Item::Record(record) = item else { continue };
        if record.integrity == Integrity::Verified {
            break;
        }
        let fields = Record::parse_fields(record.line);
        count += u64::from(fields.is_ok_and(|fields| fields.topic.is_empty()));
    }
    Ok(count)
}

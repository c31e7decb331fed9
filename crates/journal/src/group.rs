//! Records encoded and numbered in memory, to be written and synced together.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Serialize;

use crate::error::RecordError;
use crate::line::{CRC_FIELD, START, seal};
use crate::reserved::reserved_member;

/// Built once: preparing the search costs more than searching a small record.
static FIND_START: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(START));

/// Numbered, sealed lines that are not yet on disk.
///
/// A group is handed to [`Writer::commit`](crate::raw::Writer::commit), which writes
/// it with one write and one fsync. Groups follow each other: the next one's
/// [`first`](Self::first) is this one's [`next`](Self::next).
#[derive(Debug, Clone, Default)]
pub struct Group {
    first: u64,
    count: u64,
    lines: Vec<u8>,
    max_line: usize,
}

impl Group {
    /// Makes an empty group whose first record gets the number `first`; a line
    /// longer than `max_line` bytes is refused.
    #[must_use]
    pub fn new(first: u64, max_line: usize) -> Self {
        Self {
            first,
            count: 0,
            lines: Vec::new(),
            max_line,
        }
    }

    /// Empties the group for reuse and keeps its memory.
    pub fn reset(&mut self, first: u64) {
        self.first = first;
        self.count = 0;
        self.lines.clear();
    }

    /// Returns the number of the group's first record.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Returns the number that the next record gets.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + self.count
    }

    /// Returns how many records the group holds.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Tells whether the group holds no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the lines as they will stand in the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.lines
    }

    /// Returns how much memory the lines take, in bytes; more than their length
    /// where there is room for others.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.lines.capacity()
    }

    /// Adds a record and returns its number.
    ///
    /// # Errors
    /// [`RecordError`] where the value doesn't serialize, is no JSON object, has
    /// a member that the journal puts in itself, or is too long; the group is
    /// then as it was.
    pub fn push<T: Serialize + ?Sized>(&mut self, record: &T) -> Result<u64, RecordError> {
        let mut failure = None;
        let number = self.push_with(|out| {
            let body = out.len();
            let written = serde_json::to_writer(&mut *out, record);
            failure = match written {
                Ok(()) => reserved_member(out.get(body..).unwrap_or_default())
                    .map(|member| RecordError::Reserved { member }),
                Err(source) => Some(RecordError::Serialize { source }),
            };
        });
        match failure {
            Some(failure) => {
                if number.is_ok() {
                    self.take_back_last();
                }
                Err(failure)
            }
            None => number,
        }
    }

    /// Adds several records, or none of them, and returns the last one's number.
    pub(crate) fn push_all<T: Serialize>(&mut self, records: &[T]) -> Result<u64, RecordError> {
        let (length, count) = (self.lines.len(), self.count);
        for record in records {
            if let Err(error) = self.push(record) {
                self.lines.truncate(length);
                self.count = count;
                return Err(error);
            }
        }
        Ok(self.next() - 1)
    }

    pub(crate) fn max_line(&self) -> usize {
        self.max_line
    }

    /// Adds the record whose JSON object, on one line, `encode` appends to the
    /// buffer, and returns its number. The journal puts `message_num` in front
    /// of the object's members and `crc` behind them.
    ///
    /// A body that contains the bytes `{"message_num":` would look like the
    /// start of a record when a torn line has to be read. They can only be a
    /// nested object's start, and get a space behind the brace.
    ///
    /// # Errors
    /// [`RecordError`] where it is no JSON object on one line or too long; the
    /// group is then as it was.
    pub fn push_with(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Result<u64, RecordError> {
        let start = self.lines.len();
        let number = self.next();
        let mut added = Added {
            group: self,
            start,
            whole: false,
        };
        let group = &mut *added.group;
        group.lines.extend_from_slice(START);
        push_decimal(&mut group.lines, number);
        let body = group.lines.len();
        encode(&mut group.lines);
        group.finish(start, body)?;
        group.count += 1;
        added.whole = true;
        Ok(number)
    }

    /// Turns `{"message_num":N{...}` into a sealed line.
    fn finish(&mut self, start: usize, body: usize) -> Result<(), RecordError> {
        let object = self.lines.get(body..).unwrap_or_default();
        let [b'{', members @ .., b'}'] = object else {
            return Err(RecordError::NotAnObject);
        };
        if let Some(at) = memchr::memchr(b'\n', members) {
            return Err(RecordError::Newline { at: at + 1 });
        }
        if FIND_START.find(members).is_some() {
            let spaced = space_out(members);
            self.lines.truncate(body + 1);
            self.lines.extend_from_slice(&spaced);
        } else {
            self.lines.pop();
        }
        if self.lines.len() == body + 1 {
            self.lines.pop();
        } else if let Some(brace) = self.lines.get_mut(body) {
            *brace = b',';
        }
        let length = self.lines.len() - start + CRC_FIELD;
        if length > self.max_line {
            return Err(RecordError::TooLong {
                length,
                limit: self.max_line,
            });
        }
        seal(&mut self.lines, start);
        self.lines.push(b'\n');
        Ok(())
    }

    fn take_back_last(&mut self) {
        let kept = self.lines.len().saturating_sub(1);
        let end = memchr::memrchr(b'\n', self.lines.get(..kept).unwrap_or_default());
        self.lines.truncate(end.map_or(0, |newline| newline + 1));
        self.count -= 1;
    }
}

/// Takes a record back that did not become whole, also where its encoding
/// panics: other threads go on with the group.
struct Added<'a> {
    group: &'a mut Group,
    start: usize,
    whole: bool,
}

impl Drop for Added<'_> {
    fn drop(&mut self) {
        if !self.whole {
            self.group.lines.truncate(self.start);
        }
    }
}

fn push_decimal(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn space_out(members: &[u8]) -> Vec<u8> {
    let mut spaced = Vec::with_capacity(members.len() + 16);
    let mut copied = 0;
    for at in memchr::memmem::find_iter(members, START) {
        spaced.extend_from_slice(members.get(copied..=at).unwrap_or_default());
        spaced.push(b' ');
        copied = at + 1;
    }
    spaced.extend_from_slice(members.get(copied..).unwrap_or_default());
    spaced
}

#[cfg(test)]
mod tests;

//! Payloads as they were sent.

use std::io::Write;

use message::DecodeError;
use query::Entry;
use query::Error;
use query::sanitise;
use query::{Sink, Summary};

/// Writes the payloads' bytes, separated by newlines.
///
/// A payload is every frame behind the topic. Nothing is added behind the last
/// one, so that a single payload comes out exactly as it was sent. Of a message that can't
/// be rebuilt any more the content is written, and at the end it is said how many were.
#[derive(Debug)]
pub(crate) struct RawFormat<W> {
    out: W,
    is_terminal: bool,
    is_first: bool,
    changed: Option<Changed>,
}

/// Messages that can't be rebuilt.
#[derive(Debug)]
struct Changed {
    count: u64,
    /// The number of the first one, and what is wrong with it.
    first: (u64, DecodeError),
}

impl<W: Write> RawFormat<W> {
    pub(crate) fn new(out: W, is_terminal: bool) -> Self {
        Self {
            out,
            is_terminal,
            is_first: true,
            changed: None,
        }
    }

    /// Notes a message that can't be rebuilt.
    fn note(&mut self, number: Option<u64>, source: DecodeError) {
        let first = (number.unwrap_or(0), source);
        let changed = self.changed.get_or_insert(Changed { count: 0, first });
        changed.count += 1;
    }

    fn write(&mut self, payload: &[u8]) -> Result<(), Error> {
        if !self.is_first {
            self.out.write_all(b"\n")?;
        }
        self.is_first = false;
        if !self.is_terminal {
            return Ok(self.out.write_all(payload)?);
        }
        let text = String::from_utf8_lossy(payload);
        for (at, line) in text.split('\n').enumerate() {
            let before = if at == 0 { "" } else { "\n" };
            write!(self.out, "{before}{}", sanitise(line))?;
        }
        Ok(())
    }
}

impl<W: Write> Sink for RawFormat<W> {
    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let record = entry.record();
        let frames = match record.as_ref().map(|record| record.frames()) {
            Ok(Ok(frames)) => frames,
            Ok(Err(source)) => {
                self.note(entry.number, source);
                let content = record.map_or_else(|_| String::new(), |it| it.content.to_string());
                return self.write(content.as_bytes());
            }
            Err(source) => {
                self.note(entry.number, source.clone());
                return self.write(entry.line);
            }
        };
        let mut payloads = frames.iter().skip(1).peekable();
        if payloads.peek().is_none() {
            return self.write(b"");
        }
        payloads.try_for_each(|payload| self.write(payload))
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.is_terminal && !self.is_first {
            writeln!(self.out)?;
        }
        match self.changed.take() {
            None => Ok(()),
            Some(Changed { count, first }) => Err(Error::Changed {
                count,
                number: first.0,
                source: first.1,
            }),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

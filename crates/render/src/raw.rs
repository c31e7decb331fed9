//! Payloads as they were sent.

use std::io::Write;

use query::Entry;
use query::Error;
use query::sanitise;
use query::{Sink, Summary};

/// Writes the payloads' bytes, separated by newlines.
///
/// A payload is every frame behind the topic. Nothing is added behind the last
/// one, so that a single payload comes out exactly as it was sent.
#[derive(Debug)]
pub(crate) struct RawFormat<W> {
    out: W,
    is_terminal: bool,
    is_first: bool,
}

impl<W: Write> RawFormat<W> {
    pub(crate) fn new(out: W, is_terminal: bool) -> Self {
        Self {
            out,
            is_terminal,
            is_first: true,
        }
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
        let frames = entry.record().and_then(|record| record.frames());
        let frames = frames.map_err(|source| Error::Frames {
            number: entry.number.unwrap_or(0),
            source,
        })?;
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
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }
}

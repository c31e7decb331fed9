//! Standard output, a line at a time.

use std::io::{self, Write};

/// Writes a line and flushes it. A closed pipe must not stop the recording.
pub(crate) fn line(out: &mut impl Write, text: &str) -> io::Result<()> {
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            let text = format!("cannot write to standard output: {error}");
            Err(io::Error::new(error.kind(), text))
        }
        Ok(()) => Ok(()),
    }
}

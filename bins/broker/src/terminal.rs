//! Standard output, which may be a terminal that goes away.

use std::io::{self, IsTerminal, Stdout, Write};

use crate::platform::is_hung_up;

/// Standard output. When its terminal hangs up, what is written is dropped: the
/// broker still has to archive and to end in order.
#[derive(Debug)]
pub(crate) struct Terminal {
    out: Stdout,
    /// Asked at the start: a terminal that is gone does not say that it is one.
    is_terminal: bool,
    is_gone: bool,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let out = io::stdout();
        Self {
            is_terminal: out.is_terminal(),
            out,
            is_gone: false,
        }
    }

    /// Tells whether the terminal has hung up, as far as a write has shown it.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone
    }

    fn heard<T>(&mut self, written: io::Result<T>, dropped: T) -> io::Result<T> {
        match written {
            Err(error) if self.is_terminal && is_hung_up(&error) => {
                self.is_gone = true;
                Ok(dropped)
            }
            written => written,
        }
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_gone {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.heard(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_gone {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.heard(flushed, ())
    }
}

//! Long output, page by page.

use std::env;
use std::io::{self, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGINT;

use crate::platform;

/// A running pager. It is waited for when this goes away.
#[derive(Debug)]
pub(crate) struct Pager {
    child: Child,
    input: Option<ChildStdin>,
}

impl Pager {
    /// Starts the pager that the environment names, or the usual one. `None`
    /// where there is none, or where none is wanted.
    pub(crate) fn start(from_end: bool) -> Option<Self> {
        let line = env::var("PAGER").ok();
        Self::run(line.as_deref().or(platform::PAGER)?.trim(), from_end)
    }

    fn run(line: &str, from_end: bool) -> Option<Self> {
        let program = line
            .split_whitespace()
            .next()
            .filter(|name| *name != "cat")?;
        // A shell starts even where there is nothing for it to start.
        if !platform::is_there(program) {
            return None;
        }
        let mut command = platform::shell(line);
        if env::var_os("LESS").is_none() {
            // Leave at once if it fits on the screen, show colours, and leave
            // what was shown on the screen; and begin at the end.
            command.env("LESS", if from_end { "FRX+G" } else { "FRX" });
        }
        let mut child = command.stdin(Stdio::piped()).spawn().ok()?;
        let input = child.stdin.take();
        // Ctrl+C is for the pager, which stops a search or a jump by it. It
        // would otherwise go on alone, with the terminal in disorder.
        signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false))).ok();
        Some(Self { child, input })
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.input {
            Some(input) => input.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        // The end of its input, and then the end of the reading.
        drop(self.input.take());
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_pager_there_is_none() {
        for line in ["no-such-pager-anywhere -R", "/no/such/pager", "cat", ""] {
            assert!(Pager::run(line, true).is_none(), "{line}");
        }
    }
}

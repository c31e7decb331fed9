//! How far long work has come, for whoever waits at a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use query::Source;

/// Work that is done by then needs no news.
const PATIENCE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(200);

/// News on standard error, until it goes away.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Is closed to end it.
    work: Option<Sender<()>>,
    teller: Option<JoinHandle<()>>,
}

impl Progress {
    /// Tells how much of the files was read once that takes longer than a second,
    /// if standard error is a terminal and results do not go to the same.
    pub(crate) fn of_long_work(source: &Source, results_are_shown: bool) -> Option<Self> {
        if results_are_shown || !io::stderr().is_terminal() {
            return None;
        }
        let (progress, total) = (source.progress(), source.bytes());
        let (work, over) = mpsc::channel();
        let teller = thread::Builder::new().name("progress".into());
        let teller = teller.spawn(move || {
            let mut wait = PATIENCE;
            let mut has_told = false;
            while over.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let percent = progress.bytes().saturating_mul(100) / total.max(1);
                write!(
                    io::stderr(),
                    "\r[*] {:>3}% of {} MiB",
                    percent.min(100),
                    total >> 20
                )
                .ok();
                has_told = true;
                wait = STEP;
            }
            if has_told {
                // Nothing of it stays on the screen.
                write!(io::stderr(), "\r{:30}\r", "").ok();
            }
        });
        // Work goes on as well without news.
        Some(Self {
            work: Some(work),
            teller: Some(teller.ok()?),
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(teller) = self.teller.take() {
            teller.join().ok();
        }
    }
}

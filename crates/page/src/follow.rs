//! The one thread that follows the journal for all who watch.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use query::{Entry, Error, Filter, Findings, Follow, Sink, Summary};

use crate::tail::Tail;

/// A journal that can't be read now is asked for again.
const PAUSE: Duration = Duration::from_millis(500);

/// Puts what is recorded into the tail, until it is told to stop.
pub(crate) fn start(
    dir: &Path,
    tail: Arc<Tail>,
    stop: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let dir = dir.to_owned();
    let thread = thread::Builder::new().name("follow".into());
    thread.spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let what = Follow {
                dir: &dir,
                all: false,
                filter: &Filter::default(),
                // The newest one, by which watchers know where they begin.
                limit: Some(1),
            };
            let mut idle = |findings: Findings| {
                tail.add_damage(findings.damaged);
                tail.tell();
                Ok(match stop.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                })
            };
            // What was missed meanwhile, watchers read from the journal.
            if query::follow(what, &mut Push(&tail), &mut idle).is_err() {
                thread::sleep(PAUSE);
            }
        }
    })
}

struct Push<'a>(&'a Tail);

impl Sink for Push<'_> {
    fn wants_numbers(&self) -> bool {
        true
    }

    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        if let Some(number) = entry.number {
            self.0.push(number, entry.line);
            // Many come at once where much is recorded: each hundred wakes.
            if number % 100 == 0 {
                self.0.tell();
            }
        }
        Ok(())
    }
}

//! An orderly stop, and what must be true behind it.

use std::rc::Rc;
use std::time::Duration;

use super::{World, note};
use crate::clock::simulated as clock;
use crate::intake::Unread;
use crate::simulation::parts::Parts;
use crate::stop::{LastSession, Running, Stopped, stop};

impl World {
    /// Stops in order, and looks whether all promises were kept.
    pub(super) fn end(&self, is_last: bool) {
        note(format_args!("the broker is to stop"));
        if is_last {
            self.disk.set_faults(0);
            self.disk.set_full(false);
        }
        let parts = self.parts();
        self.is_ending.set(true);
        if is_last && !parts.failed.get() {
            self.settle(&parts);
        }
        self.model.borrow_mut().stop_begins();
        let stopped = stop(&parts.shared, &mut Stopping(self, Rc::clone(&parts)));
        self.is_calm.set(true);
        self.is_ending.set(false);
        note(format_args!("it has stopped: {stopped:?}"));
        let kept_all = self.judge(&parts, &stopped);
        drop(parts);
        self.parts.take();
        for client in &self.clients {
            let mut client = client.borrow_mut();
            client.read_rest(self);
            client.broker_is_gone(self);
        }
        self.model.borrow_mut().check_files(self.dir.path());
        if kept_all {
            self.model.borrow_mut().check_arrived();
        }
        self.disk.restart();
        self.counts.borrow_mut().stops += 1;
    }

    /// Lets everybody come to their end: nothing new begins.
    fn settle(&self, parts: &Parts) {
        self.is_calm.set(true);
        let (mut moved, mut quiet, mut stuck) = (0, 0, 0);
        while quiet < 60 {
            // A narrow connection needs as long as it needs while anything moves.
            assert!(stuck < 5_000, "it does not come to rest");
            for client in &self.clients {
                client.borrow_mut().act(self);
            }
            parts.all();
            if parts.failed.get() {
                // What had failed before was noticed now: nothing more comes.
                self.is_calm.set(false);
                return;
            }
            clock::advance(Duration::from_millis(20));
            let busy = self.clients.iter().any(|client| client.borrow().is_busy());
            let before = std::mem::replace(&mut moved, self.moved.get());
            stuck = if moved == before { stuck + 1 } else { 0 };
            quiet = if busy || moved != before {
                0
            } else {
                quiet + 1
            };
        }
        for client in &self.clients {
            client.borrow_mut().check_settled(self);
        }
        for segment in parts.shared.tail.held() {
            assert!(
                // Where nothing was committed, the file is removed.
                segment.end().unwrap_or(0) == 0 || segment.is_known_by_name(),
                "the session from {} on is closed, and has no name",
                segment.first
            );
        }
        self.is_calm.set(false);
    }

    /// Whoever indexes, compresses or copies closed sessions was told of each.
    fn check_reported(&self, last: &LastSession) {
        let last = match last {
            LastSession::Archived(archived) => Some(&archived.path),
            _ => None,
        };
        let reported = self.archived.lock().unwrap();
        for path in self.archives().filter(|path| Some(path) != last) {
            assert!(
                reported.contains(&path),
                "{} was not reported",
                path.display()
            );
        }
    }

    /// Returns whether everything that had arrived must have been recorded.
    fn judge(&self, parts: &Parts, stopped: &Stopped) -> bool {
        let failed = parts.failed.get() || matches!(stopped.session, LastSession::Broken);
        if !failed {
            assert_eq!(stopped.refused, 0, "no message is too large");
            assert_eq!(stopped.disconnected, 0, "no publisher has done anything");
            self.check_reported(&stopped.session);
        }
        !failed && stopped.unread.is_none() && !self.disk.is_full()
    }
}

/// Runs the world until a part has ended.
struct Stopping<'a>(&'a World, Rc<Parts>);

impl Stopping<'_> {
    fn until(&self, is_done: impl Fn(&Parts) -> bool) {
        for step in 0.. {
            if is_done(&self.1) {
                return;
            }
            self.0.step();
            if step % (16 * self.0.plan.slowness) == 0 {
                self.1.all();
                clock::advance(Duration::from_millis(5));
            }
            assert!(step < 1_000_000, "the broker does not come to its end");
        }
    }
}

impl Running for Stopping<'_> {
    fn end_intake(&mut self) -> Option<Unread> {
        self.until(|parts| parts.intake.done.get());
        self.1.unread.get()
    }

    fn end_recorder(&mut self) -> bool {
        self.until(|parts| parts.recorder.done.get());
        !self.1.failed.get()
    }

    fn end_control(&mut self) {
        self.until(|parts| parts.control.done.get());
    }

    fn drain_delivery(&mut self, time: Duration) {
        let until = clock::now() + time;
        self.until(|parts| clock::now() >= until || parts.delivery_is_done());
    }

    fn end_delivery(&mut self) {
        self.until(Parts::delivery_is_done);
    }
}

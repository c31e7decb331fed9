//! What takes long and must not keep requests waiting: reading the journal back, and
//! storing what came of it, on threads of their own.

use std::sync::Arc;

use super::events::Event;
use super::{Control, dedupe, origins};
use crate::clock;
use crate::worker::{Next, Worker};

impl Control {
    /// Reads the journal for messages that may be sent again, on a thread of
    /// its own: a large window must not keep the broker from starting.
    pub(super) fn load(&mut self) {
        if self.window == 0 {
            return;
        }
        let (dir, keys) = (self.facts.dir.clone(), self.keys.clone());
        let next = self.facts.tail.current().next;
        let oldest = next.saturating_sub(self.window).max(1);
        let read = move || {
            dedupe::load(&dir, oldest, next, &keys)
                .map_err(|error| format!("{error}: {}", error.source))
        };
        self.aside("known", read, Event::Known);
    }

    /// Does what takes long on a thread of its own, and has itself told what comes of it.
    fn aside<T: 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
        event: fn(Result<T, String>) -> Event,
    ) {
        let events = Arc::clone(&self.events);
        let work = Aside(Some(Box::new(move || events.post(event(work())))));
        if let Err(error) = self.spawn.spawn(name.to_owned(), Box::new(work)) {
            self.events.post(event(Err(error.to_string())));
        }
    }

    /// Reads the journal for how far other journals' messages are recorded, on a thread
    /// of its own, once somebody needs to know.
    pub(super) fn load_origins_if_wanted(&mut self) {
        if !self.publishing.wants_origins() {
            return;
        }
        let dir = self.facts.dir.clone();
        let next = self.facts.tail.current().next;
        let read = move || origins::load(&dir, next).map_err(|error| error.to_string());
        self.aside("origins", read, Event::Origins);
    }

    /// Stores how far other journals' messages are recorded when a session was closed:
    /// it may be removed then, and need not be read at the next start.
    pub(super) fn store_origins(&mut self) {
        if !self.publishing.knows_origins() || !self.storing_origins.looks(clock::now()) {
            return;
        }
        let current = self.facts.tail.current();
        let kept = self.publishing.origins_kept(current.next.saturating_sub(1));
        if !self.storing_origins.begins(kept.through, current.first) {
            return;
        }
        let dir = self.facts.dir.clone();
        let store = move || {
            origins::store(&dir, &kept).map_err(|error| error.to_string())?;
            Ok(kept.through)
        };
        self.aside("origins", store, Event::OriginsStored);
    }
}

/// A thread that does one thing.
struct Aside(Option<Box<dyn FnOnce() + Send>>);

impl Worker for Aside {
    fn turn(&mut self) -> Next {
        if let Some(work) = self.0.take() {
            work();
        }
        Next::Done
    }

    fn wait(&mut self) {}
}

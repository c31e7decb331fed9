//! Who wants to know of new records.

use std::fmt;

use super::Tail;
use crate::net::Waker;
use crate::sync::{Arc, Mutex, MutexGuard, held};

/// Somebody who waits for new records.
pub(crate) trait Listener: Send + Sync {
    /// Ends the wait of the listener's thread.
    fn wake(&self);

    /// Hands it new records on the caller's thread, where that can be done
    /// without waiting; else wakes its own.
    fn serve(&self, _: &Tail) {
        self.wake();
    }
}

impl Listener for Waker {
    fn wake(&self) {
        Self::wake(self);
    }
}

/// All who wait for new records.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Vec<Arc<dyn Listener>>>);

/// Up to this many listeners are served by the thread that has recorded
/// something: with more of them, the next message would wait.
const SERVED: usize = 8;

impl Listeners {
    pub(crate) fn wake_all(&self) {
        for listener in self.lock().iter() {
            listener.wake();
        }
    }

    /// Hands all of them a few new records.
    pub(crate) fn serve_all(&self, tail: &Tail) {
        let listeners = self.lock();
        let (served, woken) = listeners.split_at(listeners.len().min(SERVED));
        woken.iter().for_each(|listener| listener.wake());
        served.iter().for_each(|listener| listener.serve(tail));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<dyn Listener>>> {
        held(self.0.lock())
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} listeners", self.lock().len())
    }
}

/// Takes a listener out again when it is dropped.
pub(crate) struct Listening {
    tail: Arc<Tail>,
    listener: Arc<dyn Listener>,
}

impl Listening {
    /// Adds a listener to those of a tail.
    pub(crate) fn new(tail: &Arc<Tail>, listener: Arc<dyn Listener>) -> Self {
        tail.listeners.lock().push(Arc::clone(&listener));
        Self {
            tail: Arc::clone(tail),
            listener,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listeners = self.tail.listeners.lock();
        listeners.retain(|other| !Arc::ptr_eq(other, &self.listener));
    }
}

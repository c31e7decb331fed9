//! The committed end: how many records there are.

use crate::sync::Mutex;

#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/tail/listeners.rs"]
mod listeners;

pub(crate) use self::listeners::{Listener, Listeners, Listening};

#[derive(Default)]
pub(crate) struct Tail {
    committed: Mutex<u64>,
    pub(crate) listeners: Listeners,
}

pub(crate) struct Head {
    pub(crate) next: u64,
}

impl Tail {
    pub(crate) fn publish(&self) {
        *self.committed.lock().unwrap() += 1;
    }

    pub(crate) fn committed(&self) -> u64 {
        *self.committed.lock().unwrap()
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            next: self.committed() + 1,
        }
    }

    pub(crate) fn prune(&self) {}
}

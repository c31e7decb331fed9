//! The committed end: how many records there are.

use crate::listeners::Listeners;
use crate::sync::Mutex;

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

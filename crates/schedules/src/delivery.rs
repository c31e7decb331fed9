//! A subscriber's thread and its slot as they are, and connections that are lists.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use crate::net::{PeerAddress, Sleeper};
use crate::shutdown::Phase;
use crate::sync::{Arc, Condvar, Mutex};
use crate::tail::Tail;

#[rustfmt::skip]
#[path = "../../transport/src/delivery/served.rs"]
mod served;
#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/delivery/slot.rs"]
mod slot;

pub(crate) use self::served::Served;
pub(crate) use self::slot::{Service, SubscriberSlot};

pub(crate) struct Delivery {
    pub(crate) tail: Arc<Tail>,
    pub(crate) phase: Arc<Phase>,
    pub(crate) history: u64,
    pub(crate) connected: AtomicUsize,
    pub(crate) registry: Registry,
}

/// Who is connected is nobody's concern here.
pub(crate) struct Registry;
#[derive(Clone)]
pub(crate) struct Introduction;
pub(crate) struct Registration {
    pub(crate) entry: Arc<SubscriberInfo>,
}
#[derive(Default)]
pub(crate) struct SubscriberInfo {
    pub(crate) position: AtomicU64,
}

impl Registry {
    pub(crate) fn enter(&self, _: String, _: Introduction) -> Registration {
        Registration {
            entry: Arc::default(),
        }
    }
}

impl SubscriberInfo {
    pub(crate) fn add(&self, (): &()) {}
    pub(crate) fn remove(&self, (): &()) {}
}

/// The client at the other end.
#[derive(Default)]
pub(crate) struct Client {
    got: Mutex<Vec<u64>>,
    came: Condvar,
    /// After so many messages it is gone.
    leaves_after: Option<usize>,
}

impl Client {
    /// Is one that is gone after so many messages.
    pub(crate) fn that_leaves_after(count: usize) -> Self {
        Self {
            leaves_after: Some(count),
            ..Self::default()
        }
    }

    /// Waits until it has got so many messages.
    pub(crate) fn wait_for(&self, count: u64) {
        let too_few = |got: &mut Vec<u64>| (got.len() as u64) < count;
        let waited = self.came.wait_while(self.got.lock().unwrap(), too_few);
        drop(waited);
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.got.lock().unwrap().clone()
    }
}

pub(crate) struct Connection(pub(crate) Arc<Client>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("it has left")]
    Closed,
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("it is lost")]
    #[allow(dead_code, reason = "nothing gets lost here")]
    Lost,
}

/// Nobody subscribes later.
#[allow(dead_code, reason = "nobody subscribes later")]
pub(crate) enum Subscription {
    Add(()),
    Remove(()),
}

#[derive(PartialEq, Eq)]
#[allow(dead_code, reason = "no connection is slow here")]
pub(crate) enum Turn {
    More,
    Idle,
    Quiet(Duration),
    Full,
}

/// What takes part in serving a connection.
pub(crate) trait Link {
    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError>;
}

impl Link for Connection {
    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError> {
        Ok(None)
    }
}

impl Connection {
    pub(crate) fn introduction(&self) -> &Introduction {
        &Introduction
    }

    pub(crate) fn check_key(&self) -> Result<(), LinkError> {
        Ok(())
    }

    pub(crate) fn receive(&mut self) -> Result<bool, LinkError> {
        Ok(false)
    }

    pub(crate) fn has_unsent(&self) -> bool {
        false
    }

    pub(crate) fn watch(&self, _: bool, _: Duration) -> Watch {
        Watch
    }

    fn send(&self, number: u64) -> Result<(), LinkError> {
        let mut got = self.0.got.lock().unwrap();
        if self.0.leaves_after == Some(got.len()) {
            return Err(LinkError::Closed);
        }
        got.push(number);
        self.0.came.notify_all();
        Ok(())
    }
}

/// Only the sleeper is waited for: a client says nothing.
pub(crate) struct Watch;

impl Watch {
    #[allow(clippy::unnecessary_wraps, reason = "the real one may fail")]
    pub(crate) fn wait(&self, sleeper: &Sleeper) -> io::Result<()> {
        sleeper.stream().poll();
        Ok(())
    }
}

pub(crate) fn leave(_: PeerAddress, _: &LinkError) {}

/// A cursor: how many records were sent.
pub(crate) struct Subscriber(u64);

impl Subscriber {
    pub(crate) fn new(history: u64) -> Self {
        Self(history)
    }

    pub(crate) fn apply(&mut self, _: Subscription) -> Result<(), LinkError> {
        Ok(())
    }

    pub(crate) fn turn(&mut self, tail: &Tail, link: &mut Connection) -> Result<Turn, TurnError> {
        while self.0 < tail.committed() {
            link.send(self.0 + 1)?;
            self.0 += 1;
        }
        Ok(Turn::Idle)
    }

    pub(crate) fn position(&self) -> Option<u64> {
        Some(self.0)
    }

    pub(crate) fn is_up_to_date(&self, tail: &Tail) -> bool {
        self.0 == tail.committed()
    }
}

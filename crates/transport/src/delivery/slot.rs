//! One subscriber at the broker: its connection and what it has got.

use crate::delivery::{
    Connection, Link as _, Subscriber, SubscriberInfo, Subscription, Turn, TurnError,
};
use crate::net::Waker;
use crate::sync::{Arc, Mutex, MutexGuard, Ordering, TryLockError, held};
use crate::tail::Listener;
use crate::tail::Tail;

/// So often in a row something is read from a subscriber before it is sent
/// something.
const READS: usize = 16;

/// Where a subscriber is served: by a thread of its own, or, while that sleeps
/// because everything was sent, by the thread that has just recorded something.
///
/// A single message would wait for the subscriber's thread to wake up longer
/// than it takes to send it.
pub(crate) struct SubscriberSlot {
    service: Mutex<Service>,
    waker: Arc<Waker>,
}

/// Who holds it serves the subscriber.
pub(crate) struct Service {
    pub(crate) link: Connection,
    pub(crate) subscriber: Subscriber,
    entry: Arc<SubscriberInfo>,
    /// Everything was sent, and the subscriber's thread sleeps.
    pub(crate) idle: bool,
}

impl SubscriberSlot {
    pub(crate) fn new(
        link: Connection,
        subscriber: Subscriber,
        entry: Arc<SubscriberInfo>,
        waker: Arc<Waker>,
    ) -> Self {
        Self {
            service: Mutex::new(Service {
                link,
                subscriber,
                entry,
                idle: false,
            }),
            waker,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Service> {
        held(self.service.lock())
    }
}

impl Listener for SubscriberSlot {
    fn wake(&self) {
        self.waker.wake();
    }

    fn serve(&self, tail: &Tail) {
        let service = match self.service.try_lock() {
            Ok(service) => Some(service),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        let served = service.is_some_and(|mut service| service.idle && service.stays_idle(tail));
        if !served {
            self.waker.wake();
        }
    }
}

impl Service {
    /// Does what there is to do, up to a quantum.
    pub(crate) fn advance(&mut self, tail: &Tail) -> Result<Turn, TurnError> {
        self.idle = false;
        for _ in 0..READS {
            while let Some(subscription) = self.link.subscription()? {
                match &subscription {
                    Subscription::Add(topic) => self.entry.add(topic),
                    Subscription::Remove(topic) => self.entry.remove(topic),
                }
                self.subscriber.apply(subscription)?;
            }
            if !self.link.receive()? {
                return self.turn(tail);
            }
        }
        // It goes on sending: it gets what there is all the same, and the broker
        // gets to its end.
        self.turn(tail).map(|_| Turn::More)
    }

    /// Sends what is new; false where the subscriber's own thread is needed,
    /// also because something went wrong, into which that thread runs itself.
    fn stays_idle(&mut self, tail: &Tail) -> bool {
        self.idle = self.turn(tail).is_ok_and(|turn| turn == Turn::Idle);
        self.idle
    }

    fn turn(&mut self, tail: &Tail) -> Result<Turn, TurnError> {
        let turn = self.subscriber.turn(tail, &mut self.link)?;
        let position = self.subscriber.position();
        let position = position.unwrap_or_else(|| tail.head().next.saturating_sub(1));
        self.entry.position.store(position, Ordering::Relaxed);
        // What is in boxes has been taken but not sent.
        if turn != Turn::More && self.link.has_unsent() {
            return Ok(Turn::Full);
        }
        Ok(turn)
    }
}

#[cfg(test)]
mod tests;

//! One subscriber's thread: serves it, and sleeps where there is nothing to do.

use std::io;
use std::time::Duration;

use log::Level;

use crate::delivery::{
    Connection, Delivery, LinkError, Registration, Service, Subscriber, SubscriberSlot, Turn,
    TurnError, Watch, leave,
};
use crate::net::{PeerAddress, Sleeper, sleeper};
use crate::sync::{Arc, MutexGuard, Ordering};
use crate::tail::Listening;
use crate::throttle::log_throttled;
use crate::worker::{Next, Worker};

/// How long a subscriber that is idle sleeps at most.
const IDLE: Duration = Duration::from_secs(60);
/// A subscriber that does not read makes no event; only the broker's end needs
/// to be noticed.
const STUCK: Duration = Duration::from_millis(250);
/// A pause is waited for to its end, not to a millisecond before it.
const MOMENT: Duration = Duration::from_millis(1);

/// Serves one subscriber until it leaves or the broker stops.
pub(crate) struct Served {
    delivery: Arc<Delivery>,
    peer: PeerAddress,
    slot: Arc<SubscriberSlot>,
    sleeper: Sleeper,
    /// What is waited for behind an idle turn.
    watch: Option<Watch>,
    /// Whether others may serve it meanwhile.
    asleep: bool,
    /// Why the system does not let it wait.
    failed: Option<io::Error>,
    /// Whom new records are told.
    listening: Option<Listening>,
    registration: Option<Registration>,
}

impl Served {
    pub(crate) fn new(
        delivery: &Arc<Delivery>,
        link: Connection,
        peer: PeerAddress,
    ) -> io::Result<Self> {
        let sleeper = sleeper()?;
        log::debug!("subscriber {peer} connected");
        delivery.connected.fetch_add(1, Ordering::Relaxed);
        let registration = delivery
            .registry
            .enter(peer.to_string(), link.introduction().clone());
        let slot = Arc::new(SubscriberSlot::new(
            link,
            Subscriber::new(delivery.history),
            Arc::clone(&registration.entry),
            sleeper.waker(),
        ));
        let listening = Listening::new(&delivery.tail, Arc::clone(&slot) as _);
        Ok(Self {
            delivery: Arc::clone(delivery),
            peer,
            slot,
            sleeper,
            watch: None,
            asleep: false,
            failed: None,
            listening: Some(listening),
            registration: Some(registration),
        })
    }

    fn advance(&mut self) -> Result<Next, TurnError> {
        if std::mem::take(&mut self.asleep) {
            self.sleeper.awake();
        }
        if let Some(error) = self.failed.take() {
            return Err(LinkError::from(error).into());
        }
        let phase = &self.delivery.phase;
        if phase.is_closing() {
            return Ok(Next::Done);
        }
        // This is looked at before it is sent what is there: what is recorded behind that,
        // and then the end of recording, must not pass for all that there was.
        let is_recording = phase.is_recording();
        let slot = Arc::clone(&self.slot);
        let mut service = slot.lock();
        service.link.check_key()?;
        let watch = match service.advance(&self.delivery.tail)? {
            Turn::More => return Ok(Next::More),
            Turn::Full => service.link.watch(true, STUCK),
            Turn::Quiet(pause) => service.link.watch(false, pause + MOMENT),
            // The broker stops, and all has left for the subscriber.
            Turn::Idle if !is_recording => return Ok(Next::Done),
            Turn::Idle => return Ok(self.sleep(service)),
        };
        self.watch = Some(watch);
        Ok(Next::Idle)
    }

    /// Is about to sleep until something is recorded, asked for, or over.
    /// Meanwhile the subscriber may be served by others.
    fn sleep(&mut self, mut service: MutexGuard<'_, Service>) -> Next {
        self.sleeper.about_to_sleep();
        self.asleep = true;
        // What came before the announcement has woken nobody.
        let delivery = &self.delivery;
        if !delivery.phase.is_recording() || !service.subscriber.is_up_to_date(&delivery.tail) {
            return Next::More;
        }
        service.idle = true;
        self.watch = Some(service.link.watch(false, IDLE));
        Next::Idle
    }

    fn end(&self, result: Result<(), TurnError>) -> Next {
        let peer = self.peer;
        match result {
            Ok(()) => log::debug!("subscriber {peer} was sent everything"),
            Err(TurnError::Link(error)) => leave(peer, &error),
            Err(error) => {
                let source = std::error::Error::source(&error);
                let cause = source.map_or_else(String::new, |source| format!(": {source}"));
                log_throttled!(
                    Level::Warn,
                    "subscriber {peer} was disconnected: {error}{cause}"
                );
            }
        }
        Next::Done
    }
}

impl Worker for Served {
    fn turn(&mut self) -> Next {
        match self.advance() {
            Ok(Next::Done) => self.end(Ok(())),
            Ok(next) => next,
            Err(error) => self.end(Err(error)),
        }
    }

    fn wait(&mut self) {
        if let Some(watch) = self.watch.take() {
            self.failed = watch.wait(&self.sleeper).err();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // First it is not told of new records any more, then it is gone.
        drop(self.listening.take());
        drop(self.registration.take());
        self.delivery.tail.prune();
        self.delivery.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

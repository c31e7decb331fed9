//! Makes the control thread's parts.

use std::sync::{Arc, mpsc};

use super::consumers::{Consumers, Source};
use super::dedupe::Keys;
use super::events::{ControlEvents, Event};
use super::limits;
use super::origins::Origins;
use super::positions::{Positions, Storing};
use super::publishing::{Path, Publishing};
use super::router::Router;
use super::{Control, Facts, Stage};
use crate::clock;
use crate::config::Config;
use crate::net::{Entrance, Waker, sleeper};
use crate::pending::{Answer, PublishQueue};
use crate::recorder::{ArchiveRequest, Queue};
use crate::shutdown::Phase;
use crate::worker::Spawn;

/// What the control thread needs of the rest of the broker.
pub(crate) struct Parts {
    pub(crate) entrance: Entrance,
    pub(crate) phase: Arc<Phase>,
    pub(crate) publishes: Arc<PublishQueue>,
    pub(crate) intake: Arc<Waker>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) archive: mpsc::Sender<ArchiveRequest>,
    pub(crate) facts: Facts,
    pub(crate) spawn: Arc<dyn Spawn>,
}

/// Makes the box in which messages wait for intake.
pub(crate) fn publish_queue(config: &Config) -> PublishQueue {
    PublishQueue::new(limits::IN_FLIGHT, config.pending_bytes())
}

impl Control {
    /// Puts the parts together; [`run`](Self::run) then serves requests.
    pub(crate) fn new(parts: Parts, config: &Config) -> std::io::Result<Self> {
        let sleeper = sleeper()?;
        let events = Arc::new(ControlEvents::new(sleeper.waker()));
        let told = Arc::clone(&events);
        let answer: Arc<Answer> =
            Arc::new(move |ack, outcome| told.post(Event::Outcome(ack, outcome)));
        let Facts { tail, health, .. } = &parts.facts;
        let path = Path {
            publishes: parts.publishes,
            answer,
            health: Arc::clone(health),
            tail: Arc::clone(tail),
            max_message: config.max_message,
            max_waiting: config.pending_bytes(),
        };
        let source = Source {
            dir: config.dir.clone(),
            journal: parts.facts.journal.clone(),
            missing: Arc::clone(&parts.facts.missing),
            tail: Arc::clone(tail),
            health: Arc::clone(health),
            events: Arc::clone(&events),
            spawn: Arc::clone(&parts.spawn),
        };
        let kept = Arc::new(Positions::open(&config.dir));
        let told = Arc::clone(&events);
        let storing = Storing::new(&kept, move |all, result| {
            told.post(Event::Positions(all, result));
        });
        let storing = parts
            .spawn
            .spawn("positions".to_owned(), Box::new(storing))?;
        let keys = Keys::default();
        let origins = Origins::new(parts.facts.journal.clone());
        Ok(Self {
            router: Router::new(
                parts.entrance,
                config.max_message,
                config.pending_bytes(),
                Arc::clone(&parts.facts.counters),
                config.keys.clone(),
            ),
            strict: config.strict_keys(),
            sleeper,
            events,
            phase: parts.phase,
            intake: parts.intake,
            queue: parts.queue,
            archive: parts.archive,
            publishing: Publishing::new(path, config.dedupe_window, keys.clone(), origins),
            consumers: Consumers::new(source, kept, config.consumer_timeout),
            storing: Some(storing),
            storing_origins: Default::default(),
            spawn: parts.spawn,
            stage: Stage::New,
            facts: parts.facts,
            keys,
            window: config.dedupe_window,
            reload: None,
            looked: clock::now(),
            refused: 0,
            failed: None,
        })
    }
}

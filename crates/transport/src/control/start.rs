//! Makes the control thread's parts.

use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use super::consumers::{Consumers, Source};
use super::dedupe::Keys;
use super::limits;
use super::mail::{Mail, Mailbox};
use super::positions::{self, Positions};
use super::publishing::{Path, Publishing};
use super::router::Router;
use super::{Control, Facts};
use crate::config::Config;
use crate::letterbox::{Answer, Letterbox};
use crate::queue::Queue;
use crate::recorder::ArchiveRequest;
use crate::shutdown::Phase;
use crate::waker::{Waker, sleeper};

/// What the control thread needs of the rest of the broker.
pub(crate) struct Parts {
    pub(crate) listener: TcpListener,
    pub(crate) phase: Arc<Phase>,
    pub(crate) letters: Arc<Letterbox>,
    pub(crate) intake: Arc<Waker>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) archive: mpsc::Sender<ArchiveRequest>,
    pub(crate) facts: Facts,
}

/// Makes the box in which messages wait for intake.
pub(crate) fn letterbox(config: &Config) -> Letterbox {
    Letterbox::new(limits::IN_FLIGHT, config.letter_bytes())
}

impl Control {
    /// Puts the parts together; [`run`](Self::run) then serves requests.
    pub(crate) fn new(parts: Parts, config: &Config) -> std::io::Result<Self> {
        let sleeper = sleeper()?;
        let mailbox = Arc::new(Mailbox::new(sleeper.waker()));
        let told = Arc::clone(&mailbox);
        let answer: Arc<Answer> =
            Arc::new(move |ticket, outcome| told.post(Mail::Outcome(ticket, outcome)));
        let Facts { tail, health, .. } = &parts.facts;
        let path = Path {
            letters: parts.letters,
            answer,
            health: Arc::clone(health),
            tail: Arc::clone(tail),
            max_message: config.max_message,
            max_waiting: config.letter_bytes(),
        };
        let source = Source {
            dir: config.dir.clone(),
            missing: Arc::clone(&parts.facts.missing),
            tail: Arc::clone(tail),
            health: Arc::clone(health),
            mailbox: Arc::clone(&mailbox),
        };
        let kept = Arc::new(Positions::open(&config.dir));
        let told = Arc::clone(&mailbox);
        let writer = positions::spawn(&kept, move |all, result| {
            told.post(Mail::Positions(all, result));
        })?;
        let keys = Keys::default();
        Ok(Self {
            router: Router::new(
                parts.listener,
                config.max_message,
                config.letter_bytes(),
                Arc::clone(&parts.facts.counters),
                config.keys.clone(),
            ),
            strict: config.strict_keys(),
            sleeper,
            mailbox,
            phase: parts.phase,
            intake: parts.intake,
            queue: parts.queue,
            archive: parts.archive,
            publishing: Publishing::new(path, config.dedupe_window, keys.clone()),
            consumers: Consumers::new(source, kept, config.consumer_timeout),
            positions: Some(writer),
            facts: parts.facts,
            keys,
            window: config.dedupe_window,
            reload: None,
            looked: Instant::now(),
            refused: 0,
        })
    }
}

//! Puts the parts of a broker together.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, mpsc};

use journal::raw::Writer;
use journal::{Archive, IoError, OpenError, Options, Recovery, Sessions};
use zmtp::Role;

use crate::clock;
use crate::config::{Changeable, Config, OnStop, Replay};
use crate::control::{self, Control, ControlEvents, Facts, Parts};
use crate::delivery::{Acceptor, Delivery};
use crate::health::Health;
use crate::intake::{self, Collector, Counters, Intake};
use crate::net::{Entrance, Server, Waker, sleeper};
use crate::pending::PublishQueue;
use crate::recorder::{ArchiveRequest, Queue, Recorder, Recording, Rotation};
use crate::shutdown::Phase;
use crate::tail::Tail;
use crate::worker::Spawn;

/// Where clients connect to.
pub(crate) struct Ports {
    pub(crate) publishers: Entrance,
    pub(crate) subscribers: Entrance,
    pub(crate) requests: Entrance,
    /// What clients are told of the first two.
    pub(crate) numbers: [u16; 2],
}

/// All parts, none of which has begun.
pub(crate) struct Assembled {
    pub(crate) recovery: Recovery,
    pub(crate) session_path: PathBuf,
    pub(crate) intake: Intake,
    pub(crate) acceptor: Acceptor,
    pub(crate) control: Control,
    pub(crate) shared: Shared,
}

/// What the parts have in common.
pub(crate) struct Shared {
    pub(crate) phase: Arc<Phase>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) publishes: Arc<PublishQueue>,
    pub(crate) recorded: Arc<AtomicU64>,
    pub(crate) requests: mpsc::Sender<ArchiveRequest>,
    pub(crate) changes: mpsc::Sender<Changeable>,
    pub(crate) recording: Arc<Recording>,
    pub(crate) on_stop: OnStop,
    pub(crate) control_waker: Arc<Waker>,
    pub(crate) control_events: Arc<ControlEvents>,
    pub(crate) health: Arc<Health>,
    pub(crate) intake_waker: Arc<Waker>,
    pub(crate) acceptor_waker: Arc<Waker>,
}

/// A journal that is open.
pub(crate) struct Opened {
    writer: Writer,
    recovery: Recovery,
    /// The closed sessions that replays reach back into, if they do.
    closed: Option<Vec<Archive>>,
}

/// Opens the journal. That comes first: who finds it taken learns by whom.
pub(crate) fn open(config: &Config) -> Result<Opened, OpenError> {
    let options = Options {
        seen: control::highest_position(&config.dir),
        ..config.journal_options()
    };
    let (writer, recovery) = Writer::open(&config.dir, options)?;
    // Nothing is closed yet by this broker: all of them come before the current session.
    let closed = match config.replay {
        Replay::Session => None,
        Replay::All => {
            let closed = Sessions::of_in(Arc::clone(&config.fs), &config.dir).closed();
            Some(closed.map_err(IoError::from)?)
        }
    };
    Ok(Opened {
        writer,
        recovery,
        closed,
    })
}

/// Makes all that works on an open journal.
pub(crate) fn assemble(
    config: &Config,
    opened: Opened,
    ports: Ports,
    spawn: Arc<dyn Spawn>,
) -> io::Result<Assembled> {
    let Opened {
        writer,
        recovery,
        closed,
    } = opened;
    let (intake_sleeper, acceptor_sleeper) = (sleeper()?, sleeper()?);

    let phase = Arc::new(Phase::default());
    let counters = Arc::new(Counters::default());
    let queue = Arc::new(Queue::new(config.queue_bytes(), intake_sleeper.waker()));
    let session_path = writer.session_path();
    let next = writer.next_number();
    let tail = Arc::new(Tail::new(
        session_path.clone(),
        closed.as_deref(),
        (writer.session(), writer.session_file()),
        next,
        config.history,
        config.tail_bytes(),
    ));
    let recorded = Arc::new(AtomicU64::new(0));
    let health = Arc::new(Health::default());
    let publishes = Arc::new(control::publish_queue(config));
    let delivery = Arc::new(Delivery {
        tail: Arc::clone(&tail),
        phase: Arc::clone(&phase),
        history: config.history,
        connected: AtomicUsize::new(0),
        registry: Arc::default(),
        keys: config.keys.clone(),
        counters: Arc::clone(&counters),
    });

    let (requests, received) = mpsc::channel();
    let (changes, changed) = mpsc::channel();
    let recorder = Recorder {
        writer,
        queue: Arc::clone(&queue),
        spare: Arc::default(),
        tail: Arc::clone(&tail),
        requests: received,
        changes: changed,
        rotation: Rotation::new(config.rotate_at, config.zone.clone(), (config.clock)()),
        clock: Arc::clone(&config.clock),
        max_session: config.max_session,
        recorded: Arc::clone(&recorded),
        health: Arc::clone(&health),
        on_archived: Arc::clone(&config.on_archived),
        failed: None,
        held: None,
    };
    let recording = Arc::new(Recording::new(recorder));
    let intake_waker = intake_sleeper.waker();
    let server = Server::new(
        ports.publishers,
        Role::Subscriber,
        "publisher",
        config.max_message,
        config.unfinished_bytes(),
    )
    .with_keys(config.keys.clone());
    let publishers = server.visitors();
    let intake = Intake::new(intake::Parts {
        server,
        phase: Arc::clone(&phase),
        sleeper: intake_sleeper,
        health: Arc::clone(&health),
        collector: Collector::new(
            Arc::clone(&recording),
            Arc::clone(&counters),
            next,
            config.max_line(),
            Arc::clone(&config.clock),
        )
        .strict(config.strict_keys()),
        publishes: Arc::clone(&publishes),
        stop_timeout: config.stop_timeout,
    });
    let acceptor = Acceptor::new(
        ports.subscribers,
        Arc::clone(&delivery),
        acceptor_sleeper,
        Arc::clone(&spawn),
    );

    let facts = Facts {
        dir: config.dir.clone(),
        tail: Arc::clone(&tail),
        health: Arc::clone(&health),
        counters: Arc::clone(&counters),
        publishers,
        delivery: Arc::clone(&delivery),
        recorded: Arc::clone(&recorded),
        damaged: recovery.damaged,
        altered: recovery.altered,
        journal: recovery.journal.clone(),
        missing: recovery.missing.as_slice().into(),
        unread: recovery.unread.clone(),
        max_message: config.max_message,
        dedupe_window: config.dedupe_window,
        consumer_timeout: config.consumer_timeout.as_secs(),
        pub_port: ports.numbers[0],
        sub_port: ports.numbers[1],
        ipc: config.ipc.clone(),
        started: clock::now(),
    };
    let control = Parts {
        entrance: ports.requests,
        phase: Arc::clone(&phase),
        publishes: Arc::clone(&publishes),
        intake: Arc::clone(&intake_waker),
        queue: Arc::clone(&queue),
        archive: requests.clone(),
        facts,
        spawn,
    };
    let control = Control::new(control, config)?;

    Ok(Assembled {
        recovery,
        session_path,
        shared: Shared {
            phase,
            queue,
            tail,
            delivery,
            counters,
            publishes,
            recorded,
            requests,
            changes,
            recording,
            on_stop: config.on_stop,
            control_waker: control.waker(),
            control_events: control.events(),
            health,
            intake_waker,
            acceptor_waker: acceptor.waker(),
        },
        intake,
        acceptor,
        control,
    })
}

//! The whole pipeline: starts its parts in order and stops them in order.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use journal::{Archived, IoError, Options, Recovery, Writer};
use zmtp::Role;

use crate::config::Config;
use crate::control::{self, Control, Facts, Parts};
use crate::delivery::{Acceptor, Delivery};
use crate::error::{Failure, StartError};
use crate::health::Health;
use crate::intake::{self, Collector, Counters, Intake, Unread};
use crate::keys::{self, Keys};
use crate::letterbox::Letterbox;
use crate::net::Server;
use crate::platform::listen;
use crate::queue::Queue;
use crate::recorder::{ArchiveRequest, Recorder};
use crate::recording::Recording;
use crate::roster::Roster;
use crate::rotation::Rotation;
use crate::shutdown::Phase;
use crate::tail::Tail;
use crate::thread::{Part, Report};
use crate::waker::{Waker, sleeper};

/// How long subscribers are given to take what they have not got when the
/// broker stops. What they miss they get from the journal next time.
const DRAIN: Duration = Duration::from_secs(2);

/// A broker that is running.
///
/// Dropping it stops it as [`stop`](Self::stop) does.
pub struct Broker {
    recovery: Recovery,
    session_path: PathBuf,
    pub_port: u16,
    sub_port: u16,
    control_port: u16,
    phase: Arc<Phase>,
    queue: Arc<Queue>,
    tail: Arc<Tail>,
    delivery: Arc<Delivery>,
    counters: Arc<Counters>,
    letters: Arc<Letterbox>,
    recorded: Arc<AtomicU64>,
    requests: mpsc::Sender<ArchiveRequest>,
    intake: Part<Option<Unread>>,
    recording: Arc<Recording>,
    /// Whether everything was recorded.
    recorder: Part<bool>,
    acceptor: Part<()>,
    control: Part<()>,
    control_waker: Arc<Waker>,
    /// Looks at the keys, until the other end is dropped.
    keys: Option<(mpsc::Sender<()>, Part<()>)>,
    intake_waker: Arc<Waker>,
    acceptor_waker: Arc<Waker>,
}

/// How a broker has ended.
#[derive(Debug)]
pub struct Stopped {
    /// How many messages were recorded in this run.
    pub recorded: u64,
    /// How many messages were refused because they were too large.
    pub refused: u64,
    /// How many publishers were disconnected because they did not speak ZeroMQ
    /// as a publisher does.
    pub disconnected: u64,
    /// What had arrived and could not be taken in before the time was up.
    pub unread: Option<Unread>,
    /// What became of the session.
    pub session: LastSession,
}

/// What became of the session that was being written when a broker ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum LastSession {
    /// It was archived.
    Archived(Archived),
    /// Nothing was in it.
    Empty,
    /// It could not be archived, and is continued next time.
    Kept(IoError),
    /// Recording had failed; what is in it is continued next time.
    Broken,
}

impl Broker {
    /// Opens the journal, takes the ports, and starts to record and deliver.
    ///
    /// `on_failure` is called, from one of the broker's threads, when it can't
    /// go on; it should make somebody call [`stop`](Self::stop).
    ///
    /// # Errors
    /// [`StartError`] where the journal can't be opened or a port is taken.
    pub fn start(
        config: &Config,
        on_failure: impl Fn(Failure) + Send + Clone + 'static,
    ) -> Result<Self, StartError> {
        let options = Options {
            seen: control::highest_position(&config.dir),
            ..config.journal_options()
        };
        let (writer, recovery) = Writer::open(&config.dir, options)?;
        let (intake_listener, pub_port) = bind("publishers", config.bind, config.pub_port)?;
        let (listener, sub_port) = bind("subscribers", config.bind, config.sub_port)?;
        let (control_listener, control_port) = bind("requests", config.bind, config.control_port)?;
        let (intake_sleeper, acceptor_sleeper) = (sleeper()?, sleeper()?);

        let phase = Arc::new(Phase::default());
        let counters = Arc::new(Counters::default());
        let queue = Arc::new(Queue::new(config.queue_bytes(), intake_sleeper.waker()));
        let session_path = writer.session_path();
        let next = writer.next_number();
        let tail = Arc::new(Tail::new(
            session_path.clone(),
            (writer.session(), writer.session_file()),
            next,
            config.history,
            config.tail_bytes(),
        ));
        let recorded = Arc::new(AtomicU64::new(0));
        let health = Arc::new(Health::default());
        let letters = Arc::new(control::letterbox(config));
        let delivery = Arc::new(Delivery {
            tail: Arc::clone(&tail),
            phase: Arc::clone(&phase),
            history: config.history,
            connected: AtomicUsize::new(0),
            roster: Roster::default(),
            keys: config.keys.clone(),
            counters: Arc::clone(&counters),
        });

        let (requests, received) = mpsc::channel();
        let recorder = Recorder {
            writer,
            queue: Arc::clone(&queue),
            spare: Arc::default(),
            tail: Arc::clone(&tail),
            requests: received,
            rotation: Rotation::new(config.rotate_at, config.zone.clone(), (config.clock)()),
            clock: Arc::clone(&config.clock),
            max_session: config.max_session,
            recorded: Arc::clone(&recorded),
            health: Arc::clone(&health),
            on_archived: Arc::clone(&config.on_archived),
            failed: None,
        };
        let recording = Arc::new(Recording::new(recorder));
        let intake_waker = intake_sleeper.waker();
        let server = Server::new(
            intake_listener,
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
            letters: Arc::clone(&letters),
            stop_timeout: config.stop_timeout,
        });
        let acceptor = Acceptor {
            listener,
            delivery: Arc::clone(&delivery),
            sleeper: acceptor_sleeper,
        };

        let facts = Facts {
            dir: config.dir.clone(),
            tail: Arc::clone(&tail),
            health,
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
            pub_port,
            sub_port,
            started: Instant::now(),
        };
        let control = Parts {
            listener: control_listener,
            phase: Arc::clone(&phase),
            letters: Arc::clone(&letters),
            intake: Arc::clone(&intake_waker),
            queue: Arc::clone(&queue),
            archive: requests.clone(),
            facts,
        };
        let control = Control::new(control, config)?;

        let failed = Report {
            on_failure,
            queue: Arc::clone(&queue),
        };
        let keys = match &config.keys {
            Some(keys) => Some(watch_keys(
                keys,
                &failed,
                [
                    Arc::clone(&intake_waker),
                    acceptor.sleeper.waker(),
                    control.waker(),
                ],
                Arc::clone(&tail),
            )?),
            None => None,
        };
        Ok(Self {
            keys,
            intake_waker,
            acceptor_waker: acceptor.sleeper.waker(),
            control_waker: control.waker(),
            control: Part::spawn("control", &failed, |failed| {
                if let Err(error) = control.run() {
                    failed.report(Failure::Control(error));
                }
            })?,
            recorder: Part::spawn("recorder", &failed, {
                let recording = Arc::clone(&recording);
                move |failed| {
                    let result = recording.run();
                    result.map_err(|failure| failed.report(failure)).is_ok()
                }
            })?,
            recording,
            intake: Part::spawn("intake", &failed, |failed| {
                let result = intake.run();
                result.unwrap_or_else(|error| {
                    failed.report(Failure::Intake(error));
                    None
                })
            })?,
            acceptor: Part::spawn("acceptor", &failed, |_| acceptor.run())?,
            recovery,
            session_path,
            pub_port,
            sub_port,
            control_port,
            phase,
            queue,
            letters,
            tail,
            delivery,
            counters,
            recorded,
            requests,
        })
    }

    /// Returns what was found when the journal was opened.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Returns whose keys are let in; `None` where none are needed.
    #[must_use]
    pub fn keys(&self) -> Option<&Keys> {
        self.delivery.keys.as_deref()
    }

    /// Returns the port on which publishers are received.
    #[must_use]
    pub fn pub_port(&self) -> u16 {
        self.pub_port
    }

    /// Returns the port on which subscribers are served.
    #[must_use]
    pub fn sub_port(&self) -> u16 {
        self.sub_port
    }

    /// Returns the port on which requests are served.
    #[must_use]
    pub fn control_port(&self) -> u16 {
        self.control_port
    }

    /// Returns the path of the session being written.
    #[must_use]
    pub fn session_path(&self) -> &Path {
        &self.session_path
    }

    /// Returns how many messages were recorded in this run.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.recorded.load(Ordering::Relaxed)
    }

    /// Returns how many messages were refused because they were too large.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.counters.refused.load(Ordering::Relaxed)
    }

    /// Returns how many subscribers are connected.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.delivery.connected.load(Ordering::Relaxed)
    }

    /// Closes the session and begins a new one; `None` where nothing is in it.
    /// It waits until the group being recorded is done.
    ///
    /// # Errors
    /// [`IoError`] with the file; the session then goes on.
    pub fn archive(&self, label: Option<&str>) -> Result<Option<Archived>, IoError> {
        let (reply, answer) = mpsc::channel();
        let request = ArchiveRequest {
            label: label.map(str::to_owned),
            // Who asked may have stopped waiting.
            reply: Box::new(move |result| drop(reply.send(result))),
        };
        if self.requests.send(request).is_err() {
            return Ok(None);
        }
        self.queue.nudge();
        // A recorder that ends instead of answering archives as it stops.
        answer.recv().unwrap_or(Ok(None))
    }

    /// Stops in order: takes in what has arrived, records it, gives subscribers
    /// two seconds to take what they have not got, and archives the session.
    pub fn stop(mut self) -> Stopped {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Stopped {
        if let Some((stop, mut watch)) = self.keys.take() {
            drop(stop);
            watch.join();
        }
        self.phase.stop_intake();
        self.intake_waker.wake();
        self.acceptor_waker.wake();
        let unread = self.intake.join().flatten();
        self.letters.close();
        self.queue.end();
        let all_recorded = self.recorder.join().unwrap_or(false);
        self.phase.finish_delivery();
        self.control_waker.wake();
        self.control.join();
        self.tail.listeners.wake_all();
        self.acceptor.wait(DRAIN);
        self.phase.close();
        self.tail.listeners.wake_all();
        self.acceptor.join();
        let session = match all_recorded.then(|| self.recording.finish()) {
            Some(Ok(Some(archived))) => LastSession::Archived(archived),
            Some(Ok(None)) => LastSession::Empty,
            Some(Err(error)) => LastSession::Kept(error),
            None => LastSession::Broken,
        };
        Stopped {
            recorded: self.recorded(),
            refused: self.refused(),
            disconnected: self.counters.disconnected.load(Ordering::Relaxed),
            unread,
            session,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if !self.acceptor.is_joined() {
            drop(self.shut_down());
        }
    }
}

/// Looks at the keys again and again, and wakes all who serve their owners where
/// something has changed.
fn watch_keys<F: Fn(Failure) + Send + Clone + 'static>(
    keys: &Arc<Keys>,
    failed: &Report<F>,
    wakers: [Arc<Waker>; 3],
    tail: Arc<Tail>,
) -> std::io::Result<(mpsc::Sender<()>, Part<()>)> {
    let (stop, stopped) = mpsc::channel();
    let keys = Arc::clone(keys);
    let thread = Part::spawn("keys", failed, move |_| {
        keys::watch(&keys, &stopped, || {
            wakers.iter().for_each(|waker| waker.wake());
            tail.listeners.wake_all();
        });
    })?;
    Ok((stop, thread))
}

fn bind(role: &'static str, ip: IpAddr, port: u16) -> Result<(TcpListener, u16), StartError> {
    let address = SocketAddr::new(ip, port);
    let bound = listen(address).and_then(|listener| {
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    });
    bound.map_err(|source| StartError::Listen {
        role,
        address,
        source,
    })
}

//! A broker: takes the ports, starts the threads, and stops them in order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use journal::{Archived, IoError, Recovery};

use crate::assembly::{Assembled, Ports, Shared, assemble, open};
use crate::config::{Changeable, Config};
use crate::error::{Failure, StartError};
use crate::intake::Unread;
use crate::keys::{self, Keys};
use crate::monitor::Monitor;
use crate::net::{Entrance, Port, listen_ipc};
use crate::older;
use crate::recorder::ArchiveRequest;
use crate::stop::{Running, Stopped, stop};
use crate::thread::{BrokerThread, Report};
use crate::worker::Threads;

/// A broker that is running.
///
/// Dropping it stops it as [`stop`](Self::stop) does.
pub struct Broker {
    recovery: Recovery,
    without_topic: u64,
    session_path: PathBuf,
    pub_port: u16,
    sub_port: u16,
    control_port: u16,
    shared: Shared,
    parts: Threaded,
    /// Looks at the keys, until the other end is dropped.
    watch: Option<(mpsc::Sender<()>, BrokerThread<()>)>,
}

/// The threads of the parts.
struct Threaded {
    intake: BrokerThread<Option<Unread>>,
    /// Whether everything was recorded.
    recorder: BrokerThread<bool>,
    acceptor: BrokerThread<()>,
    control: BrokerThread<()>,
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
        let opened = open(config)?;
        let ipc = &config.ipc;
        let bind = |role, port, ipc: &Option<PathBuf>| bind(role, config, port, ipc.as_deref());
        let (publishers, pub_port) = bind("publishers", config.pub_port, &ipc.publishers)?;
        let (subscribers, sub_port) = bind("subscribers", config.sub_port, &ipc.subscribers)?;
        let (requests, control_port) = bind("requests", config.control_port, &ipc.requests)?;
        let ports = Ports {
            publishers,
            subscribers,
            requests,
            numbers: [pub_port, sub_port],
        };
        let assembled = assemble(config, opened, ports, Arc::new(Threads))?;
        let Assembled {
            recovery,
            session_path,
            intake,
            acceptor,
            control,
            shared,
        } = assembled;
        let failed = Report {
            on_failure,
            queue: Arc::clone(&shared.queue),
        };
        let without_topic = older::without_topic(&*config.fs, &session_path)?;
        let watch = config.keys.as_ref();
        let watch = watch.map(|keys| watch_keys(keys, &failed, &shared));
        let watch = watch.transpose()?;
        let recording = Arc::clone(&shared.recording);
        let parts = Threaded {
            control: BrokerThread::spawn("control", &failed, |failed| {
                if let Err(error) = control.run() {
                    failed.report(Failure::Control(error));
                }
            })?,
            recorder: BrokerThread::spawn("recorder", &failed, move |failed| {
                let result = recording.run();
                result.map_err(|failure| failed.report(failure)).is_ok()
            })?,
            intake: BrokerThread::spawn("intake", &failed, |failed| {
                let result = intake.run();
                result.unwrap_or_else(|error| {
                    failed.report(Failure::Intake(error));
                    None
                })
            })?,
            acceptor: BrokerThread::spawn("acceptor", &failed, |_| acceptor.run())?,
        };
        Ok(Self {
            recovery,
            without_topic,
            session_path,
            pub_port,
            sub_port,
            control_port,
            shared,
            parts,
            watch,
        })
    }

    /// Returns what was found when the journal was opened.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Returns how many lines of an older recorder the session has that carry no topic:
    /// subscribers to everything get them, and nobody else does.
    #[must_use]
    pub fn without_topic(&self) -> u64 {
        self.without_topic
    }

    /// Returns whose keys are let in; `None` where none are needed.
    #[must_use]
    pub fn keys(&self) -> Option<&Keys> {
        self.shared.delivery.keys.as_deref()
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
        self.shared.recorded.load(Ordering::Relaxed)
    }

    /// Returns how many messages were refused because they were too large.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.counters.refused.load(Ordering::Relaxed)
    }

    /// Returns how many subscribers are connected.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.shared.delivery.connected.load(Ordering::Relaxed)
    }

    /// Returns what other threads of this process look at it with.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor {
            events: Arc::clone(&self.shared.control_events),
            health: Arc::clone(&self.shared.health),
            counters: Arc::clone(&self.shared.counters),
            tail: Arc::clone(&self.shared.tail),
        }
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
        if self.shared.requests.send(request).is_err() {
            return Ok(None);
        }
        self.shared.queue.nudge();
        // A recorder that ends instead of answering archives as it stops.
        answer.recv().unwrap_or(Ok(None))
    }

    /// Goes on with other settings from the next group on.
    pub fn change(&mut self, to: Changeable) {
        self.shared.on_stop = to.on_stop;
        // A recorder that has ended records nothing more, in whatever way.
        let _changed = self.shared.changes.send(to);
        self.shared.queue.nudge();
    }

    /// Stops in order: takes in what has arrived, records it, gives subscribers
    /// two seconds to take what they have not got, and archives the session.
    pub fn stop(mut self) -> Stopped {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Stopped {
        if let Some((stop, mut watch)) = self.watch.take() {
            drop(stop);
            watch.join();
        }
        stop(&self.shared, &mut self.parts)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if !self.parts.acceptor.is_joined() {
            drop(self.shut_down());
        }
    }
}

impl Running for Threaded {
    fn end_intake(&mut self) -> Option<Unread> {
        self.intake.join().flatten()
    }

    fn end_recorder(&mut self) -> bool {
        self.recorder.join().unwrap_or(false)
    }

    fn end_control(&mut self) {
        self.control.join();
    }

    fn drain_delivery(&mut self, time: Duration) {
        self.acceptor.wait(time);
    }

    fn end_delivery(&mut self) {
        self.acceptor.join();
    }
}

/// Looks at the keys again and again, and wakes all who serve their owners where
/// something has changed.
fn watch_keys<F: Fn(Failure) + Send + Clone + 'static>(
    keys: &Arc<Keys>,
    failed: &Report<F>,
    shared: &Shared,
) -> std::io::Result<(mpsc::Sender<()>, BrokerThread<()>)> {
    let (stop, stopped) = mpsc::channel();
    let (keys, tail) = (Arc::clone(keys), Arc::clone(&shared.tail));
    let wakers = [
        &shared.intake_waker,
        &shared.acceptor_waker,
        &shared.control_waker,
    ];
    let wakers = wakers.map(Arc::clone);
    let thread = BrokerThread::spawn("keys", failed, move |_| {
        keys::watch(&keys, &stopped, || {
            wakers.iter().for_each(|waker| waker.wake());
            tail.listeners.wake_all();
        });
    })?;
    Ok((stop, thread))
}

/// Listens on the same port of several addresses, 0 being one that the first of them has
/// free, and on a Unix socket.
fn bind(
    role: &'static str,
    config: &Config,
    port: u16,
    ipc: Option<&Path>,
) -> Result<(Entrance, u16), StartError> {
    let (mut ports, mut port): (Vec<Box<dyn Port>>, _) = (Vec::new(), port);
    for bind in &config.bind {
        let bound = bind.listen(port, &mut ports);
        port = bound.map_err(|(address, source)| StartError::Listen {
            role,
            address,
            source,
        })?;
    }
    if let Some(path) = ipc {
        let listening = listen_ipc(path);
        ports.push(listening.map_err(|source| StartError::ListenIpc {
            role,
            path: path.to_owned(),
            source,
        })?);
    }
    Ok((Entrance::new(ports), port))
}

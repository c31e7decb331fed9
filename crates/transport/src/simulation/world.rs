//! One broker and its clients in one thread, whose order one seed decides.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use super::clients::Client;
use super::disk::Disk;
use super::model::Model;
use super::parts::{Parts, Workers};
use super::pipe::Door;
use super::{Counts, Plan};
use crate::assembly::{Ports, assemble, open};
use crate::clock::simulated as clock;
use crate::config::Config;
use crate::intake::Unread;
use crate::recorder::ArchiveRequest;
use crate::stop::{LastSession, Running, Stopped, stop};

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

fn world() -> Rc<World> {
    WORLD.with_borrow(|world| Rc::clone(world.as_ref().unwrap()))
}

/// Returns a number below `below`, as the seed says.
pub(super) fn draw(below: usize) -> usize {
    WORLD.with_borrow(|world| match world {
        Some(world) => world.rng.borrow_mut().usize(..below.max(1)),
        None => 0,
    })
}

/// Writes a line of the run's story.
pub(super) fn note(what: fmt::Arguments<'_>) {
    let world = world();
    if world.plan.tell {
        let time = clock::now().duration_since(world.began).as_millis();
        eprintln!("{time:>8} ms  {what}");
    }
}

/// Is called within whatever the disk does: the others go on meanwhile, and the
/// machine may go down.
pub(super) fn meanwhile(what: &str) {
    let Some(world) = WORLD.with_borrow(Clone::clone) else {
        return;
    };
    if world.is_calm.get() || world.depth.get() >= 2 {
        return;
    }
    world.depth.set(world.depth.get() + 1);
    let steps = match draw(8) {
        0 => draw(40),
        1 | 2 => draw(6),
        _ => 0,
    };
    for _ in 0..steps {
        world.step();
    }
    world.depth.set(world.depth.get() - 1);
    if world.plan.crashes && draw(400) == 0 {
        note(format_args!("the machine goes down within: {what}"));
        world.disk.kill();
        resume_unwind(Box::new(Crash));
    }
}

/// Is called when these bytes of a file have become safe.
pub(super) fn synced(path: &Path, from: u64, to: u64) {
    world().model.borrow_mut().synced(path, from, to);
}

/// Is called when these bytes of a file are cut off, although they were safe.
pub(super) fn withdrawn(path: &Path, from: u64, to: u64) {
    world().model.borrow_mut().withdrawn(path, from, to);
}

/// Is called when a client has written or read something.
pub(super) fn moved(bytes: usize) {
    let world = world();
    world.moved.set(world.moved.get() + bytes as u64);
}

/// Unwinds to where the broker was started.
struct Crash;

/// What is simulated.
pub(super) struct World {
    pub(super) plan: Plan,
    rng: RefCell<fastrand::Rng>,
    began: std::time::Instant,
    /// The wall clock, in milliseconds since 1970.
    wall: Arc<AtomicU64>,
    pub(super) dir: tempfile::TempDir,
    disk: Disk,
    pub(super) model: RefCell<Model>,
    clients: Vec<RefCell<Client>>,
    pub(super) doors: RefCell<Doors>,
    parts: RefCell<Option<Rc<Parts>>>,
    /// How deep the disk's operations are nested.
    depth: Cell<u32>,
    /// Set while the disk neither waits nor fails.
    is_calm: Cell<bool>,
    /// Set while clients begin nothing new.
    pub(super) is_ending: Cell<bool>,
    pub(super) counts: RefCell<Counts>,
    /// How many bytes clients have written and read.
    moved: Cell<u64>,
}

/// The ports of a running broker.
#[derive(Default, Clone)]
pub(super) struct Doors {
    pub(super) publishers: Door,
    pub(super) subscribers: Door,
    pub(super) requests: Door,
}

impl World {
    /// Lives through a plan; panics where a promise is broken.
    pub(super) fn run(plan: &Plan) -> Counts {
        clock::start();
        let shm = Path::new("/dev/shm");
        let dir = match shm.is_dir() {
            true => tempfile::tempdir_in(shm),
            false => tempfile::tempdir(),
        };
        let mut rng = fastrand::Rng::with_seed(plan.seed);
        let clients = Client::all(plan, &mut rng);
        let world = Rc::new(Self {
            plan: plan.clone(),
            rng: RefCell::new(rng),
            began: clock::now(),
            wall: Arc::new(AtomicU64::new(1_763_640_000_000)),
            dir: dir.unwrap(),
            disk: Disk::default(),
            model: RefCell::default(),
            clients: clients.into_iter().map(RefCell::new).collect(),
            doors: RefCell::default(),
            parts: RefCell::default(),
            depth: Cell::new(0),
            is_calm: Cell::new(true),
            is_ending: Cell::new(false),
            counts: RefCell::default(),
            moved: Cell::new(0),
        });
        WORLD.set(Some(Rc::clone(&world)));
        let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
        world.disk.kill();
        world.is_calm.set(true);
        world.parts.take();
        WORLD.set(None);
        clock::stop();
        if let Err(panic) = lived {
            resume_unwind(panic);
        }
        world.counts.take()
    }

    fn live(&self) {
        for life in 1..=self.plan.lives {
            let is_last = life == self.plan.lives;
            let lived = catch_unwind(AssertUnwindSafe(|| self.one_life(is_last)));
            if let Err(panic) = lived {
                self.die(panic);
            }
        }
    }

    /// What is left of a broker whose machine went down, or that was killed.
    fn die(&self, panic: Box<dyn std::any::Any + Send>) {
        if !panic.is::<Crash>() {
            resume_unwind(panic);
        }
        self.depth.set(0);
        self.is_calm.set(true);
        self.is_ending.set(false);
        self.counts.borrow_mut().crashes += 1;
        self.parts.take();
        match draw(2) {
            0 => self.disk.crash(),
            _ => self.disk.restart(),
        }
        self.clients.iter().for_each(|client| {
            client.borrow_mut().broker_is_gone(self);
        });
        self.model.borrow_mut().check_files(self.dir.path());
    }

    fn one_life(&self, is_last: bool) {
        if self.plan.requesters == 0 && draw(4) == 0 {
            self.move_away();
        }
        self.start();
        self.is_calm.set(false);
        self.disk
            .set_faults(match self.plan.faults && draw(3) == 0 {
                true => 20 + draw(200),
                false => 0,
            });
        let steps = draw(self.plan.steps) + 1;
        for _ in 0..steps {
            self.step();
            if self.parts().failed.get() {
                break;
            }
        }
        if !is_last && self.plan.crashes && draw(2) == 0 {
            note(format_args!("the broker is killed"));
            self.disk.kill();
            resume_unwind(Box::new(Crash));
        }
        self.end(is_last);
    }

    /// Somebody moves closed sessions elsewhere while no broker runs.
    fn move_away(&self) {
        for archive in journal::list_archives(self.dir.path()).unwrap_or_default() {
            if draw(2) == 0 {
                note(format_args!("{} is moved away", archive.name));
                self.model.borrow_mut().moved_away(&archive.path);
                std::fs::remove_file(archive.path).unwrap();
            }
        }
    }

    fn start(&self) {
        note(format_args!("the broker starts"));
        let doors = Doors::default();
        let workers = Workers::default();
        let config = self.config();
        let opened = open(&config).expect("the journal opens");
        let ports = Ports {
            publishers: doors.publishers.port().into(),
            subscribers: doors.subscribers.port().into(),
            requests: doors.requests.port().into(),
            numbers: [1, 2],
        };
        let spawn = Arc::new(workers.clone());
        let assembled = assemble(&config, opened, ports, spawn).expect("it starts");
        let next = assembled.shared.tail.current().next;
        self.model.borrow_mut().begin(next);
        let parts = Parts::new(assembled, workers);
        self.parts.replace(Some(Rc::new(parts)));
        self.doors.replace(doors);
    }

    fn config(&self) -> Config {
        let wall = Arc::clone(&self.wall);
        Config {
            history: self.plan.history,
            replay: self.plan.replay,
            max_memory: self.plan.memory,
            max_message: 1 << 20,
            max_session: self.plan.rotation.then_some(20_000),
            rotate_at: self.plan.rotation.then_some((0, 0)),
            zone: TimeZone::UTC,
            fs: Arc::new(self.disk.clone()),
            clock: Arc::new(move || {
                let millis = wall.load(Ordering::SeqCst);
                SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
            }),
            ..Config::new(self.dir.path())
        }
    }

    fn parts(&self) -> Rc<Parts> {
        Rc::clone(self.parts.borrow().as_ref().unwrap())
    }

    /// Lets somebody do something.
    fn step(&self) {
        self.counts.borrow_mut().steps += 1;
        match draw(100) {
            0..50 => self.work(),
            50..90 => self.act(),
            90..97 => self.pass(),
            _ => self.befall(),
        }
    }

    /// Lets some part of the broker do a turn.
    fn work(&self) {
        let parts = self.parts();
        match draw(8) {
            0 | 1 => parts.intake(),
            2 | 3 if draw(self.plan.slowness) > 0 => {}
            2 | 3 => parts.recorder(),
            4 => parts.acceptor(),
            5 => parts.control(),
            _ => parts.worker(),
        }
    }

    /// Lets some client do something, unless it does already.
    fn act(&self) {
        if self.clients.is_empty() {
            return;
        }
        let client = &self.clients[draw(self.clients.len())];
        if let Ok(mut client) = client.try_borrow_mut() {
            client.act(self);
        }
    }

    fn pass(&self) {
        let millis = match draw(20) {
            0 => 1000 + draw(14_000),
            1..4 => draw(1000),
            _ => draw(20),
        };
        clock::advance(Duration::from_millis(millis as u64));
        self.wall.fetch_add(millis as u64, Ordering::SeqCst);
    }

    /// Something that is nobody's doing.
    fn befall(&self) {
        let hours = |count: usize| count as u64 * 3_600_000;
        match draw(8) {
            6 => {
                note(format_args!("everything but the clock is paused"));
                clock::advance(Duration::from_secs(200));
            }
            0 if self.plan.rotation => {
                note(format_args!("the clock is set on"));
                self.wall.fetch_add(hours(draw(30)), Ordering::SeqCst);
            }
            1 if self.plan.rotation => {
                note(format_args!("the clock is set back"));
                self.wall.fetch_sub(hours(draw(3)), Ordering::SeqCst);
            }
            2 if self.plan.rotation => self.archive(),
            3 if self.plan.faults && draw(4) == 0 => {
                note(format_args!("the disk is full"));
                self.disk.set_full(true);
            }
            _ => self.disk.set_full(false),
        }
    }

    fn archive(&self) {
        note(format_args!("the session is to be closed"));
        let request = ArchiveRequest {
            label: None,
            reply: Box::new(|_| {}),
        };
        let parts = self.parts();
        let _sent = parts.shared.requests.send(request);
        parts.shared.queue.nudge();
    }

    /// Stops in order, and looks whether all promises were kept.
    fn end(&self, is_last: bool) {
        note(format_args!("the broker is to stop"));
        if is_last {
            self.disk.set_faults(0);
            self.disk.set_full(false);
        }
        let parts = self.parts();
        self.is_ending.set(true);
        if is_last && !parts.failed.get() {
            self.settle(&parts);
        }
        self.model.borrow_mut().stop_begins();
        let stopped = stop(&parts.shared, &mut Stopping(self, Rc::clone(&parts)));
        self.is_calm.set(true);
        self.is_ending.set(false);
        note(format_args!("it has stopped: {stopped:?}"));
        let kept_all = self.judge(&parts, &stopped);
        drop(parts);
        self.parts.take();
        for client in &self.clients {
            let mut client = client.borrow_mut();
            client.read_rest(self);
            client.broker_is_gone(self);
        }
        self.model.borrow_mut().check_files(self.dir.path());
        if kept_all {
            self.model.borrow_mut().check_arrived();
        }
        self.disk.restart();
        self.counts.borrow_mut().stops += 1;
    }

    /// Lets everybody come to their end: nothing new begins.
    fn settle(&self, parts: &Parts) {
        self.is_calm.set(true);
        let (mut moved, mut quiet, mut stuck) = (0, 0, 0);
        while quiet < 60 {
            // A narrow connection needs as long as it needs while anything moves.
            assert!(stuck < 5_000, "it does not come to rest");
            for client in &self.clients {
                client.borrow_mut().act(self);
            }
            parts.all();
            if parts.failed.get() {
                // What had failed before was noticed now: nothing more comes.
                self.is_calm.set(false);
                return;
            }
            clock::advance(Duration::from_millis(20));
            let busy = self.clients.iter().any(|client| client.borrow().is_busy());
            let before = std::mem::replace(&mut moved, self.moved.get());
            stuck = if moved == before { stuck + 1 } else { 0 };
            quiet = if busy || moved != before {
                0
            } else {
                quiet + 1
            };
        }
        for client in &self.clients {
            client.borrow_mut().check_settled(self);
        }
        self.is_calm.set(false);
    }

    /// Returns whether everything that had arrived must have been recorded.
    fn judge(&self, parts: &Parts, stopped: &Stopped) -> bool {
        let failed = parts.failed.get() || matches!(stopped.session, LastSession::Broken);
        if !failed {
            assert_eq!(stopped.refused, 0, "no message is too large");
            assert_eq!(stopped.disconnected, 0, "no publisher has done anything");
        }
        !failed && stopped.unread.is_none() && !self.disk.is_full()
    }
}

/// Runs the world until a part has ended.
struct Stopping<'a>(&'a World, Rc<Parts>);

impl Stopping<'_> {
    fn until(&self, is_done: impl Fn(&Parts) -> bool) {
        for step in 0.. {
            if is_done(&self.1) {
                return;
            }
            self.0.step();
            if step % (16 * self.0.plan.slowness) == 0 {
                self.1.all();
                clock::advance(Duration::from_millis(5));
            }
            assert!(step < 1_000_000, "the broker does not come to its end");
        }
    }
}

impl Running for Stopping<'_> {
    fn end_intake(&mut self) -> Option<Unread> {
        self.until(|parts| parts.intake.done.get());
        self.1.unread.get()
    }

    fn end_recorder(&mut self) -> bool {
        self.until(|parts| parts.recorder.done.get());
        !self.1.failed.get()
    }

    fn end_control(&mut self) {
        self.until(|parts| parts.control.done.get());
    }

    fn drain_delivery(&mut self, time: Duration) {
        let until = clock::now() + time;
        self.until(|parts| clock::now() >= until || parts.delivery_is_done());
    }

    fn end_delivery(&mut self) {
        self.until(Parts::delivery_is_done);
    }
}

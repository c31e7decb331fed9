//! One broker and its clients in one thread, whose order one seed decides.

mod end;
mod happenings;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
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
use crate::error::Failure;

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

/// Is called when recording has failed, which only a disk may cause that fails.
pub(super) fn check_failure(failure: &Failure) {
    let out_of_order = matches!(
        failure,
        Failure::Recording(journal::CommitError::OutOfOrder { .. })
    );
    assert!(
        world().plan.faults && !out_of_order,
        "nothing had failed before: {failure}"
    );
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
    /// Which closed sessions were there at the start, and which were reported since.
    archived: Arc<Mutex<BTreeSet<PathBuf>>>,
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
            archived: Arc::default(),
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

    /// Somebody moves sessions elsewhere while no broker runs.
    fn move_away(&self) {
        for path in self.archives() {
            if draw(2) == 0 {
                note(format_args!("{} is moved away", path.display()));
                self.model.borrow_mut().moved_away(&path);
                std::fs::remove_file(path).unwrap();
            }
        }
        let unfinished = journal::current_session(self.dir.path());
        if unfinished.exists() && draw(2) == 0 {
            note(format_args!("the unfinished session is removed"));
            self.model.borrow_mut().removed_unfinished(&unfinished);
            std::fs::remove_file(unfinished).unwrap();
        }
    }

    fn archives(&self) -> impl Iterator<Item = PathBuf> {
        let archives = journal::list_archives(self.dir.path()).unwrap_or_default();
        archives.into_iter().map(|archive| archive.path)
    }

    fn start(&self) {
        note(format_args!("the broker starts"));
        *self.archived.lock().unwrap() = self.archives().collect();
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
        let archived = Arc::clone(&self.archived);
        Config {
            history: self.plan.history,
            replay: self.plan.replay,
            max_memory: self.plan.memory,
            max_message: 1 << 20,
            max_session: self.plan.rotation.then_some(20_000),
            rotate_at: self.plan.rotation.then_some((0, 0)),
            on_stop: self.plan.on_stop,
            zone: TimeZone::UTC,
            on_archived: Arc::new(move |path| {
                archived.lock().unwrap().insert(path.to_owned());
            }),
            fs: Arc::new(self.disk.clone()),
            clock: Arc::new(move || {
                let millis = wall.load(Ordering::SeqCst);
                SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
            }),
            ..Config::new(self.dir.path())
        }
    }

    /// Tells whether the broker may have reason to end a connection by itself.
    pub(super) fn may_disconnect(&self) -> bool {
        let parts = self.parts.borrow();
        self.is_ending.get() || parts.as_ref().is_none_or(|parts| parts.failed.get())
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
}

//! Subscribing, publishing, stalling, rotating, failing and restarting in any
//! order: nothing is seen before its fsync, and what is wanted comes once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex};

use journal::CommitError;
use proptest::prelude::*;

use super::model::NAMES;
use super::world::{Peer, World};
use super::*;
use crate::config::Replay;
use crate::sync::held;
use crate::testing::Bench;
use crate::testing::faulty::FaultyFs;

const CLIENTS: usize = 3;
const AT: &str = "2025-11-20T04:30:00.123Z";

/// What happens.
#[derive(Debug, Clone)]
enum Event {
    /// A group of messages with these names is recorded.
    Publish(Vec<usize>),
    /// The same, while the disk fails.
    PublishWith(Disk, Vec<usize>),
    Rotate,
    /// The program ends as in a crash and starts again.
    Restart,
    /// The newest record can't be read any more.
    Spoil,
    Subscribe(usize, usize),
    Unsubscribe(usize, usize),
    /// The quiet time after a subscription is over.
    Quiet(usize),
    /// A client's connection takes this many messages and then no more.
    Room(usize, usize),
    Unstall(usize),
    Reconnect(usize),
}

/// How the disk fails.
#[derive(Debug, Clone, Copy)]
enum Disk {
    SyncFails,
    /// An fsync fails, and the fresh file finds at its fsync that the disk is full.
    SyncFailsThenFull,
    WriteFails,
    Full,
    /// Every fsync fails, and the program ends.
    Dies,
}

/// The journal, its disk, and the world.
struct Test {
    bench: Option<Bench>,
    fs: FaultyFs,
    replay: Replay,
    memory: usize,
    world: Arc<Mutex<World>>,
}

impl Test {
    fn new(replay: Replay, history: u64, memory: usize) -> Self {
        let fs = FaultyFs::default();
        let dir = tempfile::tempdir().unwrap();
        let bench = Bench::open_with(dir, Arc::new(fs.clone()), replay, history, memory);
        let world = Arc::new(Mutex::new(World {
            tail: Arc::clone(&bench.tail),
            peers: (0..CLIENTS).map(|_| Peer::new(history)).collect(),
            recorded: BTreeMap::new(),
            names: BTreeMap::new(),
            history,
        }));
        let looking = Arc::clone(&world);
        fs.before_sync(move || {
            held(looking.lock()).look();
        });
        let bench = Some(bench);
        Self {
            bench,
            fs,
            replay,
            memory,
            world,
        }
    }

    fn publish(&mut self, names: &[usize]) {
        let Some(bench) = &mut self.bench else { return };
        let names: Vec<&'static str> = names.iter().map(|name| NAMES[*name]).collect();
        let numbered = || (bench.writer.next_number()..).zip(names.iter().copied());
        let group: BTreeMap<u64, &'static str> = numbered().collect();
        self.world.lock().unwrap().names.extend(&group);
        for attempt in 0.. {
            match bench.try_record(&names, AT) {
                Ok(()) => break,
                Err(CommitError::NoRoom { .. }) if attempt < 5 => {}
                // The program ends. Nobody has seen the group; it may be there.
                Err(_) => {
                    self.world.lock().unwrap().serve();
                    self.fs.set_syncs(&[]);
                    self.restart(group);
                    return;
                }
            }
        }
        self.fs.set_syncs(&[]);
        self.world.lock().unwrap().recorded.extend(group);
    }

    /// Ends the program as in a crash, with this in hand, and starts it again.
    fn restart(&mut self, mut in_hand: BTreeMap<u64, &'static str>) {
        let Some(bench) = self.bench.take() else {
            return;
        };
        let mut world = self.world.lock().unwrap();
        let (history, memory) = (world.history, self.memory);
        let Bench { dir, writer, tail } = bench;
        drop((writer, tail));
        world.peers = (0..CLIENTS).map(|_| Peer::new(history)).collect();
        drop(world);
        let bench = Bench::open_with(dir, Arc::new(self.fs.clone()), self.replay, history, memory);
        let mut world = self.world.lock().unwrap();
        world.tail = Arc::clone(&bench.tail);
        let lines = journal::read_all(bench.dir.path()).unwrap();
        let there: BTreeSet<u64> = lines.flatten().map(|line| line.number).collect();
        in_hand.retain(|number, _| there.contains(number));
        world.recorded.extend(in_hand);
        self.bench = Some(bench);
    }

    /// Overwrites the beginning of the newest record.
    fn spoil(&self) {
        let Some(bench) = &self.bench else { return };
        let path = bench.writer.session_path();
        let text = std::fs::read(&path).unwrap();
        let lines = text.strip_suffix(b"\n").unwrap_or_default();
        let Some(at) = lines.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(b"spoilt", at as u64 + 1).unwrap();
        let last = bench.tail.head().next - 1;
        self.world.lock().unwrap().recorded.remove(&last);
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Publish(names) => self.publish(names),
            Event::PublishWith(disk, names) => {
                let (eio, full) = (ErrorKind::Other, ErrorKind::StorageFull);
                match disk {
                    Disk::SyncFails => self.fs.set_syncs(&[Some(eio)]),
                    Disk::SyncFailsThenFull => {
                        // Between the two, the old file and the empty one are synced.
                        self.fs.set_syncs(&[Some(eio), None, None, Some(full)]);
                    }
                    Disk::Dies => self.fs.set_syncs(&[Some(eio); 8]),
                    Disk::WriteFails => self.fs.fail_write(eio),
                    Disk::Full => self.fs.fail_write(full),
                }
                self.publish(names);
            }
            Event::Rotate => {
                if let Some(bench) = &mut self.bench
                    && let Some(archived) = bench.writer.archive(None).unwrap()
                {
                    // The tail hears of it a moment later.
                    self.world.lock().unwrap().look();
                    bench.rotate(Some(&archived));
                }
            }
            Event::Restart => self.restart(BTreeMap::new()),
            Event::Spoil => self.spoil(),
            event => self.ask(event),
        }
        self.world.lock().unwrap().serve();
    }

    /// What a client does.
    fn ask(&self, event: &Event) {
        let mut world = self.world.lock().unwrap();
        let history = world.history;
        match *event {
            Event::Subscribe(peer, name) => {
                let peer = &mut world.peers[peer];
                peer.model.subscribe(NAMES[name]);
                let topic = NAMES[name].as_bytes().into();
                peer.subscriber.apply(Subscription::Add(topic)).unwrap();
                peer.subscriber.quiet_is_over(false);
            }
            Event::Unsubscribe(peer, name) => {
                let peer = &mut world.peers[peer];
                peer.tell_what_is_on_its_way();
                peer.model.unsubscribe(NAMES[name]);
                let topic = NAMES[name].as_bytes().into();
                peer.subscriber.apply(Subscription::Remove(topic)).unwrap();
            }
            Event::Quiet(peer) => world.peers[peer].subscriber.quiet_is_over(true),
            Event::Room(peer, room) => world.peers[peer].link.room = Some(room),
            Event::Unstall(peer) => world.peers[peer].link.room = None,
            Event::Reconnect(peer) => world.peers[peer] = Peer::new(history),
            _ => {}
        }
    }

    /// Everybody reads to the end: nothing that was wanted is missing.
    fn finish(&self) {
        let mut world = self.world.lock().unwrap();
        for peer in &mut world.peers {
            peer.link.room = None;
            peer.subscriber.quiet_is_over(true);
        }
        // What waits behind a replay is replayed after it.
        (0..3).for_each(|_| world.look());
        let World {
            peers, recorded, ..
        } = &*world;
        for peer in peers {
            assert!(peer.subscriber.is_up_to_date(&world.tail));
            peer.model.finish(recorded);
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let peer = || 0..CLIENTS;
    let name = || 0..NAMES.len();
    let names = || prop::collection::vec(name(), 1..30);
    let disk = prop::sample::select(vec![
        Disk::SyncFails,
        Disk::SyncFailsThenFull,
        Disk::WriteFails,
        Disk::Full,
        Disk::Dies,
    ]);
    prop_oneof![
        6 => names().prop_map(Event::Publish),
        2 => (disk, names()).prop_map(|(disk, names)| Event::PublishWith(disk, names)),
        2 => Just(Event::Rotate),
        1 => Just(Event::Restart),
        1 => Just(Event::Spoil),
        8 => (peer(), name()).prop_map(|(peer, name)| Event::Subscribe(peer, name)),
        5 => (peer(), name()).prop_map(|(peer, name)| Event::Unsubscribe(peer, name)),
        6 => peer().prop_map(Event::Quiet),
        4 => (peer(), 0..20_usize).prop_map(|(peer, room)| Event::Room(peer, room)),
        2 => peer().prop_map(Event::Unstall),
        1 => peer().prop_map(Event::Reconnect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_wanted_comes_once_in_order_and_nothing_before_its_fsync(
        replay in prop::sample::select(vec![Replay::Session, Replay::All]),
        history in prop::sample::select(vec![0, 5, 40, 10_000]),
        memory in prop::sample::select(vec![0, 20_000, 1 << 20]),
        events in prop::collection::vec(event(), 1..60),
    ) {
        let mut test = Test::new(replay, history, memory);
        for event in &events {
            test.happen(event);
        }
        test.finish();
    }
}

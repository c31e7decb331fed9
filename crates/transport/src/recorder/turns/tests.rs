use std::io::ErrorKind;
use std::path::Path;

use super::*;
use crate::delivery::Turn;
use crate::net::sleeper;
use crate::tail::Tail;
use crate::testing::faulty::FaultyFs;
use crate::testing::recorder::recorder;
use crate::testing::{Bench, Client, batch};

/// A recorder whose thread does not run unless a test lets it.
struct Idle {
    dir: tempfile::TempDir,
    recording: Recording,
    tail: Arc<Tail>,
    next: u64,
}

impl Idle {
    fn new() -> Self {
        Self::of(Bench::new(0), Arc::new(|_| {}))
    }

    fn of(bench: Bench, on_archived: Arc<dyn Fn(&Path) + Send + Sync>) -> Self {
        let tail = Arc::clone(&bench.tail);
        let waker = sleeper().unwrap().waker();
        let (dir, recorder) = recorder(bench, Queue::new(1 << 20, waker));
        let recorder = Recorder {
            on_archived,
            ..recorder
        };
        Self {
            dir,
            recording: Recording::new(recorder),
            tail,
            next: 1,
        }
    }

    /// The next batch: one message of `length` bytes.
    fn batch(&mut self, length: usize) -> Batch {
        let batch = batch(self.next, length);
        self.next += 1;
        batch
    }

    /// Returns the number of the newest message that is visible.
    fn visible(&self) -> u64 {
        self.tail.head().next - 1
    }
}

#[test]
fn a_small_batch_is_recorded_at_once_where_nothing_comes_before_it() {
    let mut idle = Idle::new();
    for number in 1..=2 {
        let batch = idle.batch(10);
        idle.recording.record_or_leave(batch);
        assert_eq!(idle.visible(), number);
    }
    assert_eq!(idle.recording.queue.waiting(), 0);
}

/// Notes which threads make records visible.
#[derive(Default)]
struct Committers(std::sync::Mutex<Vec<std::thread::ThreadId>>);

impl crate::tail::Listener for Committers {
    fn wake(&self) {
        self.0.lock().unwrap().push(std::thread::current().id());
    }
}

#[test]
fn while_the_recorders_thread_waits_intake_records_by_itself() {
    const MESSAGES: usize = 20;
    let mut idle = Idle::new();
    let committers = Arc::new(Committers::default());
    let listening = crate::tail::Listening::new(&idle.tail, Arc::clone(&committers) as _);
    let batches: Vec<Batch> = (0..MESSAGES).map(|_| idle.batch(10)).collect();
    std::thread::scope(|scope| {
        let recorder = scope.spawn(|| idle.recording.run().unwrap());
        for (number, batch) in (1..).zip(batches) {
            // Nothing tells from outside that the recorder's thread waits by now.
            std::thread::sleep(Duration::from_millis(5));
            idle.recording.record_or_leave(batch);
            while idle.visible() < number {
                std::thread::yield_now();
            }
        }
        idle.recording.queue.end();
        recorder.join().unwrap();
    });
    drop(listening);
    // Now and then the recorder's thread has something to do, and comes first.
    let here = std::thread::current().id();
    let own = committers
        .0
        .lock()
        .unwrap()
        .iter()
        .filter(|id| **id == here)
        .count();
    assert!(own > MESSAGES / 2, "{own} of {MESSAGES}");
}

#[test]
fn whatever_comes_behind_another_batch_waits_for_it() {
    let mut idle = Idle::new();
    let (first, second) = (idle.batch(AT_ONCE + 1), idle.batch(10));
    idle.recording.record_or_leave(first);
    idle.recording.record_or_leave(second);
    assert_eq!((idle.visible(), idle.recording.queue.waiting()), (0, 2));
    idle.recording.queue.end();
    idle.recording.run().unwrap();
    assert_eq!(idle.visible(), 2);
}

#[test]
fn the_recorders_thread_has_precedence_when_it_has_something_to_do() {
    let mut idle = Idle::new();
    let batch = idle.batch(10);
    idle.recording.queue.nudge();
    idle.recording.record_or_leave(batch);
    assert_eq!((idle.visible(), idle.recording.queue.waiting()), (0, 1));

    let mut idle = Idle::new();
    let batch = idle.batch(10);
    let recorder = idle.recording.lock();
    idle.recording.record_or_leave(batch);
    drop(recorder);
    assert_eq!((idle.visible(), idle.recording.queue.waiting()), (0, 1));
}

#[test]
fn a_failure_at_once_ends_the_recorders_thread() {
    let mut idle = Idle::new();
    drop(idle.batch(10));
    let out_of_order = idle.batch(10);
    idle.recording.record_or_leave(out_of_order);
    let next = idle.batch(10);
    idle.recording.record_or_leave(next);
    assert_eq!((idle.visible(), idle.recording.queue.waiting()), (0, 1));
    drop(idle.recording.queue.take());
    idle.recording.queue.end();
    assert!(matches!(idle.recording.run(), Err(Failure::Recording(_))));
}

#[test]
fn requests_are_answered_or_dropped_when_the_thread_has_ended() {
    let idle = Idle::new();
    let (requests, received) = mpsc::channel();
    idle.recording.lock().requests = received;
    idle.recording.queue.end();
    idle.recording.run().unwrap();
    let (reply, answer) = mpsc::channel::<()>();
    let request = crate::recorder::ArchiveRequest {
        label: None,
        reply: Box::new(move |_| drop(reply)),
    };
    assert!(requests.send(request).is_err());
    assert!(answer.recv().is_err());
}

fn turn(client: &mut Client, tail: &Tail) -> Turn {
    client.subscriber.turn(tail, &mut client.link).unwrap()
}

#[test]
fn every_file_that_was_left_is_named_and_read_to_its_end() {
    let fs = FaultyFs::default();
    let (named, archived) = mpsc::channel();
    let told = move |path: &Path| named.send(path.to_owned()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    // Nothing stays in memory.
    let bench = Bench::open(dir, Arc::new(fs.clone()), 100, 0);
    let mut idle = Idle::of(bench, Arc::new(told));
    for _ in 1..=3 {
        let batch = idle.batch(10);
        idle.recording.record_or_leave(batch);
    }
    let mut client = Client::new(100);
    client.subscribe("");
    client.link.room = Some(1);
    while !matches!(turn(&mut client, &idle.tail), Turn::Full) {}
    let left = idle.tail.current().segment;
    // The file is left, and so is the fresh one, whose fsync finds the disk full.
    let (failed, full) = (Some(ErrorKind::Other), Some(ErrorKind::StorageFull));
    fs.set_syncs(&[failed, None, None, full]);
    let late = idle.batch(10);
    idle.recording.record_or_leave(late);
    assert_eq!((idle.visible(), idle.recording.queue.waiting()), (3, 1));
    idle.recording.queue.end();
    idle.recording.run().unwrap();
    let archived: Vec<_> = archived.try_iter().collect();
    let there = journal::list_archives(idle.dir.path()).unwrap();
    let there: Vec<_> = there.into_iter().map(|archive| archive.path).collect();
    assert_eq!((&archived, archived.len()), (&there, 1));
    assert!(left.can_be_let_go(), "its new name is known");
    client.link.room = None;
    while !matches!(turn(&mut client, &idle.tail), Turn::Idle) {}
    assert_eq!(client.link.sent.len(), 4);
}

//! The recorder's thread and intake, which borrows the recorder.

use shuttle::thread::{self, JoinHandle};

use crate::batch::Batch;
use crate::error::Failure;
use crate::net::{Sleeper, rest, sleeper};
use crate::recorder::{
    AT_ONCE, ArchiveRequest, Disk, Fate, Health, Queue, Recorder, Recording, Writer,
};
use crate::sync::{Arc, mpsc};

/// How many batches come; each second one is too large to be recorded at once.
const BATCHES: u64 = 6;
/// Two that are too large find room together, and the third finds the queue full.
const LARGE: usize = 2 * AT_ONCE;
const QUEUE: usize = 2 * LARGE;

struct Bench {
    disk: Arc<Disk>,
    recording: Arc<Recording>,
    requests: mpsc::Sender<ArchiveRequest>,
    recorder: JoinHandle<Result<(), Failure>>,
    sleeper: Sleeper,
}

impl Bench {
    /// Starts the recorder's thread on a disk that does this first.
    fn start(fates: impl IntoIterator<Item = Option<Fate>>) -> Self {
        let sleeper = sleeper().unwrap();
        let disk = Arc::<Disk>::default();
        disk.fates.lock().unwrap().extend(fates);
        let (requests, received) = mpsc::channel();
        let recording = Arc::new(Recording::new(Recorder {
            writer: Writer {
                disk: Arc::clone(&disk),
                failed: false,
            },
            queue: Arc::new(Queue::new(QUEUE, sleeper.waker())),
            spare: Arc::default(),
            requests: received,
            failed: None,
            held: None,
            health: Health,
        }));
        let runs = Arc::clone(&recording);
        Self {
            disk,
            recording,
            requests,
            recorder: thread::spawn(move || runs.run()),
            sleeper,
        }
    }

    /// Is intake: hands on all batches, and sleeps while the queue is full, or until
    /// nobody records any more.
    fn hand_on(&mut self) {
        let queue = &self.recording.queue;
        for number in 1..=BATCHES {
            loop {
                self.sleeper.about_to_sleep();
                let full = queue.is_full();
                rest(&mut self.sleeper, full);
                if !full {
                    break;
                }
            }
            let size = if number % 2 == 0 { LARGE } else { 1 };
            self.recording.record_or_leave(Batch::new(number, size));
        }
    }

    /// Asks for the session to be closed, on a thread of its own, and waits for the reply.
    fn ask(&self) -> JoinHandle<bool> {
        let (requests, recording) = (self.requests.clone(), Arc::clone(&self.recording));
        thread::spawn(move || {
            let (reply, answer) = mpsc::channel();
            if requests.send(ArchiveRequest(reply)).is_err() {
                return false;
            }
            recording.queue.nudge();
            answer.recv().is_ok()
        })
    }
}

/// Whoever records, numbers stay in order, and a request gets its reply, without a clock
/// that ticks.
pub fn numbers_keep_their_order_and_requests_are_heard() {
    let mut bench = Bench::start([]);
    let asked = [bench.ask(), bench.ask()];
    bench.hand_on();
    for asked in asked {
        assert!(asked.join().unwrap(), "the recorder is there");
    }
    bench.recording.queue.end();
    assert_eq!(bench.recorder.join().unwrap(), Ok(()));
    let numbers = bench.disk.numbers.lock().unwrap();
    assert!(numbers.iter().copied().eq(1..=BATCHES));
}

/// Requests while the recorder's thread ends get a reply, or learn that nobody is there.
pub fn a_request_at_the_end_is_not_left_alone() {
    let bench = Bench::start([]);
    let asked = [bench.ask(), bench.ask()];
    bench.recording.queue.end();
    for asked in asked {
        asked.join().unwrap();
    }
    assert_eq!(bench.recorder.join().unwrap(), Ok(()));
}

/// A disk that is full for a while holds everything up and loses nothing.
pub fn a_full_disk_is_waited_for() {
    let fates = [
        None,
        Some(Fate::Full),
        Some(Fate::Full),
        None,
        Some(Fate::Full),
    ];
    let mut bench = Bench::start(fates);
    bench.hand_on();
    bench.recording.queue.end();
    assert_eq!(bench.recorder.join().unwrap(), Ok(()));
    let numbers = bench.disk.numbers.lock().unwrap();
    assert!(numbers.iter().copied().eq(1..=BATCHES));
}

/// Where a commit fails that intake makes, the recorder's thread learns it, and tells it
/// by its end: nobody has to stop it.
pub fn a_failure_on_another_thread_ends_the_recorder() {
    let bench = Bench::start([Some(Fate::Fails)]);
    bench.recording.record_or_leave(Batch::new(1, 1));
    assert_eq!(bench.recorder.join().unwrap(), Err(Failure::Recording));
    assert!(bench.disk.numbers.lock().unwrap().is_empty());
}

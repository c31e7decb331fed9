//! Intake, the recorder and the control port: the queue, the queue of messages whose
//! senders wait, and what intake announces before it sleeps.

use std::time::Duration;

use shuttle::thread;

use crate::batch::Batch;
use crate::intake::announce;
use crate::net::{Sleeper, Waker, rest, sleeper};
use crate::pending::{AckHandle, Answer, Outcome, PendingPublish, PublishQueue};
use crate::recorder::{Queue, Taken};
use crate::shutdown::Phase;
use crate::sync::{Arc, Mutex};

/// Long: nobody may need it.
const TICK: Duration = Duration::from_secs(1);
/// How many messages publishers send, and how many come from the control port.
const SENT: usize = 3;
const ASKED: usize = 4;

/// What the threads share.
struct Shared {
    queue: Queue,
    publishes: PublishQueue,
    phase: Phase,
    recorded: Mutex<Vec<u64>>,
    answers: Mutex<Vec<(u64, Outcome)>>,
    stops: bool,
}

/// Messages come faster than the recorder takes them, and the queue is full with each:
/// all are recorded and answered, without anybody being told to stop.
pub fn a_full_queue_is_gone_on_with_when_there_is_room() {
    let (shared, threads, intake, _) = start(false);
    for thread in threads {
        thread.join().unwrap();
    }
    intake.join().unwrap();
    shared.queue.end();
}

/// Intake is told to stop whatever it is about, and ends; whatever was handed to anybody
/// is recorded or refused, and nobody waits for an answer for ever.
pub fn a_stop_reaches_whoever_sleeps() {
    let (shared, threads, intake, waker) = start(true);
    shared.phase.stop_intake();
    waker.wake();
    intake.join().unwrap();
    shared.publishes.close();
    shared.queue.end();
    for thread in threads {
        thread.join().unwrap();
    }
    let answers = shared.answers.lock().unwrap();
    let mut ids: Vec<u64> = answers.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    assert_eq!(
        ids,
        (0..ASKED as u64).collect::<Vec<_>>(),
        "one answer each"
    );
    let recorded = shared.recorded.lock().unwrap();
    assert!(recorded.iter().copied().eq(1..=recorded.len() as u64));
}

/// The same where nothing else happens at all.
pub fn a_stop_reaches_intake_that_is_idle() {
    let (shared, sleeper) = shared(true);
    let (waker, idle) = (sleeper.waker(), Arc::clone(&shared));
    let intake = thread::spawn(move || receive(&idle, sleeper, SENT));
    shared.phase.stop_intake();
    waker.wake();
    intake.join().unwrap();
}

type Threads = Vec<thread::JoinHandle<()>>;

/// Starts all; where it `stops`, intake goes on until it is told to stop, else until all
/// is recorded.
fn start(stops: bool) -> (Arc<Shared>, Threads, thread::JoinHandle<()>, Arc<Waker>) {
    let (shared, sleeper) = shared(stops);
    let waker = sleeper.waker();
    let mut threads: Threads = (0..2).map(|half| ask(&shared, &waker, half)).collect();
    let recorder = Arc::clone(&shared);
    threads.push(thread::spawn(move || record(&recorder)));
    let received = Arc::clone(&shared);
    let intake = thread::spawn(move || receive(&received, sleeper, 0));
    (shared, threads, intake, waker)
}

fn shared(stops: bool) -> (Arc<Shared>, Sleeper) {
    let sleeper = sleeper().unwrap();
    let shared = Shared {
        queue: Queue::new(1, sleeper.waker()),
        publishes: PublishQueue::new(ASKED, 1 << 20),
        phase: Phase::default(),
        recorded: Mutex::default(),
        answers: Mutex::default(),
        stops,
    };
    (Arc::new(shared), sleeper)
}

/// Is a client of the control port with half of the messages, as the control thread
/// hands them on.
fn ask(shared: &Arc<Shared>, waker: &Arc<Waker>, half: u64) -> thread::JoinHandle<()> {
    let (shared, waker) = (Arc::clone(shared), Arc::clone(waker));
    thread::spawn(move || {
        let answered = Arc::clone(&shared);
        let answer: Arc<Answer> =
            Arc::new(move |id, outcome| answered.answers.lock().unwrap().push((id, outcome)));
        for id in [2 * half, 2 * half + 1] {
            let publish = PendingPublish {
                frames: Vec::new(),
                ack: AckHandle::new(id, &answer),
                key_name: None,
                origin: None,
            };
            match shared.publishes.put(publish) {
                Ok(()) => waker.wake(),
                Err(refused) => refused.ack.answer(Outcome::Stopped),
            }
        }
    })
}

/// Is intake: gives numbers, and hands on. Publishers have `sent` some already.
fn receive(shared: &Shared, mut sleeper: Sleeper, mut sent: usize) {
    let mut next = 1;
    let Shared {
        queue,
        publishes,
        phase,
        stops,
        ..
    } = shared;
    while if *stops {
        phase.is_running()
    } else {
        !shared.is_done()
    } {
        let wanted = announce(&sleeper, queue, publishes, phase, false);
        // A publisher's socket is ready as long as something is there, and asked as long
        // as there is room.
        let ready = wanted.room && sent < SENT;
        let nothing = wanted.timeout.is_none() && !ready && (*stops || !shared.is_done());
        rest(&mut sleeper, nothing);
        if ready {
            sent += 1;
            queue.put(Batch::new(next, 1));
            next += 1;
        }
        if !queue.is_full() {
            for publish in publishes.take(1) {
                queue.put(Batch::new(next, 1));
                publish.ack.answer(Outcome::Recorded(next));
                next += 1;
            }
        }
    }
}

/// Is the recorder's thread.
fn record(shared: &Shared) {
    loop {
        match shared.queue.take() {
            Taken::Batches(batches) => {
                let memory = batches.iter().map(Batch::memory).sum();
                let numbers = batches.iter().map(|batch| batch.first);
                shared.recorded.lock().unwrap().extend(numbers);
                shared.queue.release(memory);
            }
            Taken::Nothing if !shared.stops && shared.is_done() => return,
            Taken::Nothing => shared.queue.wait(TICK),
            Taken::End => return,
        }
    }
}

impl Shared {
    fn is_done(&self) -> bool {
        self.recorded.lock().unwrap().len() == SENT + ASKED
    }
}

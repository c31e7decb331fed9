use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use message::Record;

use super::*;
use crate::keys::rights::Rights;
use crate::net::sleeper;
use crate::pending::{AckHandle, Answer, Outcome, PendingPublish};
use crate::tail::Tail;
use crate::testing::guarded::key_folder;
use crate::testing::recorder::recorder;
use crate::testing::{Bench, TAIL};

/// The longest line here.
const LINE: usize = 100 << 10;

/// A collector and what is behind it, with a clock that a test sets.
struct World {
    collector: Collector,
    recording: Arc<Recording>,
    tail: Arc<Tail>,
    seconds: Arc<AtomicU64>,
    dir: tempfile::TempDir,
}

impl World {
    fn new(memory: usize) -> Self {
        let bench = Bench::new(10);
        let tail = Arc::clone(&bench.tail);
        let waker = sleeper().unwrap().waker();
        let (dir, recorder) = recorder(bench, Queue::new(memory, waker));
        let recording = Arc::new(Recording::new(recorder));
        let seconds = Arc::new(AtomicU64::new(0));
        let now = Arc::clone(&seconds);
        let clock =
            move || SystemTime::UNIX_EPOCH + Duration::from_secs(now.load(Ordering::Relaxed));
        let of_recording = Arc::clone(&recording);
        let collector = Collector::new(of_recording, Arc::default(), 1, LINE, Arc::new(clock));
        Self {
            collector,
            recording,
            tail,
            seconds,
            dir,
        }
    }

    fn add(&mut self, payload: &[u8]) {
        self.collector.add(None, Cow::Borrowed(&message(payload)));
    }

    /// Returns how many messages wait for the recorder's thread, and how many are visible.
    fn waiting_and_visible(&self) -> (usize, u64) {
        (self.recording.queue.waiting(), self.tail.head().next - 1)
    }

    /// Returns the lines of all that is recorded.
    fn lines(&self) -> Vec<String> {
        let path = self.tail.current().path;
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn refused(&self) -> u64 {
        self.collector.counters.refused.load(Ordering::Relaxed)
    }
}

fn message(payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    zmtp::push_message(&mut wire, [b"topic".as_slice(), payload]);
    wire
}

/// A box with messages of so many bytes each, and what their senders are told.
fn publishes(count: u64, bytes: usize) -> (PublishQueue, Receiver<(u64, Outcome)>) {
    let publishes = PublishQueue::new(10, TAIL);
    let (tell, told) = mpsc::channel();
    let answer: Arc<Answer> = Arc::new(move |id, outcome| tell.send((id, outcome)).unwrap());
    for id in 1..=count {
        let publish = PendingPublish {
            frames: vec![b"topic".to_vec(), vec![b'x'; bytes]],
            ack: AckHandle::new(id, &answer),
            key_name: None,
            origin: None,
        };
        publishes.put(publish).unwrap();
    }
    (publishes, told)
}

#[test]
fn a_message_that_can_not_be_recorded_is_counted_and_takes_no_number() {
    let mut world = World::new(TAIL);
    world.add(b"first");
    world.add(&[b'x'; LINE]);
    world.add(b"second");
    world.collector.record();
    assert_eq!((world.refused(), world.waiting_and_visible()), (1, (0, 2)));
    let lines = world.lines();
    let records = lines.iter().map(|it| Record::parse(it.as_bytes()).unwrap());
    let numbers: Vec<_> = records.map(|it| it.message_num).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    assert!(lines[1].contains("second"));
    let Counters {
        received,
        received_bytes,
        ..
    } = &*world.collector.counters;
    let bytes = (message(b"first").len() + message(b"second").len()) as u64;
    let counts = [received, received_bytes].map(|it| it.load(Ordering::Relaxed));
    assert_eq!(counts, [2, bytes]);
}

#[test]
fn what_was_collected_is_handed_on_when_it_is_much_or_nothing_more_is_there() {
    let mut world = World::new(TAIL);
    world.collector.record();
    world.collector.hand_on();
    world.add(b"x");
    assert_eq!(world.waiting_and_visible(), (0, 0));
    world.collector.record();
    assert_eq!(world.waiting_and_visible(), (0, 1), "at once");
    world.add(b"x");
    world.collector.hand_on();
    assert_eq!(world.waiting_and_visible(), (1, 1), "because more is there");
    world.add(&[b'x'; BATCH_BYTES]);
    assert_eq!(world.waiting_and_visible(), (2, 1), "it is much");
    world.recording.turn().unwrap();
    assert_eq!(world.waiting_and_visible(), (0, 3));
}

#[test]
fn a_large_message_with_memory_of_its_own_keeps_its_place() {
    let mut world = World::new(TAIL);
    let (first, third) = (message(b"first"), message(b"third"));
    world.collector.add(None, Cow::Borrowed(&first));
    world.collector.add(None, Cow::Owned(message(b"second")));
    assert_eq!(
        world.waiting_and_visible(),
        (1, 0),
        "it is not copied to the first"
    );
    world.collector.add(None, Cow::Borrowed(&third));
    world.collector.record();
    world.recording.turn().unwrap();
    let lines = world.lines();
    let expected = ["first", "second", "third"];
    assert_eq!(lines.len(), 3);
    assert!(
        lines
            .iter()
            .zip(expected)
            .all(|(line, word)| line.contains(word))
    );
}

#[test]
fn a_message_gets_the_time_at_which_the_clock_was_read_last() {
    let mut world = World::new(TAIL);
    world.seconds.store(5, Ordering::Relaxed);
    world.add(b"x");
    world.collector.read_clock();
    world.seconds.store(9, Ordering::Relaxed);
    world.add(b"x");
    world.collector.record();
    let lines = world.lines();
    let times = lines.iter().map(|line| {
        let record = Record::parse(line.as_bytes()).unwrap();
        record.recorded_at.unwrap().into_owned()
    });
    let expected = ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:05.000Z"];
    assert!(times.eq(expected));
}

#[test]
fn messages_of_the_control_port_come_in_parts_so_that_publishers_are_not_kept_waiting() {
    let mut world = World::new(TAIL);
    let (publishes, told) = publishes(3, BATCH_BYTES / 4);
    assert!(world.collector.add_pending(&publishes));
    world.add(b"of a publisher");
    assert!(world.collector.add_pending(&publishes));
    assert!(
        !world.collector.add_pending(&publishes),
        "there are no more"
    );
    world.collector.hand_on();
    world.recording.turn().unwrap();
    let recorded = |id, number| (id, Outcome::Recorded(number));
    let expected = [recorded(1, 1), recorded(2, 2), recorded(3, 4)];
    assert!(told.try_iter().eq(expected));
}

#[test]
fn messages_of_the_control_port_wait_while_memory_is_used_up() {
    let mut world = World::new(1);
    let (publishes, told) = publishes(1, 10);
    world.add(b"x");
    world.collector.hand_on();
    assert!(!world.collector.add_pending(&publishes) && !publishes.is_empty());
    world.recording.turn().unwrap();
    assert!(world.collector.add_pending(&publishes) && publishes.is_empty());
    world.collector.record();
    assert_eq!(told.try_recv().unwrap(), (1, Outcome::Recorded(2)));
}

#[test]
fn who_shows_a_key_is_recorded_by_its_name_and_can_not_take_anothers() {
    let mut world = World::new(TAIL);
    let (dir, mut pairs) = key_folder(&["alice", "bob"]);
    let keys = Some(Arc::new(Keys::open(dir.path()).unwrap()));
    let alice = Arc::new(Member {
        name: "alice".into(),
        public: pairs.remove(0).public,
        rights: Rights::ALL,
    });
    let send = |collector: &mut Collector, sender: &str| {
        let payload = format!(r#"{{"sender_id":"{sender}","content":"x"}}"#);
        let message = message(payload.as_bytes());
        collector.add(Some(&alice), Cow::Borrowed(&message));
    };
    send(&mut world.collector, "bob");
    world.collector = world.collector.strict(keys);
    for sender in ["bob", "alice", "carol"] {
        send(&mut world.collector, sender);
    }
    world.collector.record();
    assert_eq!(world.refused(), 1, "bob's name, when that was forbidden");
    let lines = world.lines();
    let records = lines.iter().map(|it| Record::parse(it.as_bytes()).unwrap());
    let names = records.map(|it| (it.sender.into_owned(), it.key_name.unwrap().into_owned()));
    let expected = ["bob", "alice", "carol"].map(|it| (it.to_owned(), "alice".to_owned()));
    assert!(names.eq(expected));
    drop(world.dir);
}

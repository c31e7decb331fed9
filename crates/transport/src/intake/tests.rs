use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::SystemTime;

use zmtp::Role;

use super::*;
use crate::net::{Port, sleeper};
use crate::pending::{AckHandle, Answer, Outcome, PendingPublish};
use crate::recorder::{Queue, Recording};
use crate::tail::Tail;
use crate::testing::recorder::recorder;
use crate::testing::{Bench, TAIL, greeting};

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);

/// Intake and what is behind it, up to the disk.
struct World {
    intake: Intake,
    recording: Arc<Recording>,
    tail: Arc<Tail>,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl World {
    /// Batches that wait for the disk take up to about so much memory.
    fn new(memory: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let port: Box<dyn Port> = Box::new(listener);
        let bench = Bench::new(10);
        let tail = Arc::clone(&bench.tail);
        let sleeper = sleeper().unwrap();
        let (dir, recorder) = recorder(bench, Queue::new(memory, sleeper.waker()));
        let health = Arc::clone(&recorder.health);
        let recording = Arc::new(Recording::new(recorder));
        let of_recording = Arc::clone(&recording);
        let clock = Arc::new(SystemTime::now);
        let collector = Collector::new(of_recording, Arc::default(), 1, 1 << 20, clock);
        let parts = Parts {
            server: Server::new(port.into(), Role::Subscriber, "publisher", 1 << 19, 1 << 20),
            phase: Arc::default(),
            sleeper,
            collector,
            health,
            publishes: Arc::new(PublishQueue::new(10, 1 << 20)),
            stop_timeout: LONG,
        };
        Self {
            intake: Intake::new(parts),
            recording,
            tail,
            address,
            _dir: dir,
        }
    }

    /// Lets somebody in who has sent nothing yet.
    fn publisher(&mut self) -> TcpStream {
        let mut far = self.connect();
        far.write_all(&greeting(b"PUB")).unwrap();
        let before = self.ready();
        self.turn_until(|world| world.ready() > before);
        far
    }

    fn connect(&self) -> TcpStream {
        let far = TcpStream::connect(self.address).unwrap();
        // What was sent is there before what was sent behind it.
        far.set_nodelay(true).unwrap();
        far
    }

    fn ready(&self) -> usize {
        let connections = self.intake.parts.server.connections.iter();
        connections.filter(|it| it.is_ready()).count()
    }

    fn turn(&mut self) -> ControlFlow<Option<Unread>> {
        self.intake.turn().unwrap()
    }

    /// Does turns until something is so.
    fn turn_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            assert_eq!(self.turn(), ControlFlow::Continue(()));
        }
    }

    /// Does turns to the end, and returns what was not taken in.
    fn stop(&mut self) -> Option<Unread> {
        self.intake.parts.phase.stop_intake();
        loop {
            if let ControlFlow::Break(unread) = self.turn() {
                return unread;
            }
        }
    }

    /// Returns the number of the newest message that is visible.
    fn visible(&self) -> u64 {
        self.tail.head().next - 1
    }

    fn counters(&self) -> &Counters {
        &self.intake.parts.collector.counters
    }
}

fn message(size: usize) -> Vec<u8> {
    let mut wire = Vec::new();
    zmtp::push_message(&mut wire, [b"topic".as_slice(), &vec![b'x'; size]]);
    wire
}

#[test]
fn all_that_had_arrived_before_a_stop_is_recorded() {
    let mut world = World::new(TAIL);
    let mut far = world.publisher();
    // More than is read at once, and in the end a message that is not whole.
    let mut wire = message(1000).repeat(350);
    assert!(wire.len() > READ);
    wire.extend(&message(1000)[..500]);
    far.write_all(&wire).unwrap();
    assert_eq!(
        world.stop(),
        None,
        "a part of a message is nothing to take in"
    );
    world.recording.queue.end();
    world.recording.run().unwrap();
    assert_eq!(world.visible(), 350);
}

#[test]
fn nobody_is_let_in_any_more_when_the_broker_stops() {
    let mut world = World::new(1 << 20);
    let _far = world.publisher();
    let mut late = world.connect();
    late.write_all(&[&greeting(b"PUB")[..], &message(1)].concat())
        .unwrap();
    assert_eq!(world.stop(), None);
    assert_eq!((world.ready(), world.visible()), (1, 0));
}

#[test]
fn nothing_is_read_while_memory_is_used_up_and_all_of_it_when_there_is_room() {
    let mut world = World::new(1);
    let mut far = world.publisher();
    world.recording.queue.nudge();
    far.write_all(&message(10)).unwrap();
    world.turn_until(|world| world.recording.queue.waiting() > 0);
    let read = world.intake.parts.server.connections[0].received();
    far.write_all(&message(10)).unwrap();
    // Whoever comes is let in all the same, and shows that the message was there before.
    let _other = world.publisher();
    let publisher = &world.intake.parts.server.connections[0];
    assert_eq!(
        (publisher.received(), world.recording.queue.waiting()),
        (read, 1)
    );
    world.recording.turn().unwrap();
    assert_eq!(world.visible(), 1);
    world.turn_until(|world| world.visible() == 2);
}

#[test]
fn a_stop_does_not_wait_for_a_disk_that_is_full_and_tells_what_is_left() {
    let mut world = World::new(1);
    let mut far = world.publisher();
    world.recording.queue.nudge();
    far.write_all(&message(10)).unwrap();
    world.turn_until(|world| world.recording.queue.waiting() > 0);
    let left = message(10);
    far.write_all(&left).unwrap();
    world.intake.parts.phase.stop_intake();
    // The disk may still take it.
    assert_eq!(world.turn(), ControlFlow::Continue(()));
    world.intake.parts.health.stalled("the disk is full");
    let unread = Some(Unread {
        publishers: 1,
        bytes: left.len() as u64,
    });
    assert_eq!(world.turn(), ControlFlow::Break(unread));
}

#[test]
fn a_stop_takes_no_longer_than_it_may() {
    let mut world = World::new(1);
    let mut far = world.publisher();
    world.recording.queue.nudge();
    far.write_all(&message(10)).unwrap();
    world.turn_until(|world| world.recording.queue.waiting() > 0);
    far.write_all(b"\x01").unwrap();
    world.intake.parts.stop_timeout = Duration::ZERO;
    world.intake.parts.phase.stop_intake();
    let unread = Some(Unread {
        publishers: 1,
        bytes: 1,
    });
    assert_eq!(world.turn(), ControlFlow::Break(unread));
}

#[test]
fn messages_of_the_control_port_are_recorded_without_a_publisher_and_before_the_end() {
    let mut world = World::new(1 << 20);
    let (tell, told) = mpsc::channel();
    let answer: Arc<Answer> = Arc::new(move |id, outcome| tell.send((id, outcome)).unwrap());
    let put = |world: &World, id| {
        let publish = PendingPublish {
            frames: vec![b"t".to_vec(), b"x".to_vec()],
            ack: AckHandle::new(id, &answer),
            key_name: None,
            origin: None,
        };
        world.intake.parts.publishes.put(publish).unwrap();
    };
    put(&world, 7);
    assert_eq!(world.turn(), ControlFlow::Continue(()));
    assert_eq!(told.try_recv().unwrap(), (7, Outcome::Recorded(1)));
    put(&world, 8);
    assert_eq!(world.stop(), None);
    assert_eq!(told.try_recv().unwrap(), (8, Outcome::Recorded(2)));
}

#[test]
fn who_breaks_the_rules_is_disconnected_and_counted_and_the_others_go_on() {
    let mut world = World::new(1 << 20);
    let mut good = world.publisher();
    let mut large = world.publisher();
    large.write_all(&message(1 << 20)[..20]).unwrap();
    world.turn_until(|world| world.counters().refused.load(Ordering::Relaxed) > 0);
    let mut broken = world.publisher();
    broken.write_all(&[0xff; 10]).unwrap();
    world.turn_until(|world| world.counters().disconnected.load(Ordering::Relaxed) > 0);
    assert_eq!(world.ready(), 1);
    good.write_all(&message(10)).unwrap();
    world.turn_until(|world| world.visible() > 0);
    drop(good);
    world.turn_until(|world| world.ready() == 0);
    let counts = [&world.counters().refused, &world.counters().disconnected];
    let counts = counts.map(|it| it.load(Ordering::Relaxed));
    assert_eq!(counts, [1, 1], "to leave is nobody's fault");
}

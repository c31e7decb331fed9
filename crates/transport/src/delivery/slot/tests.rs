use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use zmtp::SocketType;

use super::*;
use crate::delivery::Registry;
use crate::net::{Port, Sleeper, sleeper};
use crate::testing::guarded::Guarded;
use crate::testing::{Bench, greeting};

/// A subscriber of everything that has got all there is, and its far end.
struct Served {
    slot: SubscriberSlot,
    sleeper: Sleeper,
    far: TcpStream,
}

impl Served {
    /// The same with a key: what it is sent goes in boxes.
    fn with_key(bench: &Bench) -> Self {
        let mut guarded = Guarded::new(SocketType::Sub);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, peer) = Port::accept(&listener).unwrap();
        let mut link = Connection::new(near, peer).guarded_by(Some(&guarded.keys));
        let mut session = loop {
            link.greet().unwrap();
            if let Some(session) = guarded.step(&far) {
                break session;
            }
        };
        let mut everything = Vec::new();
        let sealed = session.sealer.push(&mut everything, b"\0\x01\x01");
        sealed.unwrap();
        far.write_all(&everything).unwrap();
        Self::idle(bench, link, far)
    }

    fn new(bench: &Bench) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        far.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let (near, peer) = Port::accept(&listener).unwrap();
        let mut link = Connection::new(near, peer);
        far.write_all(&greeting(b"SUB")).unwrap();
        far.write_all(b"\0\x01\x01").unwrap();
        while !link.greet().unwrap() {}
        let mut served = Self::idle(bench, link, far);
        let mut answer = vec![0; 64 + 27];
        served.far.read_exact(&mut answer).unwrap();
        served
    }

    /// Waits until it has got all there is.
    fn idle(bench: &Bench, link: Connection, far: TcpStream) -> Self {
        let sleeper = sleeper().unwrap();
        let subscriber = Subscriber::new(0);
        let registry = Arc::new(Registry::default());
        let entry = Arc::clone(
            &registry
                .enter("peer".to_owned(), zmtp::Peer::default())
                .entry,
        );
        let slot = SubscriberSlot::new(link, subscriber, entry, sleeper.waker());
        // Its replay is over when it is idle with a topic.
        loop {
            let mut service = slot.lock();
            let turn = service.advance(&bench.tail).unwrap();
            if turn == Turn::Idle && service.entry.topics(1).1 == 1 {
                break;
            }
        }
        Self { slot, sleeper, far }
    }

    /// Reads one message of two short frames.
    fn read(&mut self, length: usize) -> Vec<u8> {
        let mut message = vec![0; length];
        self.far.read_exact(&mut message).unwrap();
        message
    }
}

#[test]
fn an_idle_subscriber_is_served_by_the_caller_and_sleeps_on() {
    let mut bench = Bench::new(0);
    let mut served = Served::new(&bench);
    served.sleeper.about_to_sleep();
    served.slot.lock().idle = true;
    bench.record(&["a"]);
    served.slot.serve(&bench.tail);
    assert_eq!(served.read(6), b"\x01\x01a\0\x011");
    assert!(served.sleeper.is_announced(), "nobody needs to wake");
    assert!(served.slot.lock().idle);
}

#[test]
fn one_that_is_being_served_is_woken() {
    let mut bench = Bench::new(0);
    let served = Served::new(&bench);
    bench.record(&["a"]);
    served.sleeper.about_to_sleep();
    served.slot.serve(&bench.tail);
    assert!(!served.sleeper.is_announced(), "its thread is not idle");
    served.sleeper.about_to_sleep();
    let mut service = served.slot.lock();
    service.idle = true;
    served.slot.serve(&bench.tail);
    assert!(!served.sleeper.is_announced(), "its thread is at work");
}

#[test]
fn what_goes_wrong_elsewhere_is_told_to_the_subscribers_thread() {
    let mut bench = Bench::new(0);
    let Served { slot, sleeper, far } = Served::new(&bench);
    slot.lock().idle = true;
    sleeper.about_to_sleep();
    // What it was sent and has not read makes its end a reset.
    bench.record(&["a"]);
    slot.serve(&bench.tail);
    drop(far);
    let start = Instant::now();
    while slot.lock().idle {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "it is still idle"
        );
        bench.record(&["a"]);
        slot.serve(&bench.tail);
    }
    assert!(
        !sleeper.is_announced(),
        "its thread looks what has happened"
    );
    assert!(slot.lock().advance(&bench.tail).is_err());
}

#[test]
fn nobody_is_taken_for_idle_whose_boxes_have_not_left() {
    let mut bench = Bench::new(0);
    let served = Served::with_key(&bench);
    served.slot.lock().idle = true;
    let group = vec!["a"; 1000];
    loop {
        served.sleeper.about_to_sleep();
        bench.record(&group);
        served.slot.serve(&bench.tail);
        let service = served.slot.lock();
        assert!(
            !(service.idle && service.link.has_unsent()),
            "they would wait for the next message"
        );
        if !service.idle {
            break;
        }
    }
    assert!(!served.sleeper.is_announced(), "its thread is woken");
}

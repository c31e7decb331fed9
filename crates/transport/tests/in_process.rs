//! The whole pipeline within one process, with the clock in the test's hand.

#![allow(clippy::unwrap_used)]
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

use transport::{Broker, Config, Failure, LastSession};

const DEADLINE: Duration = Duration::from_secs(30);

/// A broker on free ports whose clock stands still until it is set.
struct Running {
    dir: tempfile::TempDir,
    clock: Arc<AtomicU64>,
    broker: Broker,
    failures: mpsc::Receiver<Failure>,
    publisher: zmq::Socket,
}

fn start(change: impl FnOnce(&mut Config)) -> Running {
    let dir = tempfile::tempdir().unwrap();
    // 2025-11-20T12:00:00Z
    let clock = Arc::new(AtomicU64::new(1_763_640_000));
    let now = Arc::clone(&clock);
    let mut config = Config {
        pub_port: 0,
        sub_port: 0,
        control_port: 0,
        zone: jiff::tz::TimeZone::UTC,
        clock: Arc::new(move || {
            SystemTime::UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst))
        }),
        ..Config::new(dir.path())
    };
    change(&mut config);
    let (sender, failures) = mpsc::channel();
    let broker = Broker::start(&config, move |failure| sender.send(failure).unwrap()).unwrap();
    let publisher = publisher(&broker);
    Running {
        dir,
        clock,
        broker,
        failures,
        publisher,
    }
}

/// Connects a publisher, and waits until nothing that it sends is dropped: an
/// XPUB socket hears of the broker's subscription.
fn publisher(broker: &Broker) -> zmq::Socket {
    let socket = zmq::Context::new().socket(zmq::XPUB).unwrap();
    socket.set_rcvtimeo(30_000).unwrap();
    socket.set_linger(30_000).unwrap();
    socket
        .connect(&format!("tcp://127.0.0.1:{}", broker.pub_port()))
        .unwrap();
    assert_eq!(socket.recv_bytes(0).unwrap(), [1]);
    socket
}

fn subscriber(broker: &Broker) -> zmq::Socket {
    let socket = zmq::Context::new().socket(zmq::SUB).unwrap();
    socket.set_rcvtimeo(30_000).unwrap();
    socket.set_subscribe(b"").unwrap();
    socket
        .connect(&format!("tcp://127.0.0.1:{}", broker.sub_port()))
        .unwrap();
    socket
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn archives(dir: &Path) -> Vec<String> {
    journal::list_archives(dir)
        .unwrap()
        .into_iter()
        .map(|archive| archive.name)
        .collect()
}

impl Running {
    fn publish(&self, count: u64) {
        let before = self.broker.recorded();
        for _ in 0..count {
            self.publisher.send_multipart(["topic", "{}"], 0).unwrap();
        }
        wait_for("the record", || self.broker.recorded() == before + count);
    }

    fn set_clock(&self, time: &str) {
        let time: jiff::Timestamp = time.parse().unwrap();
        self.clock
            .store(time.as_second().try_into().unwrap(), Ordering::SeqCst);
    }
}

#[test]
fn the_session_is_archived_once_at_the_rotation_time() {
    let running = start(|config| config.rotate_at = Some((4, 30)));
    let dir = running.dir.path();
    running.publish(2);
    running.set_clock("2025-11-21T04:29:59Z");
    running.publish(1);
    assert!(archives(dir).is_empty());
    running.set_clock("2025-11-21T04:30:00Z");
    wait_for("the archive", || archives(dir).len() == 1);
    assert_eq!(archives(dir), ["session_20251121_043000.jsonl"]);
    running.publish(1);
    running.set_clock("2025-11-21T05:00:00Z");
    // Two more groups: the recorder has looked at the clock since.
    running.publish(1);
    running.publish(1);
    assert_eq!(archives(dir).len(), 1);
    let lines = journal::Reader::open(running.broker.session_path()).unwrap();
    let numbers: Vec<u64> = lines.map(|line| line.unwrap().number).collect();
    assert_eq!(numbers, [4, 5, 6]);
    assert!(running.failures.try_recv().is_err());
}

#[test]
fn a_clock_that_goes_back_overwrites_no_archive() {
    let running = start(|config| config.rotate_at = None);
    let dir = running.dir.path();
    for time in [
        "2025-11-20T12:00:00Z",
        "2025-11-20T11:00:00Z",
        "2025-11-20T12:00:00Z",
    ] {
        running.set_clock(time);
        running.publish(1);
        assert!(running.broker.archive(None).unwrap().is_some());
    }
    // In the order of their messages, whatever their names say.
    let expected = ["20251120_120000", "20251120_110000", "20251120_120000_2"];
    assert_eq!(
        archives(dir),
        expected.map(|stamp| format!("session_{stamp}.jsonl"))
    );
}

#[test]
fn a_size_limit_archives_and_the_numbers_go_on() {
    let running = start(|config| config.max_session = Some(2_000));
    running.publish(30);
    let archived = journal::list_archives(running.dir.path()).unwrap();
    assert!(!archived.is_empty());
    assert_eq!(archived[0].first, 1);
    let stopped = running.broker.stop();
    assert_eq!(stopped.recorded, 30);
    let all: u64 = journal::list_archives(running.dir.path())
        .unwrap()
        .iter()
        .map(|archive| journal::Reader::open(&archive.path).unwrap().count() as u64)
        .sum();
    assert_eq!(all, 30);
}

#[test]
fn stopping_delivers_what_is_recorded_and_does_not_wait_for_who_does_not_read() {
    let running = start(|_| {});
    let reading = subscriber(&running.broker);
    let idle = subscriber(&running.broker);
    running.publish(500);
    let start = Instant::now();
    let stopped = running.broker.stop();
    let LastSession::Archived(archived) = stopped.session else {
        panic!("{stopped:?}")
    };
    assert_eq!(archived.records, 500);
    for _ in 0..500 {
        assert_eq!(
            reading.recv_multipart(0).unwrap(),
            [b"topic".to_vec(), b"{}".to_vec()]
        );
    }
    assert!(start.elapsed() < DEADLINE);
    drop(idle);
}

//! The disk is slow, fails, is full, or is gone: nobody gets what is not safe.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::util::broker::{Broker, Ports};
use crate::util::client::{Client, Publisher, Subscriber, encode};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agents, ids};
use crate::util::process::Process;
use crate::util::record::Record;
use crate::util::shim::{Disk, EIO, Rule};
use crate::util::wait::until;

/// A broker with a disk that can fail, a publisher and a subscriber to `t` and `load`.
struct Setup {
    dir: Dir,
    disk: Disk,
    broker: Broker,
    publisher: Publisher,
    subscriber: Subscriber,
}

impl Setup {
    /// Everything works, and one message has come through.
    #[track_caller]
    fn new() -> Self {
        let dir = Dir::new();
        let disk = Disk::of(&dir);
        let broker = disk.start(&dir, &[]);
        let mut publisher = Publisher::connect(broker.ports.publish);
        let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t", "load"]);
        publisher.send(&agents("t", 1, 1));
        assert_eq!(subscriber.ids_until("t-1"), ["t-1"]);
        Self {
            dir,
            disk,
            broker,
            publisher,
            subscriber,
        }
    }

    /// Asserts that the journal has exactly these, once and in order.
    #[track_caller]
    fn assert_recorded(&self, expected: &[String]) {
        let records = self.dir.all_records();
        assert_numbered_from(1, &records);
        let recorded: Vec<String> = records.iter().map(Record::id).collect();
        assert!(
            recorded == expected,
            "{} records instead of {}",
            recorded.len(),
            expected.len()
        );
    }

    /// Asserts that the broker ends with code 1, and that nothing came of `t-2` and on.
    #[track_caller]
    fn assert_ends_without_delivery(mut self, reason: &str) {
        self.broker.wait_exit().with_code(1).warns(reason);
        self.subscriber.wait_disconnected();
        assert!(
            self.subscriber.drain().is_empty(),
            "delivered and not recorded"
        );
        // Whether the disk has the last group, nobody knows; the first is there.
        let broker = Broker::start(&self.dir);
        let mut publisher = Publisher::connect(broker.ports.publish);
        let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["end"]);
        publisher.send(&agents("end", 1, 1));
        subscriber.recv(1);
        let records = self.dir.all_records();
        assert_numbered_from(1, &records);
        assert_eq!(records[0].id(), "t-1");
    }
}

#[test]
fn delivery_waits_for_a_slow_fsync() {
    const SLOW: u64 = 1000;
    let mut setup = Setup::new();
    setup.disk.set(&[Rule::delay("fdatasync", SLOW)]);
    let start = Instant::now();
    setup.publisher.send(&agents("t", 2, 1));
    assert_eq!(setup.subscriber.recv(1), agents("t", 2, 1));
    let took = start.elapsed();
    assert!(
        took >= Duration::from_millis(SLOW),
        "delivered after {took:?}, before the fsync returned"
    );
}

/// Fails a call once, and makes each fsync behind it slow.
fn goes_on_in_a_fresh_file(call: &'static str) {
    const SLOW: u64 = 500;
    let mut setup = Setup::new();
    let slow_from = if call == "fdatasync" { 2 } else { 1 };
    setup.disk.set(&[
        Rule::fail(call, EIO).once(),
        Rule::delay("fdatasync", SLOW).from(slow_from),
    ]);
    let start = Instant::now();
    setup.publisher.send(&agents("t", 2, 3));
    let received = setup.subscriber.recv(3);
    let took = start.elapsed();
    assert_eq!(received, agents("t", 2, 3), "each once and in order");
    assert!(
        took >= Duration::from_millis(SLOW),
        "delivered after {took:?}, before it was safe"
    );
    setup
        .broker
        .wait_for_warning("recording goes on in a fresh file");
    setup.broker.wait_for_warning("Input/output error");
    setup.disk.heal();
    setup.publisher.send(&agents("t", 5, 2));
    assert_eq!(setup.subscriber.recv(2), agents("t", 5, 2));
    assert_eq!(
        setup.dir.archives().len(),
        1,
        "the file that failed is kept"
    );
    setup.assert_recorded(&ids("t", 1, 6));
    setup.broker.signal("TERM");
    setup.broker.wait_exit().with_code(0);
    setup.assert_recorded(&ids("t", 1, 6));
}

#[test]
fn after_a_failed_fsync_the_group_is_safe_in_a_fresh_file_before_anybody_gets_it() {
    goes_on_in_a_fresh_file("fdatasync");
}

#[test]
fn after_a_failed_write_the_group_is_safe_in_a_fresh_file_before_anybody_gets_it() {
    goes_on_in_a_fresh_file("write");
}

/// One fsync fails; the group goes to a fresh file, whose fsync takes this long
/// and then comes to something.
const LATE: u64 = 4000;
/// Its number: before it come the one that fails, that of the old file, which
/// is cut back, and that of the fresh one, which is empty.
const FRESH: u64 = 4;

/// Records `t-2` to `t-4` into a fresh file and lets a subscriber connect when the first
/// of their bytes are there and not safe: on a busy machine they may be several groups.
fn connect_while_a_fresh_file_is_synced(then: &[Rule]) -> (Setup, Instant) {
    let mut setup = Setup::new();
    let mut rules = vec![
        Rule::fail("fdatasync", EIO).once(),
        Rule::delay("fdatasync", LATE).from(FRESH),
    ];
    rules.extend_from_slice(then);
    setup.disk.set(&rules);
    let start = Instant::now();
    setup.publisher.send(&agents("t", 2, 3));
    let path = setup.dir.current();
    until("the group in the fresh file", || {
        let text = fs::read_to_string(&path).unwrap_or_default();
        (text.contains("t-2") && !text.contains("t-1")).then_some(())
    });
    setup.subscriber.reconnect();
    (setup, start)
}

#[test]
fn who_connects_while_a_fresh_file_is_synced_gets_its_messages_afterwards_and_once() {
    let (mut setup, start) = connect_while_a_fresh_file_is_synced(&[]);
    let received = setup.subscriber.ids_until("t-4");
    let took = start.elapsed();
    // The one before it is what the session holds until then; a client that took
    // longer to connect gets the fresh session alone.
    let whole = ids("t", 1, 4);
    assert!(received == whole || received == whole[1..], "{received:?}");
    assert!(
        took >= Duration::from_millis(LATE),
        "delivered after {took:?}, before it was safe"
    );
    setup.disk.heal();
    setup.publisher.send(&agents("t", 5, 1));
    assert_eq!(setup.subscriber.recv(1), agents("t", 5, 1));
    setup.assert_recorded(&ids("t", 1, 5));
}

#[test]
fn who_connects_while_the_fresh_files_fsync_fails_too_sees_nothing_of_it() {
    let fails = Rule::fail("fdatasync", EIO).from(FRESH);
    let (mut setup, _) = connect_while_a_fresh_file_is_synced(&[fails]);
    assert_eq!(setup.subscriber.recv(1), agents("t", 1, 1));
    setup
        .broker
        .wait_exit()
        .with_code(1)
        .warns("Input/output error");
    setup.subscriber.wait_disconnected();
    assert!(setup.subscriber.drain().is_empty(), "seen and not safe");
}

/// Fails a call from now on.
fn ends_with_code_1(call: &'static str) {
    let mut setup = Setup::new();
    setup.disk.set(&[Rule::fail(call, EIO)]);
    setup.publisher.send(&agents("t", 2, 3));
    setup.assert_ends_without_delivery("Input/output error");
}

#[test]
fn where_every_fsync_fails_the_broker_ends_and_delivers_nothing() {
    ends_with_code_1("fdatasync");
}

#[test]
fn where_every_write_fails_the_broker_ends_and_delivers_nothing() {
    ends_with_code_1("write");
}

/// Fills the disk in the middle of `count` messages of `size` bytes, and makes room later.
fn holds_while_full(count: usize, size: usize, room: u64) {
    let mut setup = Setup::new();
    setup.disk.set(&[Rule::room(room)]);
    setup.publisher.begin_burst("load", 1, count, size);
    setup.broker.wait_for_warning("DISK FULL");
    let held = setup.dir.records().len() - 1;
    assert!(held < count, "{held} messages found room");
    setup.disk.heal();
    let last = format!("load-{count}");
    assert!(
        setup.subscriber.ids_until(&last) == ids("load", 1, count),
        "each once and in order"
    );
    setup.broker.wait_for_warning("there is room again");
    let mut expected = ids("t", 1, 1);
    expected.extend(ids("load", 1, count));
    setup.assert_recorded(&expected);
    assert!(setup.dir.archives().is_empty(), "the file is continued");
}

#[test]
fn a_full_disk_holds_small_messages_until_there_is_room() {
    holds_while_full(2000, 300, 100_000);
}

#[test]
fn a_full_disk_holds_large_messages_until_there_is_room() {
    holds_while_full(30, 1 << 20, 10_500_000);
}

#[test]
fn a_disk_without_any_room_holds_everything() {
    holds_while_full(100, 300, 0);
}

#[test]
fn a_disk_that_fills_up_inside_one_message_holds_it() {
    holds_while_full(1, 8 << 20, 5 << 20);
}

#[test]
fn a_broker_stopped_on_a_full_disk_says_how_many_messages_were_not_recorded() {
    const COUNT: usize = 50;
    let mut setup = Setup::new();
    setup.disk.set(&[Rule::room(2000)]);
    setup.publisher.send(&agents("t", 2, COUNT));
    setup.publisher.leave();
    setup.broker.wait_for_warning("DISK FULL");
    setup.broker.signal("TERM");
    let ended = setup.broker.wait_exit().with_code(1);
    let recorded = setup.dir.all_records().len();
    let lost = COUNT + 1 - recorded;
    ended
        .says(&format!("[*] Recorded {recorded} messages in this run\n"))
        .warns(&format!("{lost} messages could not be recorded"));
    assert_numbered_from(1, &setup.dir.all_records());
}

#[test]
fn a_directory_that_is_removed_is_made_again_and_said() {
    let mut setup = Setup::new();
    fs::remove_dir_all(setup.dir.logs()).unwrap();
    setup.publisher.send(&agents("t", 2, 3));
    assert_eq!(setup.subscriber.recv(3), agents("t", 2, 3));
    setup
        .broker
        .wait_for_warning("recording goes on in a fresh file");
    let records = setup.dir.records();
    assert_eq!(records.len(), 3);
    assert_numbered_from(2, &records);
    // The lock is back too.
    let ended = crate::util::process::run(&mut setup.disk.broker_on(&setup.dir, Ports::default()));
    ended
        .with_code(1)
        .warns(&setup.broker.child.id().to_string());
}

#[test]
fn a_file_in_the_way_of_the_directory_ends_the_broker_and_nothing_is_delivered() {
    let mut setup = Setup::new();
    let logs = setup.dir.logs();
    let aside = setup.dir.path().join("aside");
    fs::rename(&logs, &aside).unwrap();
    fs::write(&logs, "in the way").unwrap();
    setup.publisher.send(&agents("t", 2, 3));
    setup
        .broker
        .wait_exit()
        .with_code(1)
        .warns("conversation_logs");
    setup.subscriber.wait_disconnected();
    assert!(
        setup.subscriber.drain().is_empty(),
        "delivered, not recorded"
    );
    assert_eq!(fs::read(&logs).unwrap(), b"in the way");
    fs::remove_file(&logs).unwrap();
    fs::rename(aside, logs).unwrap();
    // What was written before the broker looked again may stand in the old file.
    let recorded = setup.dir.all_records();
    assert_numbered_from(1, &recorded);
    let recorded: Vec<String> = recorded.iter().map(Record::id).collect();
    assert!(ids("t", 1, 4).starts_with(&recorded), "{recorded:?}");
    assert!(recorded.starts_with(&ids("t", 1, 1)), "{recorded:?}");
}

/// A start that cannot be: each call fails in turn, and the broker says so or does without.
#[test]
fn a_start_with_a_failing_call_ends_with_a_sentence_or_is_complete() {
    for call in ["open", "mkdir", "fsync", "fdatasync", "write"] {
        for number in 1..100 {
            let dir = Dir::new();
            let disk = Disk::of(&dir);
            disk.set(&[Rule::fail(call, EIO).from(number).once()]);
            let mut process = Process::start(&mut disk.broker_on(&dir, Ports::default()));
            let ready = process.wait_for_or_end("[*] Loaded 0 messages");
            if ready {
                println!("{call}: {} starts failed", number - 1);
                break;
            }
            process
                .wait_exit()
                .with_code(1)
                .warns("conversation_logs")
                .never_says("[*]");
        }
    }
}

/// A disk that is slower than clients are patient with the broker itself.
#[test]
fn heartbeats_do_not_wait_for_the_disk() {
    const FSYNC: u64 = 4_000;
    const PATIENCE: u64 = 1_500;
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let broker = disk.start(&dir, &[]);
    let ports = broker.ports;
    let mut clients = ["pub", "sub", "request"].map(|kind| {
        let mut client = Client::start();
        let port = match kind {
            "pub" => ports.publish,
            "sub" => ports.subscribe,
            _ => ports.control,
        };
        client.call(&json!({
            "do": kind, "socket": "it", "port": port, "patience": PATIENCE,
            "plain": true, "topics": ["t"], "kind": "DEALER",
        }));
        client
    });
    // A few heartbeats pass.
    thread::sleep(Duration::from_millis(500));
    disk.set(&[Rule::delay("fdatasync", FSYNC)]);
    let [publisher, subscriber, requester] = &mut clients;
    let [first, second] = [agents("t", 1, 1).remove(0), agents("t", 2, 1).remove(0)];
    let send = |messages| json!({"do": "send", "socket": "it", "messages": messages});
    publisher.call(&send(vec![encode(&first)]));
    let header = json!({"op": "publish", "id": 1}).to_string().into_bytes();
    let request = [vec![header], second].concat();
    requester.call(&send(vec![encode(&request)]));
    for (client, count) in [(subscriber, 2), (requester, 1)] {
        client.call(&json!({"do": "recv", "socket": "it", "count": count}));
    }
    for mut client in clients {
        client.call(&json!({"do": "stays_connected", "socket": "it"}));
    }
}

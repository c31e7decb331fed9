//! Messages that are sent without waiting for replies are recorded in the order in which
//! they were sent, whatever is lost or refused between them.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use client::Client;
use serde_json::json;

use crate::util::broker::{Broker, Ports};
use crate::util::control::Requester;
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{Frames, agent, ids};
use crate::util::process::Process;
use crate::util::programs::workspace;
use crate::util::python::python;
use crate::util::record::Record;
use crate::util::wait::{DEADLINE, until};

/// How many are sent in one call.
const COUNT: usize = 4_000;
/// Of messages of this size, fewer are on their way than a client would send: some are
/// lost with a connection, and others wait at the socket, which goes on with them.
const SIZE: usize = 16 << 10;

/// Kills the broker four times while something is published, and starts it again.
fn kill_while(dir: &Dir, ports: Ports, mut broker: Broker, is_done: &mut dyn FnMut() -> bool) {
    for _ in 0..4 {
        let before = dir.current_bytes().len();
        until("progress", || {
            let over = is_done();
            (over || dir.current_bytes().len() > before + 100 * SIZE).then_some(())
        });
        broker.kill9();
        broker = Broker::start_on(dir, ports, &[]);
    }
    until("the end", || is_done().then_some(()));
    broker.kill9();
}

/// Each once, in the order in which they were given.
#[track_caller]
fn assert_in_order(dir: &Dir) {
    let (records, _) = dir.survivors();
    assert_numbered_from(1, &records);
    let recorded: Vec<String> = records.iter().map(Record::id).collect();
    let expected = ids("t", 1, COUNT);
    let wrong = recorded.iter().zip(&expected).find(|(a, b)| a != b);
    assert_eq!(wrong, None, "out of order");
    assert_eq!(recorded.len(), COUNT);
}

#[test]
fn the_rust_client_keeps_the_order_while_the_broker_is_killed() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let broker = Broker::start_on(&dir, ports, &[]);
    let large = |number| {
        let content = "x".repeat(SIZE);
        let payload =
            json!({"sender_id": "a", "message_id": format!("t-{number}"), "content": content});
        vec![b"t".to_vec(), payload.to_string().into_bytes()]
    };
    let messages: Vec<Frames> = (1..=COUNT).map(large).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let endpoint = format!("tcp://127.0.0.1:{}", ports.control);
            let mut client = Client::connect(&endpoint, DEADLINE).unwrap();
            let published = client.publish_all(&messages);
            done.store(true, Ordering::SeqCst);
            published.unwrap()
        });
        kill_while(&dir, ports, broker, &mut || done.load(Ordering::SeqCst));
        let numbers = publisher.join().unwrap();
        assert!(numbers.iter().map(|it| it.message_num).eq(1..=COUNT as u64));
    });
    assert_in_order(&dir);
}

/// Publishes messages as fast as it goes, and says under which numbers.
const PUBLISH: &str = "
import sys
from recorder_client import Recorder
count = int(sys.argv[2])
with Recorder(sys.argv[1], timeout=60) as recorder:
    numbers = recorder.publish_many(
        ('t', {'sender_id': 'a', 'message_id': 't-%d' % n, 'content': 'x' * int(sys.argv[3])})
        for n in range(1, count + 1))
    assert numbers == list(range(1, count + 1)), 'other numbers'
";

#[test]
fn the_python_client_keeps_the_order_while_the_broker_is_killed() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let broker = Broker::start_on(&dir, ports, &[]);
    let mut command = Command::new(python());
    command
        .args(["-c", PUBLISH])
        .arg(format!("tcp://127.0.0.1:{}", ports.control))
        .args([COUNT, SIZE].map(|number| number.to_string()))
        .current_dir(workspace().join("examples/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let mut publisher = Process::start(&mut command);
    kill_while(&dir, ports, broker, &mut || {
        publisher.child.try_wait().unwrap().is_some()
    });
    publisher.wait_exit().with_code(0);
    assert_in_order(&dir);
}

/// Begins a sequence of messages.
#[track_caller]
fn begin(client: &mut Requester) -> u64 {
    let greeting = client.call(json!({"op": "hello", "protocol": 1}));
    greeting["sequence"].as_u64().unwrap()
}

/// Sends a message of a sequence; returns the reply.
#[track_caller]
fn publish(client: &mut Requester, sequence: u64, id: &str) -> serde_json::Value {
    let header = json!({"op": "publish", "sequence": sequence});
    client.send(header, &agent("t", "a", id));
    client.reply()
}

#[track_caller]
fn assert_interrupted(reply: &serde_json::Value) {
    assert_eq!(
        (&reply["code"], &reply["recorded"]),
        (&json!("interrupted"), &json!(false)),
        "{reply}"
    );
}

#[test]
fn a_sequence_ends_with_the_connection_that_it_was_begun_on() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &[]);
    let mut client = Requester::dealer(ports.control);
    let first = begin(&mut client);
    assert_eq!(publish(&mut client, first, "1")["message_num"], 1);
    let mut other = Requester::dealer(ports.control);
    assert_interrupted(&publish(&mut other, first, "2"));
    let second = begin(&mut client);
    assert_interrupted(&publish(&mut client, first, "2"));
    assert_eq!(publish(&mut client, second, "2")["message_num"], 2);
    broker.kill9();
    let _broker = Broker::start_on(&dir, ports, &[]);
    // The socket connects again by itself, and nobody has said hello.
    assert_interrupted(&publish(&mut client, second, "3"));
    let third = begin(&mut client);
    assert!(third != first && third != second);
    assert_eq!(publish(&mut client, third, "3")["message_num"], 3);
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_overtakes_a_message_that_was_refused_for_the_moment() {
    use crate::util::shim::{Disk, Rule};
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let broker = disk.start(&dir, &[]);
    let mut client = Requester::dealer(broker.ports.control);
    let sequence = begin(&mut client);
    assert_eq!(publish(&mut client, sequence, "1")["message_num"], 1);
    disk.set(&[Rule::room(0)]);
    let mut held = Requester::dealer(broker.ports.control);
    held.send(json!({"op": "publish"}), &agent("t", "a", "2"));
    broker.wait_for_warning("DISK FULL");
    assert_eq!(publish(&mut client, sequence, "3")["code"], "disk_full");
    disk.heal();
    assert_eq!(held.reply()["message_num"], 2);
    assert_interrupted(&publish(&mut client, sequence, "4"));
    let sequence = begin(&mut client);
    for number in 3..=4 {
        let reply = publish(&mut client, sequence, &number.to_string());
        assert_eq!(reply["message_num"], number);
    }
}

//! The Python client and its programs against the real broker, which is killed
//! again and again.

use std::process::Command;

use crate::util::broker::{Broker, Ports, free_port};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::process::{Process, run};
use crate::util::programs::workspace;
use crate::util::python::python;
use crate::util::record::Record;
use crate::util::wait::until;

fn program(name: &str, port: u16) -> Command {
    let mut command = Command::new(python());
    command
        .arg(workspace().join("examples/python").join(name))
        .args(["--endpoint", &format!("tcp://127.0.0.1:{port}")])
        .env("PYTHONUTF8", "1");
    command
}

/// The numbers at the beginnings of the lines.
fn numbers(stdout: &str) -> Vec<u64> {
    let first = |line: &str| {
        line.split(' ')
            .next()
            .and_then(|number| number.parse().ok())
    };
    stdout.lines().filter_map(first).collect()
}

#[test]
fn every_message_is_recorded_and_shown_once_while_the_broker_is_killed() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &[]);
    let mut publishing = program("acked_publish.py", ports.control);
    publishing.args(["--count", "1500", "--wait", "60", "hello"]);
    let mut publisher = Process::start(&mut publishing);
    let mut consuming = program("durable_consumer.py", ports.control);
    consuming.args(["--name", "reader", "--wait", "60"]);
    let mut consumer = Process::start(&mut consuming);
    for _ in 0..3 {
        let before = dir.current_bytes().len();
        until("progress", || {
            let over = publisher.child.try_wait().unwrap().is_some();
            (over || dir.current_bytes().len() > before + 20_000).then_some(())
        });
        broker.kill9();
        broker = Broker::start_on(&dir, ports, &[]);
    }
    publisher
        .wait_exit()
        .with_code(0)
        .says("1500 messages on disk");
    // The consumer is killed, too, and another one goes on.
    consumer.wait_stdout("some messages", |text| {
        (numbers(text).len() > 100).then_some(())
    });
    consumer.kill9();
    let first = numbers(&consumer.wait_exit().stdout);
    consuming.arg("--end");
    let rest = numbers(&run(&mut consuming).with_code(0).stdout);
    broker.kill9();
    let (records, _) = dir.survivors();
    assert_numbered_from(1, &records);
    let mut ids: Vec<String> = records.iter().map(Record::id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((records.len(), ids.len()), (1_500, 1_500));
    // What was shown and not acknowledged when it was killed is shown again: one message at most.
    let seam = usize::from(first.last() == rest.first());
    let all: Vec<u64> = first.iter().chain(&rest[seam..]).copied().collect();
    assert_eq!(all, (1..=1_500).collect::<Vec<u64>>());
}

#[test]
fn a_program_that_is_started_again_under_the_same_name_records_nothing_twice() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    for _ in 0..2 {
        let mut command = program("acked_publish.py", broker.ports.control);
        run(command.args(["--run", "r", "one", "two"]))
            .with_code(0)
            .without_warning()
            .says("numbers 1 to 2");
    }
    assert_eq!(dir.records().len(), 2);
}

#[test]
fn status_and_a_filtered_rehearsal_work() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let port = broker.ports.control;
    for topic in ["a", "b"] {
        run(program("acked_publish.py", port).args(["--topic", topic, "x"])).with_code(0);
    }
    run(&mut program("broker_status.py", port))
        .with_code(0)
        .says("last message is 2");
    let mut consumer = program("durable_consumer.py", port);
    consumer.args([
        "--name", "r", "--from", "start", "--topic", "b", "--pace", "1000", "--end",
    ]);
    let ended = run(&mut consumer).with_code(0).without_warning();
    assert_eq!(numbers(&ended.stdout), [2]);
}

#[test]
fn each_program_says_that_no_broker_answers() {
    let port = free_port();
    for (name, options) in [
        ("acked_publish.py", &["x"][..]),
        ("durable_consumer.py", &["--name", "x"]),
        ("broker_status.py", &[]),
    ] {
        let mut command = program(name, port);
        run(command.args(["--wait", "0.3"]).args(options))
            .with_code(1)
            .warns(&port.to_string());
    }
}

/// A publisher that waits for one message to be stored, for two seconds at most.
const IMPATIENT: &str = "
import sys
from recorder_client import Recorder
recorder = Recorder(sys.argv[1], timeout=2.0)
print('sending', flush=True)
print('number', recorder.publish('t', {'sender_id': 'a', 'message_id': 'm', 'content': 1}))
";

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_was_paused_does_not_take_that_for_the_brokers_silence() {
    use crate::util::shim::{Disk, Rule};
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let broker = disk.start(&dir, &[]);
    disk.set(&[Rule::delay("fdatasync", 1_500)]);
    let mut command = Command::new(python());
    command
        .args(["-c", IMPATIENT])
        .arg(format!("tcp://127.0.0.1:{}", broker.ports.control))
        .current_dir(workspace().join("examples/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let mut client = Process::start(&mut command);
    client.wait_for("sending");
    until("the message is on its way", || {
        (dir.line_count() > 0).then_some(())
    });
    client.signal("STOP");
    // The pause is what is tested; it is longer than the client's time limit.
    std::thread::sleep(std::time::Duration::from_secs(4));
    client.signal("CONT");
    client.wait_exit().with_code(0).says("number 1");
}

#[test]
fn what_is_there_is_taken_without_waiting() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let script = "
import sys, time
from recorder_client import Recorder
recorder = Recorder(sys.argv[1])
recorder.publish('t', {'sender_id': 'a', 'content': 1})
consumer = recorder.consume(from_='start')
give_up = time.monotonic() + 60
while (message := consumer.next(0)) is None and time.monotonic() < give_up:
    pass
print('number', message.number)
";
    let mut command = Command::new(python());
    command
        .args(["-c", script])
        .arg(format!("tcp://127.0.0.1:{}", broker.ports.control))
        .current_dir(workspace().join("examples/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut command).with_code(0).says("number 1");
}

//! The Python examples, run as the README says.

use std::process::Command;

use crate::util::broker::{Broker, Ports};
use crate::util::dir::Dir;
use crate::util::process::{Ended, Process, run};
use crate::util::programs::workspace;
use crate::util::python::python;

fn example(name: &str) -> Command {
    let mut command = Command::new(python());
    command
        .arg(workspace().join("examples/python").join(name))
        .env("PYTHONUTF8", "1");
    command
}

#[track_caller]
fn publish(ports: Ports, options: &[&str]) -> Ended {
    let port = ports.publish.to_string();
    run(example("publish.py").args(["--port", &port]).args(options)).with_code(0)
}

fn monitor(ports: Ports, options: &[&str]) -> Process {
    let port = ports.subscribe.to_string();
    Process::start(example("monitor.py").args(["--port", &port]).args(options))
}

#[test]
fn the_monitor_shows_what_the_publisher_sends() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut monitor = monitor(broker.ports, &[]);
    let options = [
        "--topic",
        "greeting",
        "--sender",
        "gemini_cli",
        "Hello",
        "Grüße",
    ];
    publish(broker.ports, &options)
        .without_warning()
        .says("2 messages");
    monitor.wait_for("Grüße");
    let text = monitor.stdout.text();
    assert_eq!(text.matches("[greeting] gemini_cli").count(), 2, "{text}");
    assert!(text.contains("Hello"), "{text}");
}

#[test]
fn the_publisher_loses_nothing_of_a_burst() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports, &["--count", "5000", "hi"]).says("5000 messages");
    dir.wait_lines(5000);
    assert_eq!(dir.records().len(), 5000);
}

#[test]
fn the_monitor_keeps_to_its_topics() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut monitor = monitor(broker.ports, &["--topic", "status"]);
    publish(broker.ports, &["--topic", "general", "not this"]);
    publish(broker.ports, &["--topic", "status.build", "this one"]);
    monitor.wait_for("this one");
    assert!(!monitor.stdout.text().contains("not this"));
}

#[test]
fn the_monitor_goes_on_after_a_restart_of_the_broker() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &[]);
    let mut monitor = monitor(ports, &[]);
    publish(ports, &["before"]);
    monitor.wait_for("before");
    broker.kill9();
    monitor.wait_for("waiting for the broker");
    let _broker = Broker::start_on(&dir, ports, &[]);
    publish(ports, &["behind"]);
    monitor.wait_for("behind");
}

#[test]
fn the_monitor_survives_messages_of_every_shape() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = crate::util::client::Publisher::connect(broker.ports.publish);
    let messages: [&[&[u8]]; 5] = [
        &[b"alone"],
        &[b"t", b"\xff\xfe"],
        &[b"t", b"[1, \"\x1b[2J\"]"],
        &[
            b"\x1b[2J",
            "{\"sender_id\": \"\u{202e}\", \"content\": \"\u{1b}\"}".as_bytes(),
            b"3",
        ],
        &[b"t", b"the end"],
    ];
    publisher.send(&messages.map(|frames| frames.iter().map(|frame| frame.to_vec()).collect()));
    let mut monitor = monitor(broker.ports, &[]);
    monitor.wait_for("the end");
    let text = monitor.stdout.text();
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
}

#[test]
fn the_publisher_says_that_no_broker_answers() {
    let ports = Ports::fixed();
    let port = ports.publish.to_string();
    run(example("publish.py").args(["--port", &port, "--wait", "0.2", "hi"]))
        .with_code(1)
        .warns(&port);
}

#[cfg(unix)]
#[test]
fn the_monitor_ends_quietly_on_ctrl_c() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut monitor = monitor(broker.ports, &[]);
    monitor.wait_for("connected");
    monitor.signal("INT");
    // People press it twice: the second one must not hit a half-ended interpreter.
    monitor.signal("INT");
    monitor.wait_exit().with_code(0).without_warning();
}

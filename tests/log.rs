//! Where the broker's log goes, and how its lines look.

use std::fs;

use serde_json::Value;

use crate::util::broker::{Broker, Ports, broker, broker_on};
use crate::util::client::Publisher;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::process::run;

/// A journal with a damaged line, of which the broker tells at its start.
fn damaged() -> Dir {
    let dir = Dir::new();
    fs::create_dir_all(dir.logs()).unwrap();
    fs::write(dir.current(), "{\"torn\nnothing\n").unwrap();
    dir
}

#[test]
fn lines_of_the_log_can_be_objects_in_json() {
    let dir = damaged();
    let options = ["--log-format", "json", "--log-level", "debug"];
    let mut running = Broker::start_with(&dir, &options);
    let mut publisher = Publisher::connect(running.ports.publish);
    publisher.send(&agents("t", 1, 1));
    // Behind the two that are damaged.
    dir.wait_lines(3);
    running.signal("TERM");
    let ended = running.wait_exit().with_code(0);
    let mut levels = Vec::new();
    for line in ended.stderr.lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        for name in ["time", "level", "module", "message"] {
            assert!(line[name].is_string(), "{line}");
        }
        levels.push(line["level"].as_str().unwrap().to_owned());
    }
    assert!(levels.contains(&"warn".to_owned()), "{levels:?}");
    // What is for people stays as it was.
    assert!(ended.stdout.starts_with("[*] "), "{}", ended.stdout);
}

#[test]
fn the_log_can_go_to_a_file_and_why_it_ends_is_told_in_both_places() {
    let dir = damaged();
    let path = dir.path().join("broker.log");
    let file = ["--log-file", path.to_str().unwrap()];
    let mut running = Broker::start_with(&dir, &file);
    running.signal("TERM");
    running.wait_exit().with_code(0).without_warning();
    let told = fs::read_to_string(&path).unwrap();
    assert!(told.contains("WARN"), "{told}");
    // A second one at the same directory can't start, and says so.
    let _first = Broker::start(&dir);
    let mut second = broker_on(&dir, Ports::default());
    run(second.args(file)).with_code(1).warns("broker: ");
    let told = fs::read_to_string(&path).unwrap();
    assert!(told.contains("ERROR"), "{told}");
    let nowhere = dir.path().join("none/broker.log");
    run(broker().arg("--log-file").arg(nowhere))
        .with_code(1)
        .warns("cannot write the log to");
}

/// systemd says where stderr leads.
#[cfg(target_os = "linux")]
#[test]
fn for_journald_lines_have_their_level_in_front() {
    let dir = damaged();
    let mut command = broker_on(&dir, Ports::default());
    let mut running = Broker::ready(command.env("JOURNAL_STREAM", "8:1"));
    running.signal("TERM");
    let ended = running.wait_exit().with_code(0);
    assert!(!ended.stderr.is_empty());
    for line in ended.stderr.lines() {
        assert!(line.starts_with("<4>") || line.starts_with("<6>"), "{line}");
    }
}

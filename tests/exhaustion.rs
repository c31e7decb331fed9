//! What runs out is refused loudly, costs nobody else anything, and comes back.

use std::process::Command;

use serde_json::json;

use crate::util::broker::{Broker, Ports, broker_on};
use crate::util::client::{Client, Publisher, Subscriber};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agents, ids};
use crate::util::proc::{Holdings, resident};
use crate::util::process::Process;
use crate::util::record::Record;
use crate::util::shim::{Disk, Rule};
use crate::util::wait::until;

/// Starts a broker that may open up to `limit` files.
#[track_caller]
fn start_with_files(dir: &Dir, limit: usize) -> Broker {
    let inner = broker_on(dir, Ports::default());
    let mut command = Command::new("sh");
    command
        .current_dir(dir.path())
        .args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")])
        .arg(inner.get_program())
        .args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Broker::ready(&mut command)
}

#[test]
fn without_file_descriptors_subscribers_are_refused_and_recording_goes_on() {
    let dir = Dir::new();
    let broker = start_with_files(&dir, 64);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 1));
    assert_eq!(subscriber.recv(1), agents("t", 1, 1));
    let before = Holdings::of(&broker);

    let mut herd = Client::start();
    herd.call(&json!({"do": "herd", "count": 40, "port": broker.ports.subscribe}));
    until("a complaint", || {
        let stderr = broker.stderr.text();
        stderr.contains("Too many open files").then_some(())
    });
    publisher.send(&agents("t", 2, 100));
    assert!(
        subscriber.ids_until("t-101") == ids("t", 2, 100),
        "who was there goes on"
    );
    dir.wait_lines(101);

    herd.call(&json!({"do": "close"}));
    before.wait_again(&broker);
    let mut new = Subscriber::connect(broker.ports.subscribe, &["t"]);
    assert!(new.ids_until("t-101") == ids("t", 1, 101));
    publisher.send(&agents("t", 102, 1));
    assert_eq!(new.recv(1), agents("t", 102, 1));
    assert_numbered_from(1, &dir.records());
    let lines = broker.stderr.text().lines().count();
    assert!(lines < 40, "{lines} lines on standard error");
}

/// Floods a broker whose disk is slower than the publishers: they wait, and memory does not grow.
fn flood(publishers: usize) {
    const COUNT: usize = 100;
    const SIZE: usize = 1 << 20;
    const LIMIT: u64 = 32 << 20;
    // The program itself, with its stacks, buffers and what is read at once.
    const PROGRAM: u64 = 32 << 20;
    let allowed = LIMIT + PROGRAM;
    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let options = ["--max-memory", &LIMIT.to_string(), "--history", "10"];
    let broker = disk.start(&dir, &options);
    let mut publishers: Vec<Publisher> = (0..publishers)
        .map(|_| Publisher::connect(broker.ports.publish))
        .collect();
    disk.set(&[Rule::delay("fdatasync", 20)]);
    for (number, publisher) in publishers.iter_mut().enumerate() {
        publisher.begin_burst(&format!("flood{number}"), 1, COUNT, SIZE);
    }
    let mut most = 0;
    until("all records", || {
        most = most.max(resident(&broker));
        let wanted = (publishers.len() * COUNT * SIZE) as u64;
        let recorded = std::fs::metadata(dir.current()).unwrap().len();
        (recorded >= wanted).then_some(())
    });
    dir.wait_lines(publishers.len() * COUNT);
    println!("{} MiB resident at most", most >> 20);
    assert!(
        most <= allowed,
        "{most} bytes resident with --max-memory {LIMIT}"
    );
    let records = dir.records();
    assert_numbered_from(1, &records);
    let recorded: Vec<String> = records.iter().map(Record::id).collect();
    for number in 0..publishers.len() {
        let name = format!("flood{number}");
        let of_one = recorded.iter().filter(|id| id.starts_with(&name));
        assert!(of_one.eq(&ids(&name, 1, COUNT)), "each once and in order");
    }
}

#[test]
fn a_flood_on_a_slow_disk_stays_within_its_memory_and_loses_nothing() {
    flood(1);
}

#[test]
fn a_flood_of_four_publishers_on_a_slow_disk_needs_no_more_memory_than_one() {
    flood(4);
}

/// A limit that is too low to start at all is said, too.
#[test]
fn too_few_file_descriptors_to_start_end_it_with_a_sentence() {
    let dir = Dir::new();
    let inner = broker_on(&dir, Ports::default());
    let mut command = Command::new("sh");
    command
        .current_dir(dir.path())
        .args(["-c", "ulimit -n 10; exec \"$0\" \"$@\""])
        .arg(inner.get_program())
        .args(inner.get_args());
    let mut process = Process::start(&mut command);
    process
        .wait_exit()
        .with_code(1)
        .warns("broker: ")
        .never_says("[*]");
}

//! Several machines in one conversation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use transport::Config;

use crate::util::bridge::Machine;
use crate::util::broker::{Broker, Ports, viewer_in};
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agent, agents, ids};
use crate::util::nats::Nats;
use crate::util::process::run;
use crate::util::record::Record;
use crate::util::wait::until;

/// Whose a record is, and the number there.
fn origin(record: &Record) -> Option<(String, u64)> {
    if !record.names().contains(&"origin") {
        return None;
    }
    let origin: Value = record.value("origin");
    let name = origin["name"].as_str().unwrap().to_owned();
    Some((name, origin["message_num"].as_u64().unwrap()))
}

#[track_caller]
fn assert_once_and_in_order(dir: &Dir) -> BTreeMap<String, usize> {
    let records = dir.all_records();
    assert_numbered_from(1, &records);
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for (name, number) in records.iter().filter_map(origin) {
        let before = last.insert(name.clone(), number).unwrap_or(0);
        assert!(number > before, "{name}: {number} behind {before}");
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[test]
fn three_machines_have_one_conversation_and_nothing_goes_round() {
    let nats = Nats::start();
    let dirs = [Dir::new(), Dir::new(), Dir::new()];
    let brokers: Vec<Broker> = dirs.iter().map(Broker::start).collect();
    let names = ["ada", "bob", "eve"];
    let machine =
        |index: usize| Machine::new(names[index], &dirs[index], brokers[index].ports, &nats);
    let _bridges: Vec<_> = (0..3).map(|it| machine(it).start(&["--receive"])).collect();
    // The same senders and names of messages on each of them: that is what agents do.
    for broker in &brokers {
        publish(broker.ports.publish, &agents("chat", 1, 50));
    }
    for dir in &dirs {
        until("all messages of all machines", || {
            (dir.line_count() >= 150).then_some(())
        });
    }
    publish(brokers[0].ports.publish, &[agent("chat", "ada", "last")]);
    for dir in &dirs {
        until("the last message", || {
            (dir.line_count() >= 151).then_some(())
        });
    }
    for (name, dir) in names.into_iter().zip(&dirs) {
        let counts = assert_once_and_in_order(dir);
        assert_eq!(dir.line_count(), 151, "{name}: something went round");
        let others: usize = counts.values().sum();
        assert_eq!(others, if name == "ada" { 100 } else { 101 }, "{counts:?}");
    }
    let mut subscriber = Subscriber::connect(brokers[2].ports.subscribe, &[""]);
    assert_eq!(subscriber.recv(151).len(), 151, "agents get all of it");
}

#[test]
fn what_comes_in_is_recorded_once_whatever_is_killed_meanwhile() {
    let mut nats = Nats::start();
    let (here, there) = (Dir::new(), Dir::new());
    let far = Broker::start(&there);
    let ports = Ports::fixed();
    let mut near = Broker::start_on(&here, ports, &[]);
    let sender = Machine::new("far", &there, far.ports, &nats);
    let receiver = Machine::new("near", &here, ports, &nats);
    let _sending = sender.start(&[]);
    let mut receiving = receiver.start(&["--receive"]);
    for round in 0..6 {
        publish(far.ports.publish, &agents("chat", 1 + round * 500, 500));
        let some = round * 500 + 1;
        until("some of it", || (here.line_count() >= some).then_some(()));
        match round % 3 {
            0 => {
                receiving.kill9();
                receiving = receiver.start(&["--receive"]);
            }
            1 => {
                near.kill9();
                near = Broker::start_on(&here, ports, &[]);
            }
            _ => {
                nats.servers[0].kill9();
                nats.servers[0].start();
            }
        }
    }
    until("all of it", || (here.line_count() >= 3_000).then_some(()));
    let counts = assert_once_and_in_order(&here);
    assert_eq!(counts, BTreeMap::from([("far".to_owned(), 3_000)]));
    let status = until("all of it in the status", || {
        let status = receiver.status("far")?;
        (status["here"] == 3_000).then_some(status)
    });
    assert_eq!(
        (&status["lag"], &status["local"]),
        (&0.into(), &false.into())
    );
    drop((near, receiving));
}

#[test]
fn only_what_is_wanted_comes_in() {
    let nats = Nats::start();
    let (here, there) = (Dir::new(), Dir::new());
    let (near, far) = (Broker::start(&here), Broker::start(&there));
    let _sending = Machine::new("far", &there, far.ports, &nats).start(&[]);
    let receiver = Machine::new("near", &here, near.ports, &nats);
    let options = ["--no-ship", "--receive", "--topics", "design"];
    let _receiving = receiver.start(&options);
    publish(far.ports.publish, &agents("chat", 1, 10));
    publish(far.ports.publish, &agents("design.review", 11, 5));
    until("the five", || (here.line_count() >= 5).then_some(()));
    let topics = here
        .records()
        .iter()
        .map(|it| it.value("topic"))
        .collect::<Vec<_>>();
    assert!(
        topics.iter().all(|topic| topic == "design.review"),
        "{topics:?}"
    );
    assert_eq!(receiver.status("near"), None, "it ships nothing");
}

#[test]
fn what_goes_in_parts_comes_whole_to_the_other_machine_and_back_from_its_stream() {
    let nats = Nats::start();
    let (here, there) = (Dir::new(), Dir::new());
    let (near, far) = (Broker::start(&here), Broker::start(&there));
    let sender = Machine::new("far", &there, far.ports, &nats);
    let receiver = Machine::new("near", &here, near.ports, &nats);
    let _sending = sender.start(&[]);
    let _receiving = receiver.start(&["--no-ship", "--receive"]);
    let mut publisher = Publisher::connect(far.ports.publish);
    for size in [1, 1_048_576, 5_000_000, 10] {
        publisher.send_large("big", size);
    }
    publisher.leave();
    there.wait_lines(4);
    here.wait_lines(4);
    let contents = |dir: &Dir| -> Vec<Value> {
        let records = dir.records();
        records.iter().map(|it| it.value("content")).collect()
    };
    assert!(contents(&here) == contents(&there));
    assert_once_and_in_order(&here);
    sender.wait_shipped(4);
    let out = here.path().join("far.jsonl").display().to_string();
    let fetched = sender.run(&["fetch", &out]).with_code(0);
    fetched.says("4 records of far");
    assert!(std::fs::read(out).unwrap() == there.current_bytes());
}

#[test]
fn only_whose_messages_are_wanted_come_in() {
    let nats = Nats::start();
    let dirs = [Dir::new(), Dir::new(), Dir::new()];
    let brokers: Vec<Broker> = dirs.iter().map(Broker::start).collect();
    let machine =
        |name: &str, index: usize| Machine::new(name, &dirs[index], brokers[index].ports, &nats);
    let _ada = machine("ada", 0).start(&[]);
    let _bob = machine("bob", 1).start(&[]);
    publish(brokers[0].ports.publish, &agents("chat", 1, 5));
    publish(brokers[1].ports.publish, &agents("chat", 1, 7));
    machine("ada", 0).wait_shipped(5);
    machine("bob", 1).wait_shipped(7);
    let options = ["--no-ship", "--receive", "--origins", "bob"];
    let _receiving = machine("eve", 2).start(&options);
    dirs[2].wait_lines(7);
    // What ada ships now is there before what bob ships behind it.
    publish(brokers[0].ports.publish, &agents("chat", 6, 1));
    machine("ada", 0).wait_shipped(6);
    publish(brokers[1].ports.publish, &agents("chat", 8, 1));
    machine("bob", 1).wait_shipped(8);
    until("the last one of bob", || {
        (dirs[2].line_count() >= 8).then_some(())
    });
    let counts = assert_once_and_in_order(&dirs[2]);
    assert_eq!(counts, BTreeMap::from([("bob".to_owned(), 8)]));
    // The viewer tells whose a message is, and finds it by that.
    let bobs = run(&mut viewer_in(
        &dirs[2].logs(),
        &["--origin", "bob", "--count"],
    ));
    assert_eq!(bobs.with_code(0).stdout.trim(), "8");
}

#[test]
fn a_new_machine_begins_where_it_is_told_to() {
    let nats = Nats::start();
    let there = Dir::new();
    let far = Broker::start(&there);
    let sender = Machine::new("far", &there, far.ports, &nats);
    let _sending = sender.start(&[]);
    publish(far.ports.publish, &agents("chat", 1, 5));
    sender.wait_shipped(5);
    // The stream's clock counts: all that is there came to it before this moment.
    let now = message::format_time(SystemTime::now() + Duration::from_secs(1)).to_string();
    let dirs = [Dir::new(), Dir::new(), Dir::new()];
    let near: Vec<Broker> = dirs.iter().map(Broker::start).collect();
    let begins = ["all", "new", &now];
    let mut receiving = Vec::new();
    for (index, since) in begins.into_iter().enumerate() {
        let name = format!("near{index}");
        let receiver = Machine::new(&name, &dirs[index], near[index].ports, &nats);
        let mut bridge = receiver.start(&["--no-ship", "--receive", "--since", since]);
        bridge.wait_for("[*] Receiving");
        bridge.wait_for_warning("receiving from far behind number 0");
        receiving.push((receiver, bridge));
    }
    dirs[0].wait_lines(5);
    until("the time from which one begins", || {
        let passed = message::format_time(SystemTime::now()).to_string() > now;
        passed.then_some(())
    });
    publish(far.ports.publish, &agents("chat", 6, 5));
    for (dir, first) in dirs.iter().zip([1, 6, 6]) {
        dir.wait_lines(11 - first);
        let came: Vec<String> = dir.records().iter().map(Record::id).collect();
        assert_eq!(came, ids("chat", first, 11 - first), "from {first} on");
    }
    drop(receiving);
}

#[test]
fn clocks_that_are_wrong_change_no_order_and_no_number() {
    const HOURS: u64 = 3_600;
    let nats = Nats::start();
    let (here, there) = (Dir::new(), Dir::new());
    // Its broker is in this process, so that the clock is the test's: two hours ahead of
    // everybody's at first, and two behind later.
    let skew = Arc::new(AtomicU64::new(4 * HOURS));
    let ahead = Arc::clone(&skew);
    let config = Config {
        pub_port: 0,
        sub_port: 0,
        control_port: 0,
        clock: Arc::new(move || {
            let seconds = ahead.load(Ordering::SeqCst);
            SystemTime::now() - Duration::from_secs(2 * HOURS) + Duration::from_secs(seconds)
        }),
        ..Config::new(there.logs())
    };
    let far = transport::Broker::start(&config, |failure| panic!("{failure}")).unwrap();
    let ports = Ports {
        publish: far.pub_port(),
        subscribe: far.sub_port(),
        control: far.control_port(),
    };
    let near = Broker::start(&here);
    let sender = Machine::new("far", &there, ports, &nats);
    let receiver = Machine::new("near", &here, near.ports, &nats);
    let sending = sender.start(&["--receive"]);
    let _receiving = receiver.start(&["--receive"]);
    publish(ports.publish, &agents("chat", 1, 20));
    publish(near.ports.publish, &agents("chat", 1, 20));
    there.wait_lines(40);
    skew.store(0, Ordering::SeqCst);
    publish(ports.publish, &agents("chat", 21, 20));
    publish(near.ports.publish, &agents("chat", 21, 20));
    for dir in [&here, &there] {
        dir.wait_lines(80);
        assert_once_and_in_order(dir);
    }
    sender.wait_shipped(80);
    drop(sending);
    // What has not been shipped yet was recorded in the future.
    skew.store(4 * HOURS, Ordering::SeqCst);
    publish(ports.publish, &[agent("chat", "far", "last")]);
    let status = until("what was not shipped", || {
        let status = sender.status("far")?;
        (status["lag"] == 1).then_some(status)
    });
    assert_eq!(status["lag_seconds"], 0, "{status}");
    let _sending = sender.start(&[]);
    here.wait_lines(81);
    sender.run(&["verify"]).with_code(0);
}

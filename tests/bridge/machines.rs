//! Several machines in one conversation.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::util::bridge::Machine;
use crate::util::broker::{Broker, Ports};
use crate::util::client::{Subscriber, publish};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agent, agents};
use crate::util::nats::Nats;
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
    let nats = Nats::start();
    let (here, there) = (Dir::new(), Dir::new());
    let far = Broker::start(&there);
    let ports = Ports::fixed();
    let mut near = Broker::start_on(&here, ports, &[]);
    let sender = Machine::new("far", &there, far.ports, &nats);
    let receiver = Machine::new("near", &here, ports, &nats);
    let _sending = sender.start(&[]);
    let mut receiving = receiver.start(&["--receive"]);
    for round in 0..4 {
        publish(far.ports.publish, &agents("chat", 1 + round * 500, 500));
        let some = round * 500 + 1;
        until("some of it", || (here.line_count() >= some).then_some(()));
        if round % 2 == 0 {
            receiving.kill9();
            receiving = receiver.start(&["--receive"]);
        } else {
            near.kill9();
            near = Broker::start_on(&here, ports, &[]);
        }
    }
    until("all of it", || (here.line_count() >= 2_000).then_some(()));
    let counts = assert_once_and_in_order(&here);
    assert_eq!(counts, BTreeMap::from([("far".to_owned(), 2_000)]));
    let status = until("all of it in the status", || {
        let status = receiver.status("far")?;
        (status["here"] == 2_000).then_some(status)
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

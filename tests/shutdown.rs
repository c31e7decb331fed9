//! Stopping is orderly and soon, whatever clients do.
#![cfg(unix)]

use std::net::TcpStream;

use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agents, ids};
use crate::util::record::Record;

#[test]
fn what_was_recorded_is_delivered_before_the_end() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect_small(broker.ports.subscribe, &["load"]);
    publisher.burst("load", 1, 1, 300);
    subscriber.ids_until("load-1");
    // More than all buffers on the way hold, so that most of it is still to be sent.
    publisher.burst("load", 2, 1000, 16 << 10);
    dir.wait_lines(1001);
    broker.signal("TERM");
    assert!(
        subscriber.ids_until("load-1001") == ids("load", 2, 1000),
        "each once and in order"
    );
    broker.wait_exit().with_code(0);
}

#[test]
fn clients_that_do_nothing_do_not_keep_it() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let silent = [broker.ports.publish, broker.ports.subscribe]
        .map(|port| TcpStream::connect(("127.0.0.1", port)).unwrap());
    let mut stuck = Subscriber::connect_small(broker.ports.subscribe, &[""]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 1));
    stuck.recv(1);
    publisher.burst("load", 1, 2000, 16 << 10);
    dir.wait_lines(2001);
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    assert_numbered_from(1, &dir.all_records());
    assert!(dir.all_records().len() >= 2001);
    drop(silent);
}

#[test]
fn stopping_under_load_leaves_whole_records_only() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.begin_burst("load", 1, 20_000, 300);
    dir.wait_lines(500);
    broker.signal("INT");
    broker.wait_exit().with_code(0);
    let records = dir.all_records();
    assert_numbered_from(1, &records);
    let recorded: Vec<String> = records.iter().map(Record::id).collect();
    assert!(
        recorded == ids("load", 1, recorded.len()),
        "each once and in order"
    );
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_loses_nothing_recorded() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut stuck = Subscriber::connect_small(broker.ports.subscribe, &[""]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 1));
    stuck.recv(1);
    publisher.burst("load", 1, 1000, 16 << 10);
    dir.wait_lines(1001);
    broker.signal("INT");
    broker.signal("INT");
    let ended = broker.wait_exit();
    assert!(
        ended.status.code().is_some(),
        "it ends by itself\n{}",
        ended.report()
    );

    // Archived or not: the next broker has everything.
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 2, 1));
    Subscriber::connect(broker.ports.subscribe, &["t"]).ids_until("t-2");
    let records = dir.all_records();
    assert_eq!(records.len(), 1002);
    assert_numbered_from(1, &records);
}

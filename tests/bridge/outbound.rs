//! From a journal to its stream.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::util::bridge::Machine;
use crate::util::broker::{Broker, Ports, viewer_in};
use crate::util::client::{Publisher, publish};
use crate::util::dir::Dir;
use crate::util::message::{agents, shapes};
use crate::util::nats::Nats;
use crate::util::process::run;
use crate::util::wait::until;

/// All lines of a journal, closed sessions first.
fn lines(dir: &Dir) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    for archive in dir.archives() {
        bytes.extend(fs::read(dir.archive().join(archive)).unwrap());
    }
    bytes.extend(dir.current_bytes());
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// What a client in another language reads of a stream: sequences, kinds and payloads.
fn shipped(nats: &Nats, stream: &str) -> Vec<(u64, Option<String>, Vec<u8>)> {
    let all = nats.call(&["read", stream]);
    let of = |one: &Value| {
        let payload = one["payload"].as_str().unwrap();
        let kind = one["kind"].as_str().map(str::to_owned);
        (
            one["seq"].as_u64().unwrap(),
            kind,
            STANDARD.decode(payload).unwrap(),
        )
    };
    all.as_array().unwrap().iter().map(of).collect()
}

#[track_caller]
fn assert_shipped(nats: &Nats, dir: &Dir) {
    let lines = lines(dir);
    let shipped = shipped(nats, "CONV_pc");
    assert_eq!(shipped.len(), lines.len());
    for (number, ((seq, kind, payload), line)) in (1..).zip(shipped.into_iter().zip(lines)) {
        assert_eq!((seq, kind), (number, None));
        assert!(payload == line, "number {number}");
    }
}

#[test]
fn every_record_stands_under_its_number_byte_for_byte() {
    let (dir, nats) = (Dir::new(), Nats::start());
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    let shapes = shapes();
    publish(broker.ports.publish, &shapes);
    broker.signal("HUP");
    dir.wait_archives(1);
    publish(broker.ports.publish, &agents("chat.team", 1, 100));
    let bridge = machine.start(&[]);
    let count = shapes.len() as u64 + 100;
    machine.wait_shipped(count);
    assert_shipped(&nats, &dir);
    // What comes later goes on behind it.
    publish(broker.ports.publish, &agents("chat.team", 101, 10));
    machine.wait_shipped(count + 10);
    assert_shipped(&nats, &dir);
    machine
        .run(&["verify"])
        .with_code(0)
        .says(&format!("{} records are the same", count + 10));
    drop(bridge);
}

#[test]
fn what_is_larger_than_a_message_of_nats_goes_in_parts_and_comes_back_whole() {
    let (dir, nats) = (Dir::new(), Nats::start());
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    let mut publisher = Publisher::connect(broker.ports.publish);
    for size in [1, 1_000_000, 1_048_576, 5_000_000, 10] {
        publisher.send_large("big", size);
    }
    publisher.leave();
    dir.wait_lines(5);
    let _bridge = machine.start(&[]);
    machine.wait_shipped(5);
    let kinds: Vec<Option<String>> = shipped(&nats, "CONV_pc")
        .into_iter()
        .map(|it| it.1)
        .collect();
    assert!(kinds.contains(&Some("parts".to_owned())), "{kinds:?}");
    machine
        .run(&["verify"])
        .with_code(0)
        .says("5 records are the same");
}

#[test]
fn a_lost_machine_comes_back_from_its_stream() {
    let (dir, nats) = (Dir::new(), Nats::start());
    let mut broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    publish(broker.ports.publish, &shapes());
    let count = shapes().len();
    let bridge = machine.start(&[]);
    machine.wait_shipped(count as u64);
    drop(bridge);
    let before = dir.current_bytes();
    broker.kill9();

    let fresh = Dir::new();
    fs::create_dir_all(fresh.logs()).unwrap();
    let out = fresh.current().display().to_string();
    machine
        .run(&["fetch", &out])
        .with_code(0)
        .says(&format!("{count} records of pc"));
    assert!(fresh.current_bytes() == before);
    machine
        .run(&["fetch", &out])
        .with_code(1)
        .warns("nothing is overwritten");
    run(&mut viewer_in(&fresh.logs(), &["verify"])).with_code(0);
    let mut broker = Broker::start(&fresh);
    broker.wait_for(&format!("[*] Loaded {count} messages"));
}

/// How often something is killed; `just bridge-crash` says more.
fn rounds(few: usize) -> usize {
    let said = std::env::var("BRIDGE_ROUNDS").ok();
    said.map_or(few, |rounds| {
        rounds.parse().expect("BRIDGE_ROUNDS is a number")
    })
}

#[test]
fn kill_9_of_bridge_broker_and_server_under_load_loses_and_repeats_nothing() {
    let (dir, mut nats) = (Dir::new(), Nats::start());
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &[]);
    let machine = Machine::new("pc", &dir, ports, &nats);
    let mut bridge = machine.start(&[]);
    for round in 1..=rounds(4) {
        let mut publisher = Publisher::connect(ports.publish);
        publisher.begin_burst(&format!("round{round}"), 1, 4_000, 200);
        // An instant is what is wanted here, and no condition.
        std::thread::sleep(Duration::from_millis(100 + 37 * (round as u64 % 7)));
        match round % 3 {
            0 => {
                broker.kill9();
                broker = Broker::start_on(&dir, ports, &[]);
            }
            1 => {
                bridge.kill9();
                bridge = machine.start(&[]);
            }
            _ => {
                nats.servers[0].kill9();
                nats.servers[0].start();
            }
        }
        drop(publisher);
    }
    // Nothing comes any more: what is in the journal now has to get there.
    let count = until("a quiet journal", || {
        let before = dir.line_count();
        std::thread::sleep(Duration::from_millis(300));
        (dir.line_count() == before && before > 0).then_some(before)
    });
    machine.wait_shipped(count as u64);
    assert_shipped(&nats, &dir);
    machine.run(&["verify"]).with_code(0);
    drop((bridge, broker));
}

#[test]
fn a_cluster_whose_servers_are_killed_and_stopped_gets_everything_once() {
    let (dir, mut nats) = (Dir::new(), Nats::cluster());
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    let _bridge = machine.start(&[]);
    publish(broker.ports.publish, &agents("chat", 1, 10));
    machine.wait_shipped(10);
    for round in 0..rounds(4) {
        let mut publisher = Publisher::connect(broker.ports.publish);
        publisher.begin_burst(&format!("round{round}"), 1, 3_000, 200);
        let victim = round % 3;
        std::thread::sleep(Duration::from_millis(150));
        if round % 2 == 0 {
            nats.servers[victim].kill9();
            std::thread::sleep(Duration::from_millis(500));
            nats.servers[victim].start();
        } else {
            // For the others it is a server that the network has cut off.
            nats.servers[victim].signal("STOP");
            std::thread::sleep(Duration::from_millis(1_500));
            nats.servers[victim].signal("CONT");
        }
        publisher.wait_sent();
        publisher.leave();
    }
    let count = until("a quiet journal", || {
        let before = dir.line_count();
        std::thread::sleep(Duration::from_millis(300));
        (dir.line_count() == before).then_some(before)
    });
    machine.wait_shipped(count as u64);
    assert_shipped(&nats, &dir);
}

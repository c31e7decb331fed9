//! From a journal to its stream.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::util::bridge::Machine;
use crate::util::broker::{Broker, Ports, broker as broker_command, viewer_in};
use crate::util::client::{Publisher, publish};
use crate::util::dir::Dir;
#[cfg(target_os = "linux")]
use crate::util::http::{get, metrics_of, value};
use crate::util::message::{agents, shapes};
use crate::util::nats::Nats;
#[cfg(target_os = "linux")]
use crate::util::proc::resident;
use crate::util::process::run;
use crate::util::rounds::from_environment;
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
fn compressed_sessions_are_shipped_like_others() {
    let (dir, nats) = (Dir::new(), Nats::start());
    let broker = Broker::start(&dir);
    for (archives, records) in [(1, shapes()), (2, agents("chat.team", 1, 100))] {
        publish(broker.ports.publish, &records);
        broker.signal("HUP");
        dir.wait_archives(archives);
    }
    let lines = lines(&dir);
    let mut compress = broker_command();
    compress.arg("compress").arg("--dir").arg(dir.logs());
    run(&mut compress)
        .with_code(0)
        .says("2 sessions compressed");
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    let _bridge = machine.start(&[]);
    machine.wait_shipped(lines.len() as u64);
    let payloads: Vec<Vec<u8>> = shipped(&nats, "CONV_pc")
        .into_iter()
        .map(|it| it.2)
        .collect();
    assert!(payloads == lines);
    machine
        .run(&["verify"])
        .with_code(0)
        .says(&format!("{} records are the same", lines.len()));
}

#[test]
fn a_stream_may_begin_with_the_next_message() {
    let (dir, nats) = (Dir::new(), Nats::start());
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    publish(broker.ports.publish, &agents("chat", 1, 5));
    dir.wait_lines(5);
    let mut bridge = machine.start(&["--from", "now"]);
    bridge.wait_for_warning("made the stream CONV_pc from number 6 on");
    publish(broker.ports.publish, &agents("chat", 6, 5));
    machine.wait_shipped(10);
    // It stays so, whatever the next one is told.
    bridge.kill9();
    let _bridge = machine.start(&[]);
    publish(broker.ports.publish, &agents("chat", 11, 5));
    machine.wait_shipped(15);
    let numbers: Vec<u64> = shipped(&nats, "CONV_pc").iter().map(|it| it.0).collect();
    assert_eq!(numbers, (6..=15).collect::<Vec<u64>>());
    let verified = machine.run(&["verify"]).with_code(0);
    verified.says("Numbers 6 to 15: 10 records are the same");
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
    from_environment("BRIDGE_ROUNDS", few)
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
    println!("{} kills, {count} records", rounds(4));
    machine.run(&["verify"]).with_code(0);
    drop((bridge, broker));
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_is_away_costs_lag_and_no_memory() {
    const MESSAGES: usize = 8_000;
    let (dir, mut nats) = (Dir::new(), Nats::start());
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    let mut bridge = machine.start(&["--metrics", "127.0.0.1:0"]);
    let metrics = metrics_of(&mut bridge);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.burst("first", 1, 1, 100);
    machine.wait_shipped(1);
    nats.servers[0].kill9();
    let before = resident(&bridge);
    // Ten times what may be on its way.
    publisher.burst("load", 1, MESSAGES, 10_000);
    dir.wait_lines(MESSAGES + 1);
    let name = |what: &str| format!("bridge_{what}{{origin=\"pc\"}}");
    let read = until("it to read no further, and to say so", || {
        let read = || value(&get(&metrics, "/metrics").1, &name("read_message_num"));
        let (_, told) = get(&metrics, "/metrics");
        let waits = value(&told, &name("lag_seconds")) >= 2.0;
        let waits = waits && value(&told, &name("stalled")) == 1.0;
        let before = read();
        (waits && before > 1.0 && read() == before).then_some(before)
    });
    assert!(read < MESSAGES as f64, "{read} are read");
    let grown = resident(&bridge).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
    nats.servers[0].start();
    machine.wait_shipped(MESSAGES as u64 + 1);
    machine.run(&["verify"]).with_code(0);
}

#[test]
fn two_bridges_that_ship_one_journal_at_once_store_each_record_once() {
    let (dir, nats) = (Dir::new(), Nats::start());
    let broker = Broker::start(&dir);
    let machine = Machine::new("pc", &dir, broker.ports, &nats);
    // One that was started in another directory, where nobody knows of the first.
    let elsewhere = Dir::new();
    fs::create_dir_all(elsewhere.logs()).unwrap();
    let other = Machine::new("pc", &elsewhere, broker.ports, &nats);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.burst("load", 1, 2_000, 200);
    dir.wait_lines(2_000);
    let _bridges = [machine.start(&[]), other.start(&[])];
    publisher.burst("load", 2_001, 2_000, 200);
    dir.wait_lines(4_000);
    machine.wait_shipped(4_000);
    assert_shipped(&nats, &dir);
    machine.run(&["verify"]).with_code(0);
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
    let kills = rounds(4).div_ceil(2);
    println!("{kills} kills, {} cuts, {count} records", rounds(4) - kills);
}

//! Subscribers get exactly the frames that publishers sent, in one order.

use std::fs;

use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::Dir;
use crate::util::message::{agent, shapes};
use crate::util::record::Record;

#[test]
fn frames_arrive_byte_for_byte_live_and_replayed_and_from_disk() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let sent = shapes();

    let mut live = Subscriber::connect(broker.ports.subscribe, &[""]);
    Publisher::connect(broker.ports.publish).send(&sent);
    assert_eq!(live.recv(sent.len()), sent, "live");

    let mut replayed = Subscriber::connect(broker.ports.subscribe, &[""]);
    assert_eq!(replayed.recv(sent.len()), sent, "replayed");

    broker.kill9();
    let broker = Broker::start(&dir);
    let mut later = Subscriber::connect(broker.ports.subscribe, &[""]);
    assert_eq!(
        later.recv(sent.len()),
        sent,
        "replayed by a broker that knows them from disk"
    );
}

#[test]
fn a_payload_of_16_mib_arrives_byte_for_byte() {
    const SIZE: usize = 16 << 20;
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut live = Subscriber::connect(broker.ports.subscribe, &["large"]);
    Publisher::connect(broker.ports.publish).send_large("large", SIZE);

    let file = dir.path().join("payload");
    live.recv_to_file(&file);
    let payload = fs::read(&file).unwrap();
    assert_eq!(payload.len(), SIZE);
    let expected: Vec<u8> = (0..=250).collect();
    assert!(
        payload
            .chunks(251)
            .all(|chunk| chunk == &expected[..chunk.len()]),
        "other bytes"
    );
}

#[test]
fn all_subscribers_see_the_journals_order() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut subscribers = [(); 2].map(|()| Subscriber::connect(broker.ports.subscribe, &[""]));
    let mut first = Publisher::connect(broker.ports.publish);
    let mut second = Publisher::connect(broker.ports.publish);
    first.begin_burst("first", 1, 2000, 200);
    second.begin_burst("second", 1, 2000, 200);
    first.wait_sent();
    second.wait_sent();
    dir.wait_lines(4000);
    first.send(&[agent("load", "first", "end")]);

    for subscriber in &mut subscribers {
        let seen = subscriber.ids_until("end");
        let journal: Vec<String> = dir.records().iter().map(Record::id).collect();
        assert_eq!(seen, journal);
    }
}

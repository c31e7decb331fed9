//! Subscribers get exactly the frames that publishers sent, in one order.

use std::fs;

use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::dir::Dir;
use crate::util::message::{agent, agents, shapes};
use crate::util::record::Record;
use crate::util::wait::until;

#[test]
fn frames_arrive_byte_for_byte_live_and_replayed_and_from_disk() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let sent = shapes();

    let mut live = Subscriber::connect(broker.ports.subscribe, &[""]);
    publish(broker.ports.publish, &sent);
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

/// Both sockets as agents have them: PUB and SUB, unmodified, one after the other.
#[test]
fn two_plain_agents_talk() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut speaker = Publisher::connect_plain(broker.ports.publish);
    let mut listener = Subscriber::connect(broker.ports.subscribe, &["hello"]);
    listener.begin_recv(1);
    let mut tries = 0;
    let first = until("a message", || {
        tries += 1;
        speaker.send(&agents("hello", tries, 1));
        listener.received()
    });
    let number = (1..=tries).find(|number| first == agents("hello", *number, 1));
    let number = number.unwrap_or_else(|| panic!("not what was sent: {first:?}"));
    speaker.send(&agents("hello", tries + 1, 100));
    assert_eq!(
        listener.recv(tries - number + 100),
        agents("hello", number + 1, tries - number + 100)
    );
}

#[test]
fn a_payload_of_16_mib_arrives_byte_for_byte() {
    const SIZE: usize = 16 << 20;
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut live = Subscriber::connect(broker.ports.subscribe, &["large"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send_large("large", SIZE);
    publisher.leave();

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

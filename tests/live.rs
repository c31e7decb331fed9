//! Subscribers get exactly the frames that publishers sent, in one order.

use std::fs;

use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::Dir;
use crate::util::message::{Frames, agent, frames};
use crate::util::record::Record;

/// Messages of every shape; the last one is plain.
fn shapes() -> Vec<Frames> {
    let five: [&[u8]; 5] = [b"five", b"", b"{\"a\":1}", b"\x00\xff", b"last"];
    vec![
        frames([b"one frame".as_slice()]),
        frames([b"{\"one\": \"frame of JSON\"}".as_slice()]),
        frames([b"".as_slice()]),
        frames([b"".as_slice(), b""]),
        frames([b"topic".as_slice(), b""]),
        frames([b"".as_slice(), b"{}"]),
        frames(five),
        frames([b"t".as_slice(), b"not json: {"]),
        frames([b"t".as_slice(), b" {\"b\" :1,\n\"a\":\t2, \"b\": 1e400 } "]),
        frames([b"t".as_slice(), b"{\"n\": NaN, \"i\": -Infinity}"]),
        frames([b"t".as_slice(), b"{\"s\": \"\\ud800 \\u0000 \\/\"}"]),
        frames([
            b"t".as_slice(),
            "{\"s\": \"\u{2028}\u{202e}\u{feff}\"}".as_bytes(),
        ]),
        frames([b"t".as_slice(), b"\xff\xfe\x00\n\r\n\x1b[2J"]),
        frames([b"\xc3\x28 no UTF-8".as_slice(), b"{\"content\": 1}"]),
        frames([
            b"t".as_slice(),
            b"{\"content\": {\"x\": 1}, \"content\": 2}",
        ]),
        frames([b"t".as_slice(), b"[1, 2]"]),
        frames([b"t".as_slice(), b"null"]),
        frames([b"t".as_slice(), "[".repeat(500).as_bytes()]),
        frames([
            b"t".as_slice(),
            format!("{}{}", "[".repeat(500), "]".repeat(500)).as_bytes(),
        ]),
        agent("t", "claude_code", "plain"),
    ]
}

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

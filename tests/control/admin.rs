//! Status, archive now, and the first exchange.

use serde_json::json;

use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber};
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::{agent, agents};

#[test]
fn the_first_exchange_tells_the_version_and_the_limits() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--dedupe-window", "77"]);
    let mut client = Requester::dealer(broker.ports.control);
    let reply = client.call(json!({"op": "hello", "protocol": 1, "client": "a test"}));
    assert_eq!(reply["protocol"], 1);
    assert_eq!(reply["limits"]["dedupe_window"], 77);
    assert_eq!(reply["limits"]["in_flight"], 10_000);
    let reply = client.call(json!({"op": "hello", "protocol": 2}));
    assert_eq!(
        (&reply["code"], &reply["protocols"]),
        (&json!("unsupported_protocol"), &json!([1]))
    );
}

#[test]
fn status_tells_what_there_is() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["a", "b"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("a", 1, 3));
    subscriber.recv(3);
    let mut client = Requester::dealer(broker.ports.control);
    let consumer = client.consume(json!({"name": "reader", "credit": 2}));
    client.messages(2);
    client.ack(consumer, 1);
    let status = client.call(json!({"op": "status"}));
    assert_eq!(status["recording"], true);
    assert_eq!(status["last_message_num"], 3);
    assert_eq!(status["recorded"]["messages"], 3);
    assert_eq!(status["session"]["messages"], 3);
    assert_eq!(status["session"]["bytes"], dir.current_bytes().len());
    assert!(
        status["session"]["file"]
            .as_str()
            .unwrap()
            .ends_with("current_session.jsonl")
    );
    assert!(status["commits"]["p99_us"].as_u64().unwrap() > 0);
    assert!(status["last_commit_age_ms"].is_u64());
    assert!(cfg!(windows) || status["disk_room_bytes"].as_u64().unwrap() > 0);
    assert_eq!(status["damage"]["at_start"], 0);
    let one = &status["subscribers"]["list"][0];
    assert_eq!(
        (&one["topic_count"], &one["lag"]),
        (&json!(2), &json!(0)),
        "{one}"
    );
    let one = &status["consumers"][0];
    assert_eq!(
        (&one["name"], &one["acked"], &one["position"]),
        (&json!("reader"), &json!(1), &json!(2))
    );
    drop(subscriber);
}

#[test]
fn a_position_is_listed_while_its_consumer_is_away() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    client.publish(&agent("t", "a", "1"));
    client.publish(&agent("t", "a", "2"));
    let consumer = client.consume(json!({"name": "reader", "credit": 1}));
    client.messages(1);
    client.ack(consumer, 1);
    client.call(json!({"op": "cancel", "consumer": consumer}));
    let status = client.call(json!({"op": "status"}));
    let one = &status["consumers"][0];
    assert_eq!(
        (&one["connected"], &one["acked"], &one["lag"]),
        (&json!(false), &json!(1), &json!(1))
    );
}

#[test]
fn an_archive_is_made_on_request_and_its_label_is_safe() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    client.publish(&agent("t", "a", "1"));
    let reply = client.call(json!({"op": "archive", "label": "../phase two"}));
    let name = reply["archive"].as_str().unwrap();
    assert!(name.ends_with("_---phase-two.jsonl"), "{name}");
    assert_eq!(reply["messages"], 1);
    assert_eq!(dir.archives(), [name]);
    let reply = client.call(json!({"op": "archive"}));
    assert_eq!(
        (&reply["archive"], &reply["messages"]),
        (&json!(null), &json!(0))
    );
}

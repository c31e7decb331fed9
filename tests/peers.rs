//! Sockets of other types than PUB, SUB and DEALER: stock pyzmq at each port.

use serde_json::json;

use crate::util::broker::Broker;
use crate::util::client::Client;
use crate::util::control::Requester;
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::ids;
use crate::util::record::Record;
use crate::util::wait::until;

#[test]
fn a_push_socket_publishes_and_loses_nothing() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Client::start();
    let port = broker.ports.publish;
    client.call(&json!({"do": "open", "kind": "PUSH", "socket": "push", "port": port}));
    client.call(&json!({
        "do": "burst", "socket": "push", "topic": "load", "sender": "push",
        "first": 1, "count": 5000, "size": 300,
    }));
    client.call(&json!({"do": "leave"}));
    dir.wait_lines(5000);
    let records = dir.records();
    assert_numbered_from(1, &records);
    let recorded: Vec<String> = records.iter().map(Record::id).collect();
    assert!(recorded == ids("push", 1, 5000));
}

#[test]
fn a_socket_of_the_wrong_type_is_named_whatever_port_it_is_at() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let ports = broker.ports;
    let mut client = Client::start();
    for (kind, port, says) in [
        (
            "SUB",
            ports.publish,
            "it is a SUB socket; here PUB sockets connect",
        ),
        (
            "DEALER",
            ports.publish,
            "it is a DEALER socket; here PUB sockets connect",
        ),
        (
            "PUB",
            ports.subscribe,
            "it is a PUB socket; here SUB sockets connect",
        ),
        (
            "PUSH",
            ports.control,
            "it is a PUSH socket; here DEALER sockets connect",
        ),
    ] {
        client.call(&json!({"do": "open", "kind": kind, "socket": kind, "port": port}));
        broker.wait_for_warning(says);
        client.call(&json!({"do": "close", "socket": kind}));
    }
}

#[test]
fn a_wrong_socket_is_named_and_counted_once_however_often_it_comes_back() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let ports = broker.ports;
    let mut client = Client::start();
    for (kind, port) in [
        ("PUB", ports.subscribe),
        ("SUB", ports.publish),
        ("PUSH", ports.control),
    ] {
        for number in 0..5 {
            let name = format!("{kind}-{number}");
            client.call(&json!({"do": "open", "kind": kind, "socket": name, "port": port}));
        }
    }
    let mut requester = Requester::dealer(ports.control);
    // All three kinds have come, and come back many times a second.
    until("many have been sent away", || {
        let refused = requester.call(json!({"op": "status"}))["refused"].clone();
        let many = refused["disconnected"].as_u64() > Some(50);
        let strangers = refused["strangers"].as_u64().unwrap();
        assert!(strangers <= 3, "{refused}");
        (many && strangers == 3).then_some(())
    });
    for says in ["PUB", "SUB", "PUSH"] {
        let says = format!("it is a {says} socket");
        assert_eq!(broker.stderr.text().matches(&says).count(), 1, "{says}");
    }
}

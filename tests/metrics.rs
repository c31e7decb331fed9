//! How recording goes is told to Prometheus and to checks of health.
#![cfg(unix)]

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::util::broker::{Broker, Ports, broker_on};
use crate::util::client::{Publisher, Subscriber};
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::http::{get, metrics_of, value};
use crate::util::message::agents;
use crate::util::process::run;
use crate::util::wait::until;

fn start(dir: &Dir) -> (Broker, String) {
    let mut broker = Broker::start_with(dir, &["--metrics", "127.0.0.1:0"]);
    let address = metrics_of(&mut broker);
    (broker, address)
}

#[test]
fn what_was_recorded_who_is_connected_and_who_is_behind_is_told() {
    let dir = Dir::new();
    let (broker, address) = start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 7));
    assert_eq!(subscriber.recv(7).len(), 7);
    let mut client = Requester::dealer(broker.ports.control);
    let consumer = client.consume(json!({"name": "reader", "from": "start", "credit": 2}));
    client.messages(2);
    client.ack(consumer, 2);
    let (head, body) = get(&address, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    assert_eq!(value(&body, "recorder_messages_recorded_total"), 7.0);
    assert_eq!(value(&body, "recorder_last_message_number"), 7.0);
    assert_eq!(value(&body, "recorder_messages_received_total"), 7.0);
    assert_eq!(value(&body, "recorder_messages_delivered_total"), 7.0);
    let moved = [
        "recorder_received_bytes_total",
        "recorder_delivered_bytes_total",
    ];
    let moved = moved.map(|name| value(&body, name));
    assert!(moved[0] > 0.0 && moved[0] == moved[1], "{moved:?}");
    assert_eq!(value(&body, "recorder_stalled"), 0.0);
    assert_eq!(
        value(&body, "recorder_consumer_lag_messages{consumer=\"reader\"}"),
        5.0
    );
    let connected = "recorder_connections{port=\"subscribe\",mechanism=\"NULL\"}";
    assert_eq!(value(&body, connected), 1.0);
    let commits = value(&body, "recorder_commit_duration_seconds_count");
    assert!(commits >= 1.0);
    assert_eq!(
        value(
            &body,
            "recorder_commit_duration_seconds_bucket{le=\"+Inf\"}"
        ),
        commits
    );
    assert!(value(&body, "recorder_disk_free_bytes") > 0.0);
    assert_eq!(get(&address, "/healthz").1, "ok\n");
    assert_eq!(get(&address, "/readyz").1, "recording\n");
    assert!(get(&address, "/").0.starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_client_that_says_nothing_holds_up_the_next_one_for_a_moment_only() {
    let dir = Dir::new();
    let (mut broker, address) = start(&dir);
    let silent = TcpStream::connect(&address).unwrap();
    let mut endless = TcpStream::connect(&address).unwrap();
    endless
        .set_write_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let _cut_off = endless.write_all(&vec![b'x'; 1 << 20]);
    until("the metrics answer", || {
        (get(&address, "/healthz").1 == "ok\n").then_some(())
    });
    drop(silent);
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
}

#[test]
fn metrics_for_everybody_need_the_users_word() {
    let dir = Dir::new();
    let mut command = broker_on(&dir, Ports::fixed());
    run(command.args(["--metrics", "0.0.0.0:0"]))
        .with_code(2)
        .warns("--insecure");
}

//! An implementation of ZeroMQ that has nothing of libzmq: zmq.rs.

#[path = "interop/zmq_rs/sockets.rs"]
mod sockets;

use std::future::Future;

use serde_json::{Value, json};

use self::sockets::{Kind, ask, publish, receive};
use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agents, ids, shapes};
use crate::util::record::Record;

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

/// Waits until `count` records are there, while others have their turns.
async fn recorded(dir: &Dir, count: usize) {
    while dir.line_count() < count {
        tokio::time::sleep(crate::util::wait::POLL).await;
    }
}

#[test]
fn what_zmq_rs_publishes_is_recorded_and_comes_to_libzmqs_subscribers() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &[""]);
    let port = broker.ports.publish;
    for (kind, topic, already) in [
        (Kind::Pub, "pub", 0),
        (Kind::Push, "push", 100),
        (Kind::Xpub, "xpub", 200),
    ] {
        let messages = agents(topic, 1, 100);
        let arrived = async || recorded(&dir, already + 100).await;
        run(publish(kind, port, &messages, arrived)).unwrap();
        assert!(subscriber.recv(100) == messages, "{topic}");
    }
    let records = dir.records();
    assert_numbered_from(1, &records);
    let found: Vec<String> = records.iter().map(Record::id).collect();
    let expected = ["pub", "push", "xpub"].map(|topic| ids(topic, 1, 100));
    assert_eq!(found, expected.concat());
}

#[test]
fn zmq_rs_gets_history_and_live_messages_of_any_shape_and_only_what_it_asked_for() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let port = broker.ports.subscribe;
    let mut publisher = Publisher::connect(broker.ports.publish);
    let large = vec![b"t".to_vec(), vec![b'x'; 3 << 20]];
    let sent = [agents("t", 1, 50), shapes(), vec![large]].concat();
    publisher.send(&sent);
    dir.wait_lines(sent.len());
    let came = run(receive(port, "", sent.len())).unwrap();
    assert!(came == sent, "the history, byte for byte");
    let came = run(receive(port, "five", 1)).unwrap();
    assert!(came == [shapes()[6].clone()], "one topic");
    let live = run(async {
        let receiving = tokio::task::spawn(async move { receive(port, "live", 100).await });
        let status = async || {
            let request = vec![br#"{"op": "status", "id": 1}"#.to_vec()];
            let reply = ask(broker.ports.control, false, &request).await.unwrap();
            let reply: Value = serde_json::from_slice(&reply[0]).unwrap();
            reply["subscribers"]["list"][0]["topics"] == json!(["live"])
        };
        while !status().await {}
        publisher.send(&agents("live", 1, 100));
        receiving.await.unwrap().unwrap()
    });
    assert!(live == agents("live", 1, 100), "what was sent since");
}

#[test]
fn requests_of_zmq_rs_are_served() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    for (number, as_req) in [(1, false), (2, true)] {
        let header = json!({"op": "publish", "id": number}).to_string();
        let message = agents("t", number, 1).remove(0);
        let request = [vec![header.into_bytes()], message].concat();
        let reply = run(ask(broker.ports.control, as_req, &request)).unwrap();
        let reply: Value = serde_json::from_slice(reply.last().unwrap()).unwrap();
        assert_eq!(reply["message_num"], number, "{reply}");
    }
    let found: Vec<String> = dir.records().iter().map(Record::id).collect();
    assert_eq!(found, ids("t", 1, 2));
}

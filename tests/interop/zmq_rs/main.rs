//! What `just interop` runs of zmq.rs. Prints what came of it as JSON.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "whoever runs it wants to know"
)]

mod sockets;

use std::time::Duration;

use serde_json::{Map, Value, json};

use self::sockets::{Frames, Kind, ask, publish, receive};

const COUNT: usize = 100;

fn port(name: &str) -> u16 {
    std::env::var(name).unwrap().parse().unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let publishers = std::env::var("PUBLISHERS").unwrap();
    let mut total = 0;
    for name in publishers.split(' ') {
        let kind = match name {
            "PUB" => Kind::Pub,
            "XPUB" => Kind::Xpub,
            _ => Kind::Push,
        };
        let message = |number| {
            let payload = json!({"message_id": format!("{name}-{number}")});
            vec![name.as_bytes().to_vec(), payload.to_string().into_bytes()]
        };
        let messages: Vec<Frames> = (0..COUNT).map(message).collect();
        // It has no end that waits for what was not sent.
        let arrived = async || tokio::time::sleep(Duration::from_secs(1)).await;
        publish(kind, port("PUB_PORT"), &messages, arrived)
            .await
            .unwrap();
        total += COUNT;
    }
    let mut result = Map::new();
    let came = receive(port("SUB_PORT"), "", total).await.unwrap();
    result.insert("SUB".to_owned(), json!(came.len()));
    let hello = vec![br#"{"op": "hello", "id": 1, "protocol": 1}"#.to_vec()];
    for (name, as_req) in [("DEALER", false), ("REQ", true)] {
        let reply = ask(port("CONTROL_PORT"), as_req, &hello).await.unwrap();
        let reply: Value = serde_json::from_slice(reply.last().unwrap()).unwrap();
        result.insert(name.to_owned(), reply["type"].clone());
    }
    println!("{}", json!({"version": "zmq.rs 0.7.0", "result": result}));
}

use std::thread;

use serde_json::{Value, json};

use super::*;
use crate::testing::{Accepted, Router};

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);
const LARGE: usize = 1 << 20;

fn header(peer: &mut Accepted) -> Value {
    let frames = peer.receive();
    serde_json::from_slice(&frames[0]).unwrap()
}

fn say(peer: &mut Accepted, header: &Value, frames: &[Vec<u8>]) {
    let header = header.to_string().into_bytes();
    peer.send(&[&[header][..], frames].concat());
}

/// Answers a request for a consumer, and returns it.
fn begin(peer: &mut Accepted, handle: u64, after: u64) -> Value {
    let request = header(peer);
    assert_eq!(request["op"], "consume");
    let id = &request["id"];
    let reply = json!({
        "type": "reply", "id": id, "consumer": handle, "after": after, "journal": "j",
    });
    say(peer, &reply, &[]);
    request
}

fn send(peer: &mut Accepted, handle: u64, number: u64) {
    let header = json!({
        "type": "message", "id": 0, "consumer": handle, "message_num": number,
        "recorded_at": "2025-11-20T04:30:00.123Z",
    });
    say(peer, &header, &[b"t".to_vec(), vec![7; LARGE]]);
}

fn start(router: &Router) -> Consumer {
    let connection = Connection::open(&router.endpoint, None).unwrap();
    Consumer::start(connection, Consume::from(From::Start), LONG).unwrap()
}

fn next(consumer: &mut Consumer) -> u64 {
    consumer.next(LONG).unwrap().unwrap().message_num
}

#[test]
fn large_messages_are_credited_by_their_bytes_and_only_when_they_are_taken() {
    let router = Router::new();
    thread::scope(|scope| {
        let peer = scope.spawn(|| {
            let mut peer = router.accept();
            peer.set_patience(LONG / 2);
            assert_eq!(begin(&mut peer, 3, 0)["credit"], 1_000);
            for number in 1..=3 {
                send(&mut peer, 3, number);
            }
            peer
        });
        let mut consumer = start(&router);
        while consumer.buffer.len() < 3 {
            consumer
                .step(consumer.connection.clock() + ALIVE / 4)
                .unwrap();
        }
        let mut peer = peer.join().unwrap();
        // What comes now says what was taken, whatever signs of life came before it.
        let said = |peer: &mut Accepted| loop {
            let credit = header(peer);
            assert_eq!(credit["op"], "credit");
            if credit["credit"] != 0 {
                return (credit["credit"].clone(), credit["received"].clone());
            }
            assert_eq!(credit["received"], 0, "what waits here was not taken");
        };
        for number in 1..=2 {
            assert_eq!(next(&mut consumer), number);
            assert_eq!(said(&mut peer), (json!(1), json!(number)));
        }
    });
}

#[test]
fn a_consumer_that_was_lost_is_asked_for_again_with_room_for_what_waits_here() {
    let router = Router::new();
    thread::scope(|scope| {
        let peer = scope.spawn(|| {
            let mut peer = router.accept();
            begin(&mut peer, 3, 0);
            send(&mut peer, 3, 1);
            send(&mut peer, 3, 2);
            let unknown =
                json!({"type": "error", "id": 0, "code": "unknown_consumer", "message": ""});
            say(&mut peer, &unknown, &[]);
            let request = begin(&mut peer, 4, 2);
            send(&mut peer, 4, 3);
            request
        });
        let mut consumer = start(&router);
        while consumer.buffer.len() < 3 {
            consumer.step(consumer.connection.clock() + LONG).unwrap();
        }
        let request = peer.join().unwrap();
        assert_eq!(
            (&request["from"], &request["credit"]),
            (&json!(3), &json!(998))
        );
        assert_eq!([1, 2, 3].map(|_| next(&mut consumer)), [1, 2, 3]);
    });
}

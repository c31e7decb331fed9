use std::thread;

use serde_json::{Value, json};

use super::*;
use crate::testing::{Router, answer, greeting};

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);
const COUNT: usize = 60;

/// A broker that keeps to the rules for sequences, and what it has recorded.
struct Broker {
    router: Router,
    sequence: u64,
    recorded: Vec<usize>,
}

impl Broker {
    /// Serves one connection until the client leaves it, all is recorded, or `most`
    /// messages were taken, whose replies are lost.
    fn serve(&mut self, most: usize) {
        let mut peer = self.router.accept();
        let (mut current, mut taken) = (None, 0);
        while let Some(frames) = peer.try_receive() {
            let header: Value = serde_json::from_slice(&frames[0]).unwrap();
            let id = &header["id"];
            if header["op"] == "hello" {
                self.sequence += 1;
                current = Some(self.sequence);
                answer(&mut peer, &greeting(id, self.sequence));
                continue;
            }
            taken += 1;
            if taken > most {
                return;
            }
            if header["sequence"].as_u64() != current {
                answer(&mut peer, &interrupted(id));
                continue;
            }
            let payload: Value = serde_json::from_slice(&frames[2]).unwrap();
            let number = payload["message_id"].as_str().unwrap().parse().unwrap();
            if !self.recorded.contains(&number) {
                self.recorded.push(number);
            }
            if most == usize::MAX {
                answer(&mut peer, &published(id));
            }
        }
    }
}

fn interrupted(id: &Value) -> Value {
    json!({"type": "error", "id": id, "code": "interrupted", "recorded": false, "message": ""})
}

fn published(id: &Value) -> Value {
    json!({"type": "reply", "id": id, "message_num": 1, "duplicate": false})
}

/// A large one with a sender and a name.
fn message(number: usize) -> [Vec<u8>; 2] {
    let name = number.to_string();
    let content = "x".repeat(100 << 10);
    let payload = json!({"sender_id": "a", "message_id": name, "content": content});
    [b"t".to_vec(), payload.to_string().into_bytes()]
}

/// The socket goes on with what waits when its connection is lost; the broker refuses
/// that, and gets first what was lost.
#[test]
fn what_was_lost_with_a_connection_is_sent_before_what_came_behind_it() {
    let mut broker = Broker {
        router: Router::new(),
        sequence: 0,
        recorded: Vec::new(),
    };
    let mut connection = Connection::open(&broker.router.endpoint, None).unwrap();
    let messages: Vec<_> = (0..COUNT).map(message).collect();
    thread::scope(|scope| {
        let serving = scope.spawn(move || {
            broker.serve(3);
            while broker.recorded.len() < COUNT {
                broker.serve(usize::MAX);
            }
            broker.recorded
        });
        let done = publish_all(&mut connection, &messages, LONG).unwrap();
        assert_eq!(done.len(), COUNT);
        drop(connection);
        let recorded = serving.join().unwrap();
        assert!(recorded.is_sorted(), "{recorded:?}");
    });
}

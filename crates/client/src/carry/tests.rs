use std::thread;

use serde_json::{Value, json};

use super::*;
use crate::testing::{Accepted, Router, answer, greeting};

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);

/// A broker that takes another journal's messages in their order.
#[derive(Default)]
struct Broker {
    /// What is recorded, by the numbers there.
    recorded: Vec<u64>,
    /// What each message was said to come behind.
    asked: Vec<(u64, u64)>,
    /// A message that is refused once, and with which code.
    refused: Option<(u64, &'static str)>,
}

impl Broker {
    /// Serves a client, and whoever it carries with, until both have left.
    fn serve(&mut self, router: &Router, connections: usize) {
        let mut client = router.accept();
        self.talk(&mut client, 1);
        for _ in 1..connections {
            self.talk(&mut router.accept(), usize::MAX);
        }
    }

    /// Answers so many requests, or all up to the end of the connection.
    fn talk(&mut self, peer: &mut Accepted, most: usize) {
        for _ in 0..most {
            let Some(frames) = peer.try_receive() else {
                return;
            };
            let header: Value = serde_json::from_slice(&frames[0]).unwrap();
            let reply = self.reply(&header);
            answer(peer, &reply);
        }
    }

    fn reply(&mut self, header: &Value) -> Value {
        let id = &header["id"];
        let last = self.recorded.last().copied().unwrap_or(0);
        match header["op"].as_str().unwrap() {
            "hello" => greeting(id, 1),
            "origins" => json!({"type": "reply", "id": id, "origins": [
                {"journal": "other", "name": "x", "message_num": 99, "recorded_as": 98},
                {"journal": "there", "name": "x", "message_num": last, "recorded_as": 99},
            ]}),
            _ => {
                let origin = &header["origin"];
                assert_eq!(
                    (&origin["journal"], &origin["name"]),
                    (&json!("there"), &json!("laptop"))
                );
                let number = |name: &str| origin[name].as_u64().unwrap();
                self.take(id, number("message_num"), number("after"), last)
            }
        }
    }

    fn take(&mut self, id: &Value, number: u64, after: u64, last: u64) -> Value {
        self.asked.push((number, after));
        let refused = self.refused.take_if(|(refused, _)| *refused == number);
        let code = match refused {
            Some((_, code)) => code,
            None if after != last => "origin_gap",
            None => {
                self.recorded.push(number);
                return json!({"type": "reply", "id": id, "message_num": number, "duplicate": false});
            }
        };
        json!({"type": "error", "id": id, "code": code, "message": "", "recorded": false})
    }
}

/// Lets a carrier work with a broker that sees so many connections.
fn beside<T>(
    mut broker: Broker,
    connections: usize,
    work: impl FnOnce(&mut Carrier) -> T,
) -> (Broker, T) {
    let router = Router::new();
    thread::scope(|scope| {
        let serving = scope.spawn(|| {
            broker.serve(&router, connections);
            broker
        });
        let client = Client::connect(&router.endpoint, LONG).unwrap();
        let mut carrier = client.carry("there", "laptop").unwrap();
        let result = work(&mut carrier);
        drop(carrier);
        (serving.join().unwrap(), result)
    })
}

fn messages(numbers: &[u64]) -> Vec<Foreign> {
    let message = |number: &u64| Foreign {
        message_num: *number,
        frames: vec![b"t".to_vec()],
    };
    numbers.iter().map(message).collect()
}

#[test]
fn each_message_is_sent_behind_the_one_before_it_whatever_numbers_are_missing() {
    let messages = messages(&[3, 4, 9]);
    let (broker, done) = beside(Broker::default(), 2, |it| it.publish_all(0, &messages));
    done.unwrap();
    assert_eq!(broker.asked, [(3, 0), (4, 3), (9, 4)]);
}

#[test]
fn what_was_refused_for_a_moment_is_sent_again_and_nothing_before_it() {
    let broker = Broker {
        refused: Some((3, "busy")),
        ..Broker::default()
    };
    let messages = messages(&[1, 2, 3, 4, 5]);
    let (broker, done) = beside(broker, 3, |it| it.publish_all(0, &messages));
    done.unwrap();
    assert_eq!(broker.recorded, [1, 2, 3, 4, 5]);
    assert_eq!(
        broker
            .asked
            .iter()
            .filter(|(number, _)| *number < 3)
            .count(),
        2
    );
}

#[test]
fn what_is_here_already_is_passed_over() {
    let broker = Broker {
        recorded: vec![1, 2],
        ..Broker::default()
    };
    let messages = messages(&[1, 2, 3]);
    let (broker, done) = beside(broker, 3, |it| it.publish_all(0, &messages));
    done.unwrap();
    assert_eq!(broker.recorded, [1, 2, 3]);
}

#[test]
fn a_refusal_that_does_not_pass_is_returned_and_what_came_before_is_recorded() {
    let broker = Broker {
        refused: Some((2, "too_large")),
        ..Broker::default()
    };
    let messages = messages(&[1, 2]);
    let (broker, done) = beside(broker, 2, |it| it.publish_all(0, &messages));
    assert_eq!(done.unwrap_err().code(), Some("too_large"));
    assert_eq!((broker.recorded, broker.asked.len()), (vec![1], 2));
}

#[test]
fn a_gap_that_stays_is_an_error_when_the_time_is_up() {
    let (broker, done) = beside(Broker::default(), 2, |carrier| {
        carrier.client.set_timeout(Duration::ZERO);
        carrier.publish_all(7, &messages(&[8]))
    });
    assert_eq!(done.unwrap_err().code(), Some(code::ORIGIN_GAP));
    assert!(broker.recorded.is_empty());
}

#[test]
fn the_last_message_is_that_of_the_same_journal() {
    let (_, last) = beside(Broker::default(), 2, Carrier::last);
    assert_eq!(last.unwrap(), 0);
    let broker = Broker {
        recorded: vec![5],
        ..Broker::default()
    };
    assert_eq!(beside(broker, 2, Carrier::last).1.unwrap(), 5);
}

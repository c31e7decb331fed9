//! Acknowledged publishing: the reply means that it is on disk, and a message
//! that is sent again is recorded once.

use std::collections::BTreeMap;

use serde_json::json;

use crate::util::broker::{Broker, Ports};
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::control::Requester;
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agent, agents, frames, shapes};
use crate::util::record::Record;

#[test]
fn the_reply_carries_the_number_under_which_the_message_is_on_disk() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    for number in 1..=3 {
        let reply = client.publish(&agent("t", "a", &format!("t-{number}")));
        assert_eq!(reply["type"], "reply");
        assert_eq!(reply["message_num"], number);
        assert_eq!(reply["duplicate"], false);
        assert_eq!(dir.line_count(), number, "it is there when the reply is");
    }
    assert_eq!(dir.records()[2].id(), "t-3");
}

#[test]
fn a_req_socket_publishes_too() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::req(broker.ports.control);
    for number in 1..=3 {
        let reply = client.publish(&agent("t", "a", &format!("t-{number}")));
        assert_eq!(reply["message_num"], number);
    }
    let status = client.call(json!({"op": "status"}));
    assert_eq!(status["last_message_num"], 3);
}

#[test]
fn many_requests_in_flight_share_commits_and_mix_with_publishers() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.begin_burst("plain", 1, 2_000, 300);
    let mut client = Requester::dealer(broker.ports.control);
    client.send_publish(&agents("acked", 1, 2_000));
    let replies = client.recv(2_000);
    publisher.wait_sent();
    dir.wait_lines(4_000);
    let records = dir.records();
    assert_numbered_from(1, &records);
    let numbers: BTreeMap<String, u64> = records
        .iter()
        .map(|record| (record.id(), record.num()))
        .collect();
    for (reply, _) in replies {
        let id = format!("acked-{}", reply["id"]);
        assert_eq!(reply["message_num"], numbers[&id], "{id}");
    }
    let status = client.call(json!({"op": "status"}));
    let commits = status["commits"]["count"].as_u64().unwrap();
    assert!(commits < 2_000, "{commits} commits for 4000 messages");
}

#[test]
fn messages_of_every_shape_are_recorded_and_delivered_like_any_other() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &[""]);
    let mut client = Requester::dealer(broker.ports.control);
    client.send_publish(&shapes());
    let replies = client.recv(shapes().len());
    assert!(replies.iter().all(|(reply, _)| reply["type"] == "reply"));
    assert_eq!(subscriber.recv(shapes().len()), shapes());
}

#[test]
fn a_message_that_is_sent_again_gets_its_first_number_also_after_a_crash() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    let message = agent("t", "a", "once");
    assert_eq!(client.publish(&message)["message_num"], 1);
    let again = client.publish(&message);
    assert_eq!(
        (&again["message_num"], &again["duplicate"]),
        (&json!(1), &json!(true))
    );
    // Another sender's name for another message.
    assert_eq!(client.publish(&agent("t", "b", "once"))["message_num"], 2);
    client.call(json!({"op": "archive"}));
    client.publish(&agent("t", "a", "second"));
    broker.kill9();
    let mut broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    assert_eq!(client.publish(&message)["message_num"], 1);
    assert_eq!(client.publish(&agent("t", "a", "second"))["message_num"], 3);
    broker.kill9();
    assert_eq!(dir.all_records().len(), 3, "nothing is recorded twice");
}

#[test]
fn a_name_that_is_used_again_for_another_message_is_refused_with_the_first_number() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    let first = agent("t", "a", "once");
    let mut others = vec![first.clone(); 3];
    others[0][0] = b"other topic".to_vec();
    others[1][1].push(b' ');
    others[2].push(b"one more frame".to_vec());
    assert_eq!(client.publish(&first)["message_num"], 1);
    let assert_refused = |client: &mut Requester| {
        for other in &others {
            let reply = client.publish(other);
            assert_eq!(reply["code"], "id_reused", "{reply}");
            assert_eq!(reply["message_num"], 1, "{reply}");
            assert_eq!(reply["recorded"], false, "{reply}");
        }
        let again = client.publish(&first);
        assert_eq!(again["message_num"], 1, "{again}");
    };
    assert_refused(&mut client);
    broker.kill9();
    let broker = Broker::start(&dir);
    assert_refused(&mut Requester::dealer(broker.ports.control));
    assert_eq!(dir.line_count(), 1);
}

#[test]
fn two_messages_of_one_name_at_once_are_never_both_acknowledged() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    let first = agent("t", "a", "once");
    let other = agent("u", "a", "once");
    client.send_publish(&[first, other]);
    let replies = client.recv(2);
    let of = |id: u64| {
        &replies
            .iter()
            .find(|(reply, _)| reply["id"] == id)
            .unwrap()
            .0
    };
    assert_eq!(of(1)["message_num"], 1);
    assert_eq!(
        (&of(2)["code"], &of(2)["message_num"]),
        (&json!("id_reused"), &json!(1))
    );
    assert_eq!(dir.line_count(), 1);
}

#[test]
fn the_same_message_twice_at_once_is_recorded_once() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    client.send_publish(&vec![agent("t", "a", "once"); 100]);
    for (reply, _) in client.recv(100) {
        assert_eq!(reply["message_num"], 1, "{reply}");
    }
    assert_eq!(dir.line_count(), 1);
}

#[test]
fn what_has_no_sender_or_came_through_a_pub_socket_is_never_taken_for_a_repetition() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &[agent("t", "a", "one")]);
    dir.wait_lines(1);
    let mut client = Requester::dealer(broker.ports.control);
    assert_eq!(client.publish(&agent("t", "a", "one"))["message_num"], 2);
    publish(broker.ports.publish, &[agent("t", "a", "one")]);
    dir.wait_lines(3);
    let nameless = frames([b"t".as_slice(), br#"{"message_id": "x"}"#]);
    assert_eq!(client.publish(&nameless)["message_num"], 4);
    assert_eq!(client.publish(&nameless)["message_num"], 5);
    assert_eq!(client.publish(&agent("t", "a", "one"))["message_num"], 2);
}

#[test]
fn beyond_the_window_a_message_is_a_new_one_before_and_after_a_restart() {
    let dir = Dir::new();
    let options = ["--dedupe-window", "5"];
    let mut broker = Broker::start_with(&dir, &options);
    let mut client = Requester::dealer(broker.ports.control);
    for number in 1..=6 {
        client.publish(&agent("t", "a", &format!("t-{number}")));
    }
    assert_eq!(client.publish(&agent("t", "a", "t-2"))["message_num"], 2);
    assert_eq!(client.publish(&agent("t", "a", "t-1"))["message_num"], 7);
    broker.kill9();
    let broker = Broker::start_with(&dir, &options);
    let mut client = Requester::dealer(broker.ports.control);
    assert_eq!(client.publish(&agent("t", "a", "t-3"))["message_num"], 3);
    assert_eq!(client.publish(&agent("t", "a", "t-2"))["message_num"], 8);
}

#[test]
fn a_message_that_is_too_large_is_refused_and_nothing_is_recorded() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--max-message-size", "1000"]);
    let mut client = Requester::dealer(broker.ports.control);
    let large = vec![b"t".to_vec(), vec![b'x'; 2000]];
    let reply = client.publish(&large);
    assert_eq!(
        (&reply["code"], &reply["recorded"]),
        (&json!("too_large"), &json!(false))
    );
    assert!(
        reply["message"].as_str().unwrap().contains("1000"),
        "{reply}"
    );
    assert_eq!(client.publish(&agent("t", "a", "small"))["message_num"], 1);
    // Of one that is not even read, the header says whose it was.
    let larger = vec![b"t".to_vec(), vec![b'x'; 100_000]];
    let reply = client.publish(&larger);
    assert_eq!(
        (&reply["code"], &reply["recorded"]),
        (&json!("too_large"), &json!(false)),
        "{reply}"
    );
}

/// A publisher that retries, through kill after kill: every message once.
#[test]
fn a_publisher_that_sends_again_ends_with_every_message_recorded_once() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let messages = agents("t", 1, 300);
    let mut acked: BTreeMap<usize, u64> = BTreeMap::new();
    let mut broker = Broker::start_on(&dir, ports, &[]);
    for round in 0..3 {
        let mut client = Requester::dealer(ports.control);
        client.send_publish(&messages);
        // Some replies are read, and the rest is lost with the broker.
        for (reply, _) in client.recv(1 + round * 40) {
            let index = usize::try_from(reply["id"].as_u64().unwrap()).unwrap();
            let number = reply["message_num"].as_u64().unwrap();
            let before = acked.insert(index, number);
            assert!(before.is_none_or(|before| before == number), "{reply}");
        }
        broker.kill9();
        broker = Broker::start_on(&dir, ports, &[]);
    }
    let mut client = Requester::dealer(ports.control);
    client.send_publish(&messages);
    for (reply, _) in client.recv(messages.len()) {
        let index = usize::try_from(reply["id"].as_u64().unwrap()).unwrap();
        let number = reply["message_num"].as_u64().unwrap();
        assert_eq!(*acked.entry(index).or_insert(number), number, "{reply}");
    }
    broker.kill9();
    let (records, torn) = dir.survivors();
    assert!(torn <= 4);
    let ids: Vec<String> = records.iter().map(Record::id).collect();
    assert_eq!(
        ids.len(),
        messages.len(),
        "none is missing, none is there twice"
    );
    for record in &records {
        let index: usize = record.id().trim_start_matches("t-").parse().unwrap();
        assert_eq!(acked[&index], record.num(), "the number that was told");
    }
}

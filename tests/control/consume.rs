//! Durable consumers: from any position, in order, byte for byte, and on from
//! where they were after either side restarts.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::util::broker::{Broker, Ports};
use crate::util::client::{Publisher, publish};
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::{agent, agents, frames, shapes};
use crate::util::wait::until;

fn numbers(messages: &[(u64, Vec<Vec<u8>>)]) -> Vec<u64> {
    messages.iter().map(|(number, _)| *number).collect()
}

/// Six messages: two in an archive, two in another one, two in the session.
fn six() -> (Dir, Broker) {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    for number in 1..=6 {
        client.publish(&agent("t", "a", &format!("t-{number}")));
        if number % 2 == 0 && number < 6 {
            let reply = client.call(json!({"op": "archive", "label": "phase"}));
            assert_eq!(reply["messages"], 2, "{reply}");
        }
    }
    (dir, broker)
}

#[test]
fn a_consumer_gets_archives_and_the_session_in_order_and_then_what_is_live() {
    let (_dir, broker) = six();
    let mut client = Requester::dealer(broker.ports.control);
    client.consume(json!({"from": "start", "credit": 100}));
    let got = client.messages(6);
    assert_eq!(numbers(&got), [1, 2, 3, 4, 5, 6]);
    assert_eq!(got[0].1, agent("t", "a", "t-1"));
    publish(broker.ports.publish, &agents("live", 7, 2));
    let live = client.messages(2);
    assert_eq!(numbers(&live), [7, 8]);
    assert_eq!(live[0].1, agents("live", 7, 1)[0]);
}

#[test]
fn every_position_is_a_beginning() {
    let (_dir, broker) = six();
    let mut client = Requester::dealer(broker.ports.control);
    for (from, first) in [
        (json!(1), 1),
        (json!(4), 4),
        (json!(6), 6),
        (json!("start"), 1),
        (json!("session"), 5),
        (json!({"time": "2020-01-01T00:00:00Z"}), 1),
    ] {
        let request = json!({"from": from, "credit": 100, "follow": false});
        client.consume(request);
        let expected: Vec<u64> = (first..=6).collect();
        assert_eq!(
            numbers(&client.messages(expected.len())),
            expected,
            "{from}"
        );
        let end = client.reply();
        assert_eq!(
            (&end["type"], &end["reason"]),
            (&json!("end"), &json!("head"))
        );
        assert_eq!(end["message_num"], 6);
    }
    for from in [
        json!(7),
        json!("now"),
        json!({"time": "2999-01-01T00:00:00Z"}),
    ] {
        client.consume(json!({"from": from, "credit": 100, "follow": false}));
        assert_eq!(client.reply()["reason"], "head", "{from}");
    }
}

#[test]
fn a_position_beyond_the_end_or_gone_is_a_clear_error() {
    let (dir, broker) = six();
    let mut client = Requester::dealer(broker.ports.control);
    let reply = client.call(json!({"op": "consume", "from": 8, "credit": 1}));
    assert_eq!(
        (&reply["code"], &reply["last"]),
        (&json!("beyond_head"), &json!(6))
    );
    let oldest = &dir.archives()[0];
    fs::rename(dir.archive().join(oldest), dir.path().join("moved")).unwrap();
    let reply = client.call(json!({"op": "consume", "from": 1, "credit": 1}));
    assert_eq!(
        (&reply["code"], &reply["oldest"]),
        (&json!("gone"), &json!(3))
    );
    client.consume(json!({"from": "start", "credit": 10, "follow": false}));
    assert_eq!(numbers(&client.messages(4)), [3, 4, 5, 6]);
}

#[test]
fn filters_combine() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    let other = br#"{"sender": "b", "tier": "E", "chain_type": "c", "shl_tags": ["@x"], "n": 1}"#;
    for message in [
        agent("design.one", "a", "1"),
        frames([b"design.two".as_slice(), other]),
        agent("other", "a", "3"),
    ] {
        client.publish(&message);
    }
    for (filter, expected) in [
        (json!({"topic": "design"}), vec![1, 2]),
        (json!({"sender": "a"}), vec![1, 3]),
        (json!({"tier": "E"}), vec![2]),
        (json!({"chain": "c"}), vec![2]),
        (json!({"tag": "@Status-Ready"}), vec![1, 3]),
        (json!({"topic": "design", "sender": "a"}), vec![1]),
        (json!({"topic": "design", "tag": "@nothing"}), vec![]),
    ] {
        let request = json!({"from": "start", "credit": 10, "follow": false, "filter": filter});
        client.consume(request);
        assert_eq!(
            numbers(&client.messages(expected.len())),
            expected,
            "{filter}"
        );
        assert_eq!(client.reply()["message_num"], 3, "{filter}");
    }
}

#[test]
fn frames_come_byte_for_byte() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &shapes());
    dir.wait_lines(shapes().len());
    let mut client = Requester::dealer(broker.ports.control);
    client.consume(json!({"from": "start", "credit": 100}));
    let got = client.messages(shapes().len());
    let got: Vec<_> = got.into_iter().map(|(_, frames)| frames).collect();
    assert_eq!(got, shapes());
}

#[test]
fn credit_bounds_what_comes_and_the_consumer_goes_on_when_more_is_given() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, 50));
    dir.wait_lines(50);
    let mut client = Requester::dealer(broker.ports.control);
    let consumer = client.consume(json!({"from": "start", "credit": 3}));
    assert_eq!(numbers(&client.messages(3)), [1, 2, 3]);
    // Nothing comes between: the next message is the reply.
    let pong = client.call(json!({"op": "ping"}));
    assert_eq!(pong["type"], "reply");
    let grant = json!({"op": "credit", "consumer": consumer, "credit": 2, "received": 3});
    let reply = client.call(grant);
    assert_eq!(reply["credit"], 2, "{reply}");
    assert_eq!(numbers(&client.messages(2)), [4, 5]);
}

#[test]
fn a_named_consumer_goes_on_where_it_acknowledged_after_either_side_restarts() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &[]);
    publish(ports.publish, &agents("t", 1, 10));
    dir.wait_lines(10);
    let request = json!({"name": "indexer", "credit": 4});
    let mut client = Requester::dealer(ports.control);
    let consumer = client.consume(request.clone());
    assert_eq!(numbers(&client.messages(4)), [1, 2, 3, 4]);
    client.ack(consumer, 3);
    drop(client);
    let mut client = Requester::dealer(ports.control);
    let consumer = client.consume(request.clone());
    assert_eq!(numbers(&client.messages(4)), [4, 5, 6, 7]);
    client.ack(consumer, 6);
    broker.kill9();
    let broker = Broker::start_on(&dir, ports, &[]);
    let mut client = Requester::dealer(ports.control);
    client.call(json!({"op": "archive"}));
    client.consume(request);
    assert_eq!(numbers(&client.messages(4)), [7, 8, 9, 10]);
    let file = dir.logs().join("consumers/consumer_indexer.json");
    let kept: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(
        (&kept["name"], &kept["message_num"]),
        (&json!("indexer"), &json!(6))
    );
    drop(broker);
}

#[test]
fn the_newest_consumer_of_a_name_is_the_one() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, 5));
    dir.wait_lines(5);
    let mut first = Requester::dealer(broker.ports.control);
    let older = first.consume(json!({"name": "one", "credit": 5}));
    first.messages(5);
    let mut second = Requester::dealer(broker.ports.control);
    second.consume(json!({"name": "one", "credit": 5}));
    let end = first.reply();
    assert_eq!(
        (&end["reason"], &end["consumer"]),
        (&json!("replaced"), &json!(older))
    );
    let late = first.call(json!({"op": "ack", "consumer": older, "message_num": 5}));
    assert_eq!(late["code"], "unknown_consumer");
    assert_eq!(numbers(&second.messages(5)), [1, 2, 3, 4, 5]);
}

#[test]
fn archives_made_while_a_consumer_reads_cost_it_nothing() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut consumer = Requester::dealer(broker.ports.control);
    consumer.consume(json!({"from": "start", "credit": 10_000}));
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut client = Requester::dealer(broker.ports.control);
    for round in 0..10 {
        publisher.begin_burst("load", 1 + round * 500, 500, 300);
        client.call(json!({"op": "archive"}));
        publisher.wait_sent();
    }
    let got = consumer.messages(5_000);
    let expected: Vec<u64> = (1..=5_000).collect();
    assert_eq!(numbers(&got), expected);
    assert!(dir.archives().len() >= 2, "{:?}", dir.archives());
}

#[cfg(target_os = "linux")]
#[test]
fn a_consumer_that_does_not_read_costs_bounded_memory_and_delays_nobody() {
    use crate::util::proc::resident;

    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--max-memory", "16MiB"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.burst("load", 1, 4_000, 20_000);
    dir.wait_lines(4_000);
    let before = resident(&broker);
    let mut stuck = Requester::small_dealer(broker.ports.control);
    stuck.consume(json!({"from": "start", "credit": 10_000}));
    let mut client = Requester::dealer(broker.ports.control);
    let position = |client: &mut Requester| {
        let status = client.call(json!({"op": "status"}));
        status["consumers"][0]["position"].as_u64().unwrap()
    };
    // It has got as far as it will when it does so no more.
    let stop = until("the window to be full", || {
        let first = position(&mut client);
        std::thread::sleep(Duration::from_millis(200));
        (first > 0 && position(&mut client) == first).then_some(first)
    });
    assert!(stop < 1_000, "{stop} messages of 20 kB were read ahead");
    let grown = resident(&broker).saturating_sub(before);
    assert!(grown < 24 << 20, "{grown} bytes");
    let start = Instant::now();
    client.publish(&agent("t", "a", "quick"));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_rehearsal_keeps_the_original_pace_or_a_faster_one() {
    let dir = Dir::new();
    let line = |number: u64, second: u64| {
        format!(
            "{{\"message_num\":{number},\"topic\":\"t\",\"content\":1,\
             \"recorded_at\":\"2025-11-20T04:30:0{second}.000Z\"}}\n"
        )
    };
    dir.write_current([line(1, 0), line(2, 2), line(3, 4)].concat());
    let broker = Broker::start(&dir);
    let mut client = Requester::dealer(broker.ports.control);
    let start = Instant::now();
    client.consume(json!({"from": "start", "credit": 10, "pace": 4, "follow": false}));
    assert_eq!(numbers(&client.messages(3)), [1, 2, 3]);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(900), "{took:?}");
    let start = Instant::now();
    client.reply();
    client.consume(json!({"from": "start", "credit": 10, "pace": 1000, "follow": false}));
    client.messages(3);
    assert!(start.elapsed() < Duration::from_millis(900));
}

/// A consumer that resumes, through kill after kill: every message once.
#[test]
fn a_consumer_that_goes_on_ends_with_every_message_once() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut seen: Vec<u64> = Vec::new();
    let mut sent = 0;
    for round in 0..4 {
        let mut broker = Broker::start_on(&dir, ports, &[]);
        publish(ports.publish, &agents("t", sent + 1, 100));
        sent += 100;
        until("the record", || {
            (dir.all_records().len() >= sent).then_some(())
        });
        let mut client = Requester::dealer(ports.control);
        let count = if round == 3 { sent - seen.len() } else { 60 };
        let consumer = client.consume(json!({"name": "once", "credit": count}));
        let got = client.messages(count);
        seen.extend(numbers(&got));
        client.ack(consumer, *seen.last().unwrap());
        if round % 2 == 1 {
            client.call(json!({"op": "archive"}));
        }
        broker.kill9();
    }
    let expected: Vec<u64> = (1..=400).collect();
    assert_eq!(seen, expected);
}

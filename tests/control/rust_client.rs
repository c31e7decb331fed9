//! The Rust client against the real broker, which is killed again and again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use client::{Client, Consume, Error, From};

use crate::util::broker::{Broker, Ports, free_port};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{Frames, agents};
use crate::util::record::Record;
use crate::util::wait::{DEADLINE, until};

fn connect(ports: Ports) -> Client {
    Client::connect(&format!("tcp://127.0.0.1:{}", ports.control), DEADLINE).unwrap()
}

#[test]
fn every_message_is_recorded_and_consumed_once_while_the_broker_is_killed() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &[]);
    let messages = agents("t", 1, 6_000);
    let done = AtomicBool::new(false);
    let (published, consumed) = thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let mut client = connect(ports);
            let published: Vec<_> = messages
                .chunks(200)
                .flat_map(|chunk| client.publish_all(chunk).unwrap())
                .collect();
            done.store(true, Ordering::SeqCst);
            published
        });
        let consumer = scope.spawn(|| {
            let mut consumer = connect(ports).consume(Consume::named("reader")).unwrap();
            let mut consumed: Vec<(u64, Frames)> = Vec::new();
            while consumed.len() < messages.len() {
                let message = consumer.next(DEADLINE).unwrap().expect("a message");
                consumed.push((message.message_num, message.frames));
                if consumed.len().is_multiple_of(500) {
                    consumer.ack(message.message_num).unwrap();
                }
            }
            consumed
        });
        for _ in 0..4 {
            let before = dir.current_bytes().len();
            until("progress", || {
                let over = done.load(Ordering::SeqCst);
                (over || dir.current_bytes().len() > before + 50_000).then_some(())
            });
            broker.kill9();
            broker = Broker::start_on(&dir, ports, &[]);
        }
        (publisher.join().unwrap(), consumer.join().unwrap())
    });
    broker.kill9();
    let (records, _) = dir.survivors();
    assert_eq!(records.len(), messages.len());
    assert_numbered_from(1, &records);
    let ids: BTreeSet<String> = records.iter().map(Record::id).collect();
    assert_eq!(ids.len(), messages.len(), "none is there twice");
    for (record, (number, _)) in records.iter().zip(&consumed) {
        assert_eq!(record.num(), *number, "each once, in order");
    }
    for (published, message) in published.iter().zip(&messages) {
        let (_, frames) = &consumed[usize::try_from(published.message_num).unwrap() - 1];
        assert_eq!(frames, message, "under the number that was told");
    }
}

#[test]
fn positions_filters_and_the_end_work() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut client = connect(broker.ports);
    client.publish_all(&agents("a", 1, 3)).unwrap();
    let archived = client.archive(Some("phase")).unwrap().unwrap();
    assert_eq!(archived.messages, 3);
    assert!(archived.name.ends_with("_phase.jsonl"), "{}", archived.name);
    assert_eq!(client.archive(None).unwrap(), None);
    client.publish_all(&agents("b", 1, 2)).unwrap();
    let mut consumer = client
        .consume(Consume {
            topic: Some("b".to_owned()),
            ends_at_head: true,
            ..Consume::from(From::Start)
        })
        .unwrap();
    let mut numbers = Vec::new();
    while consumer.end().is_none() {
        let message = consumer.next(DEADLINE).unwrap();
        numbers.extend(message.map(|message| message.message_num));
    }
    assert_eq!((numbers, consumer.end()), (vec![4, 5], Some(5)));
    let error = client.consume(Consume::from(From::Number(9))).err();
    assert_eq!(error.as_ref().and_then(Error::code), Some("beyond_head"));
    assert_eq!(client.status().unwrap().last_message_num, 5);
}

#[test]
fn nobody_who_answers_is_an_error_that_names_the_address() {
    let endpoint = format!("tcp://127.0.0.1:{}", free_port());
    let error = Client::connect(&endpoint, Duration::from_millis(200))
        .err()
        .unwrap();
    assert!(error.to_string().contains(&endpoint), "{error}");
}

//! A subscriber gets the session's history and then what is live: once, in order, and it alone.

use crate::util::broker::{Broker, Ports};
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::Dir;
use crate::util::message::{agent, agents, ids};
use crate::util::record::Record;
use crate::util::wait::until;

/// Ids in the order of the journal.
fn journal(dir: &Dir) -> Vec<String> {
    dir.records().iter().map(Record::id).collect()
}

#[test]
fn a_new_subscriber_gets_the_history_and_then_what_is_live() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 20));
    dir.wait_lines(20);

    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    assert_eq!(subscriber.recv(20), agents("t", 1, 20));
    publisher.send(&agents("t", 21, 20));
    assert_eq!(subscriber.recv(20), agents("t", 21, 20));
}

#[test]
fn subscribers_that_join_at_full_speed_get_everything_once_and_in_order() {
    const COUNT: usize = 20_000;
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--history", "1000000"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.begin_burst("load", 1, COUNT, 256);

    let mut subscribers = Vec::new();
    for lines in [1, 2000, 5000] {
        dir.wait_lines(lines);
        let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["load"]);
        subscriber.begin_ids_until(&format!("load-{COUNT}"));
        subscribers.push(subscriber);
    }
    let expected = ids("load", 1, COUNT);
    for subscriber in &mut subscribers {
        assert!(
            subscriber.wait_ids() == expected,
            "not each message once and in order"
        );
    }
    assert!(
        journal(&dir) == expected,
        "the journal has each message once and in order"
    );
}

#[test]
fn a_socket_that_reconnects_by_itself_gets_the_session_again_and_misses_nothing() {
    const COUNT: usize = 10_000;
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &["--history", "1000000"]);
    let mut publisher = Publisher::connect(ports.publish);
    let mut subscriber = Subscriber::connect(ports.subscribe, &["load"]);
    publisher.burst("first", 1, 100, 256);
    assert_eq!(subscriber.ids_until("first-100"), ids("first", 1, 100));

    broker.kill9();
    subscriber.wait_disconnected();
    let broker = Broker::start_on(&dir, ports, &["--history", "1000000"]);
    publisher.wait_connected();
    publisher.begin_burst("second", 1, COUNT, 256);
    let seen = subscriber.ids_until(&format!("second-{COUNT}"));
    publisher.wait_sent();
    assert!(
        seen == journal(&dir),
        "from the first message to the last, as the journal has them"
    );
    assert_eq!(seen[..100], ids("first", 1, 100));
    drop(broker);
}

#[test]
fn a_socket_that_connects_anew_to_a_running_broker_gets_the_history_again() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 10));
    assert_eq!(subscriber.recv(10), agents("t", 1, 10));

    subscriber.reconnect();
    publisher.send(&agents("t", 11, 5));
    assert_eq!(subscriber.recv(15), agents("t", 1, 15));
}

#[test]
fn nobody_else_sees_anything_of_a_replay() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut old = Subscriber::connect(broker.ports.subscribe, &[""]);
    publisher.send(&agents("t", 1, 50));
    assert_eq!(old.recv(50), agents("t", 1, 50));

    for _ in 0..3 {
        let mut new = Subscriber::connect(broker.ports.subscribe, &[""]);
        assert_eq!(new.recv(50), agents("t", 1, 50));
    }
    publisher.send(&[agent("t", "claude_code", "after")]);
    assert_eq!(old.ids_until("after"), ["after"]);
}

#[test]
fn history_gives_the_newest_messages_only() {
    let dir = Dir::new();
    let mut broker = Broker::start_with(&dir, &["--history", "3"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 10));
    broker.wait_recorded(10);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    assert_eq!(subscriber.recv(3), agents("t", 8, 3));
    publisher.send(&agents("t", 11, 1));
    assert_eq!(subscriber.recv(1), agents("t", 11, 1));

    // The same for a broker that has them on disk only.
    broker.kill9();
    let broker = Broker::start_with(&dir, &["--history", "3"]);
    assert!(
        broker
            .stdout
            .text()
            .contains("[*] Storing last 3 messages in memory.\n")
    );
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    assert_eq!(subscriber.recv(3), agents("t", 9, 3));
}

#[test]
fn history_0_gives_nothing_but_what_is_live() {
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--history", "0"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 10));
    broker.wait_recorded(10);

    // Nothing but a message that arrives shows that a subscription is in force.
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    subscriber.begin_recv(1);
    let mut next = 11;
    let first = until("a message", || {
        publisher.send(&agents("t", next, 1));
        next += 1;
        subscriber.received()
    });
    let position = (11..next).find(|number| first == agents("t", *number, 1));
    let position = position.unwrap_or_else(|| panic!("{first:?} is older than the subscription"));
    let rest = next - position - 1;
    assert_eq!(subscriber.recv(rest), agents("t", position + 1, rest));
}

//! A subscription is a prefix of the topic frame, as ZeroMQ has it.

use crate::util::broker::Broker;
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::dir::Dir;
use crate::util::message::{Frames, agent, agents, frames};

fn on(topics: &[&str]) -> Vec<Frames> {
    topics
        .iter()
        .map(|topic| agent(topic, "claude_code", topic))
        .collect()
}

#[test]
fn a_subscription_matches_by_prefix_live_and_replayed() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let sent = on(&[
        "claude",
        "claude_design",
        "Claude",
        "gemini",
        "clau",
        "",
        "claude.end",
    ]);
    let matching = on(&["claude", "claude_design", "claude.end"]);

    let mut live = Subscriber::connect(broker.ports.subscribe, &["claude"]);
    publish(broker.ports.publish, &sent);
    assert_eq!(live.recv(3), matching, "live");
    let mut replayed = Subscriber::connect(broker.ports.subscribe, &["claude"]);
    assert_eq!(replayed.recv(3), matching, "replayed");
}

#[test]
fn several_topics_come_as_one_stream_and_overlapping_ones_once() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let sent = on(&["ab", "c", "x", "a", "abc", "y", "c.end"]);
    let matching = on(&["ab", "c", "a", "abc", "c.end"]);

    let mut live = Subscriber::connect(broker.ports.subscribe, &["a", "ab", "c"]);
    publisher.send(&sent);
    assert_eq!(live.recv(5), matching, "live");
    let mut replayed = Subscriber::connect(broker.ports.subscribe, &["a", "ab", "c"]);
    assert_eq!(replayed.recv(5), matching, "replayed");
    for subscriber in [&mut live, &mut replayed] {
        publisher.send(&on(&["c.more"]));
        assert_eq!(
            subscriber.recv(1),
            on(&["c.more"]),
            "and nothing in between"
        );
        subscriber.unsubscribe("c");
    }
}

#[test]
fn a_topic_added_later_comes_with_its_history_and_disturbs_no_other() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["a"]);
    publisher.send(&[agents("a", 1, 3), agents("b", 1, 3)].concat());
    assert_eq!(subscriber.recv(3), agents("a", 1, 3));
    dir.wait_lines(6);

    subscriber.subscribe("b");
    assert_eq!(subscriber.recv(3), agents("b", 1, 3));
    publisher.send(&[agents("b", 4, 1), agents("a", 4, 1)].concat());
    assert_eq!(
        subscriber.recv(2),
        [agents("b", 4, 1), agents("a", 4, 1)].concat()
    );
}

#[test]
fn a_topic_added_at_full_speed_comes_once_and_in_order() {
    const COUNT: usize = 10_000;
    let dir = Dir::new();
    let broker = Broker::start_with(&dir, &["--history", "1000000"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["other"]);
    publisher.begin_burst("load", 1, COUNT, 256);
    dir.wait_lines(1000);
    subscriber.subscribe("load");
    let seen = subscriber.ids_until(&format!("load-{COUNT}"));
    assert!(
        seen == crate::util::message::ids("load", 1, COUNT),
        "each once and in order"
    );
}

#[test]
fn a_dropped_topic_comes_no_more_and_the_others_go_on() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["a", "b"]);
    publisher.send(&agents("a", 1, 1));
    assert_eq!(subscriber.recv(1), agents("a", 1, 1));

    subscriber.unsubscribe("a");
    publisher.send(&[agents("a", 2, 3), agents("b", 1, 2)].concat());
    assert_eq!(subscriber.recv(2), agents("b", 1, 2));

    // Taken up again, it is a new subscription: its history comes, and all of it.
    subscriber.subscribe("a");
    assert_eq!(subscriber.recv(4), agents("a", 1, 4));
}

#[test]
fn the_topic_is_the_first_frame_of_any_message() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let sent = vec![
        frames([b"news".as_slice()]),
        frames([b"other".as_slice(), b"news"]),
        frames([b"news.more".as_slice(), b"1", b"2"]),
        frames([b"news\xff".as_slice(), b""]),
    ];
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["news"]);
    publish(broker.ports.publish, &sent);
    assert_eq!(
        subscriber.recv(3),
        [sent[0].clone(), sent[2].clone(), sent[3].clone()]
    );
}

/// libzmq's SUB socket counts, and sends every SUBSCRIBE but only the last CANCEL.
#[test]
fn a_topic_that_was_asked_for_twice_is_over_when_the_client_has_dropped_it() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t", "end"]);
    publisher.send(&on(&["t.1", "t.2"]));
    assert_eq!(subscriber.recv(2), on(&["t.1", "t.2"]));
    subscriber.subscribe("t");
    subscriber.unsubscribe("t");
    subscriber.unsubscribe("t");
    subscriber.subscribe("t");
    // As after any break, the session comes again.
    assert_eq!(subscriber.recv(2), on(&["t.1", "t.2"]));
    publisher.send(&on(&["t.3", "end"]));
    assert_eq!(subscriber.recv(2), on(&["t.3", "end"]));
}

#[test]
fn narrowing_what_a_subscriber_gets_repeats_nothing() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &[""]);
    let sent = on(&["chat.1", "news.1", "chat.2"]);
    publisher.send(&sent);
    assert_eq!(subscriber.recv(3), sent);
    subscriber.subscribe("chat");
    subscriber.unsubscribe("");
    // The same the other way round: both in one go.
    subscriber.subscribe("news");
    assert_eq!(subscriber.recv(1), on(&["news.1"]));
    publisher.send(&on(&["chat.3", "x", "news.2"]));
    assert_eq!(subscriber.recv(2), on(&["chat.3", "news.2"]));
}

use crate::link::{LinkError, MAX_TOPIC, Subscription};
use crate::testing::{Bench, Client};

#[test]
fn history_comes_first_and_then_what_is_recorded() {
    let mut bench = Bench::new(100);
    bench.record(&["a", "b"]);
    let mut client = Client::new(&bench, 100);
    assert!(client.take(&bench).is_empty(), "nothing comes unasked");
    client.subscribe("");
    assert_eq!(client.take(&bench), ["a 1", "b 2"]);
    bench.record(&["c"]);
    assert_eq!(client.take(&bench), ["c 3"]);
    assert!(client.take(&bench).is_empty());
}

#[test]
fn what_is_recorded_during_a_replay_comes_behind_it() {
    let mut bench = Bench::new(100);
    bench.record(&["a", "a", "a"]);
    let mut client = Client::new(&bench, 100);
    client.subscribe("a");
    client.link.room = Some(1);
    assert_eq!(client.take(&bench), ["a 1"]);
    bench.record(&["a"]);
    client.link.room = None;
    assert_eq!(client.take(&bench), ["a 2", "a 3", "a 4"]);
}

#[test]
fn topics_that_come_together_are_replayed_together_in_order() {
    let mut bench = Bench::new(100);
    bench.record(&["b", "a", "c", "b", "a"]);
    let mut client = Client::new(&bench, 100);
    client.subscribe("a");
    client.subscribe("b");
    assert_eq!(client.take(&bench), ["b 1", "a 2", "b 4", "a 5"]);
}

#[test]
fn a_topic_added_later_is_replayed_without_what_was_delivered_before() {
    let mut bench = Bench::new(100);
    bench.record(&["ab", "b", "ac"]);
    let mut client = Client::new(&bench, 100);
    client.subscribe("ab");
    assert_eq!(client.take(&bench), ["ab 1"]);
    client.subscribe("a");
    assert_eq!(client.take(&bench), ["ac 3"]);
    bench.record(&["ab", "b", "ac"]);
    assert_eq!(client.take(&bench), ["ab 4", "ac 6"]);
}

#[test]
fn two_topics_that_overlap_and_wait_together_deliver_once() {
    let mut bench = Bench::new(100);
    bench.record(&["x", "ab", "ac"]);
    let mut client = Client::new(&bench, 100);
    client.subscribe("x");
    assert_eq!(client.take(&bench), ["x 1"]);
    client.subscribe("a");
    client.link.room = Some(1);
    assert_eq!(client.take(&bench), ["ab 2"]);
    // This one comes while the replay of the other is under way.
    client.subscribe("ac");
    client.link.room = None;
    assert_eq!(client.take(&bench), ["ac 3"]);
    bench.record(&["ac"]);
    assert_eq!(client.take(&bench), ["ac 4"]);
}

#[test]
fn a_dropped_topic_is_silent_and_replayed_when_it_comes_back() {
    let mut bench = Bench::new(100);
    let mut client = Client::new(&bench, 100);
    client.subscribe("a");
    bench.record(&["a"]);
    assert_eq!(client.take(&bench), ["a 1"]);
    client.unsubscribe("a");
    bench.record(&["a"]);
    assert!(client.take(&bench).is_empty());
    client.subscribe("a");
    assert_eq!(client.take(&bench), ["a 1", "a 2"]);
}

#[test]
fn a_topic_subscribed_to_twice_delivers_once_and_needs_two_goodbyes() {
    let mut bench = Bench::new(100);
    let mut client = Client::new(&bench, 100);
    client.subscribe("a");
    client.subscribe("a");
    bench.record(&["a"]);
    assert_eq!(client.take(&bench), ["a 1"]);
    client.unsubscribe("a");
    bench.record(&["a"]);
    assert_eq!(client.take(&bench), ["a 2"]);
    client.unsubscribe("a");
    bench.record(&["a"]);
    assert!(client.take(&bench).is_empty());
}

#[test]
fn history_is_so_many_of_the_newest_messages_and_0_is_none() {
    let mut bench = Bench::new(2);
    bench.record(&["a", "b", "a", "b"]);
    let mut client = Client::new(&bench, 2);
    client.subscribe("");
    assert_eq!(client.take(&bench), ["a 3", "b 4"]);
    let mut none = Client::new(&bench, 0);
    none.subscribe("");
    assert!(none.take(&bench).is_empty());
    bench.record(&["c"]);
    assert_eq!(none.take(&bench), ["c 5"]);
}

#[test]
fn a_subscription_that_comes_late_gets_no_more_history_than_any_other() {
    let mut bench = Bench::new(2);
    let mut client = Client::new(&bench, 2);
    bench.record(&["a", "a", "a", "a"]);
    client.subscribe("a");
    assert_eq!(client.take(&bench), ["a 3", "a 4"]);
    client.unsubscribe("a");
    bench.record(&["a", "a", "a", "a"]);
    client.subscribe("a");
    assert_eq!(client.take(&bench), ["a 7", "a 8"]);
}

#[test]
fn history_from_before_a_restart_is_read_from_the_journal() {
    let mut bench = Bench::new(100);
    bench.record(&["a", "b", "c"]);
    let mut bench = bench.restart(100);
    let mut client = Client::new(&bench, 2);
    client.subscribe("");
    assert_eq!(client.take(&bench), ["b 2", "c 3"]);
    bench.record(&["d"]);
    assert_eq!(client.take(&bench), ["d 4"]);
    let mut late = Client::new(&bench, 3);
    late.subscribe("");
    assert_eq!(late.take(&bench), ["b 2", "c 3", "d 4"]);
}

#[test]
fn a_subscriber_that_falls_behind_memory_is_served_from_the_journal() {
    // 1024 messages stay in memory; each group here is a batch of its own.
    let mut bench = Bench::new(10);
    let mut client = Client::new(&bench, 10);
    client.subscribe("");
    bench.record(&["first"]);
    assert_eq!(client.take(&bench), ["first 1"]);
    client.link.room = Some(0);
    for _ in 0..40 {
        bench.record(&["a"; 50]);
        assert!(client.take(&bench).is_empty());
    }
    client.link.room = None;
    let expected: Vec<String> = (2..2002).map(|number| format!("a {number}")).collect();
    assert_eq!(client.take(&bench), expected);
}

#[test]
fn a_subscriber_that_falls_behind_gets_archived_sessions_too() {
    let mut bench = Bench::new(10);
    let mut client = Client::new(&bench, 10);
    client.subscribe("");
    bench.record(&["a"]);
    assert_eq!(client.take(&bench), ["a 1"]);
    for _ in 0..3 {
        for _ in 0..10 {
            bench.record(&["a"; 100]);
        }
        bench.archive();
    }
    bench.record(&["last"]);
    let came = client.take(&bench);
    assert_eq!(came.len(), 3001);
    assert_eq!(
        (came[0].as_str(), came[3000].as_str()),
        ("a 2", "last 3002")
    );
    let mut new = Client::new(&bench, 10);
    new.subscribe("");
    assert_eq!(
        new.take(&bench),
        ["last 3002"],
        "history is the current session's"
    );
}

#[test]
fn a_session_archived_while_its_replay_is_under_way_is_read_to_its_end() {
    let mut bench = Bench::new(100);
    bench.record(&["a"; 5]);
    let mut bench = bench.restart(100);
    let mut client = Client::new(&bench, 100);
    client.subscribe("a");
    client.link.room = Some(2);
    assert_eq!(client.take(&bench), ["a 1", "a 2"]);
    bench.record(&["a"]);
    bench.archive();
    bench.record(&["a"]);
    client.link.room = None;
    assert_eq!(client.take(&bench), ["a 3", "a 4", "a 5", "a 6", "a 7"]);
}

#[test]
fn damage_in_the_journal_is_passed_over() {
    let mut bench = Bench::new(100);
    bench.record(&["a"]);
    let path = bench.writer.session_path();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    std::io::Write::write_all(&mut file, b"{\"message_num\":2,\"topic\":\"to").unwrap();
    let mut bench = bench.restart(100);
    bench.record(&["a"]);
    let mut client = Client::new(&bench, 100);
    client.subscribe("a");
    assert_eq!(client.take(&bench), ["a 1", "a 2"]);
}

#[test]
fn topics_take_bounded_memory_and_those_that_were_dropped_count_no_more() {
    let bench = Bench::new(10);
    let mut client = Client::new(&bench, 10);
    let topic = |number: usize| number.to_string().repeat(MAX_TOPIC / 8);
    for round in 0..50 {
        for number in 0..10 {
            client.subscribe(&topic(10 * round + number));
        }
        client.take(&bench);
        for number in 0..10 {
            client.unsubscribe(&topic(10 * round + number));
        }
    }
    let refused = (0..10_000).find_map(|number| {
        let add = Subscription::Add(topic(number).into_bytes());
        client.subscriber.apply(add).err()
    });
    assert!(matches!(refused, Some(LinkError::Topics)), "{refused:?}");
}

use std::io::IoSlice;

use super::*;
use crate::delivery::MAX_TOPIC;
use crate::testing::{Bench, Client};

#[test]
fn history_comes_first_and_then_what_is_recorded() {
    let mut bench = Bench::new(100);
    bench.record(&["a", "b"]);
    let mut client = Client::new(100);
    assert!(client.take(&bench).is_empty(), "nothing comes unasked");
    client.subscribe("");
    assert_eq!(client.take(&bench), ["a 1", "b 2"]);
    bench.record(&["c"]);
    assert_eq!(client.take(&bench), ["c 3"]);
    assert!(client.take(&bench).is_empty());
}

#[test]
fn a_session_that_is_just_being_closed_is_replayed_whole() {
    let mut bench = Bench::new(100);
    bench.record(&["a", "b", "c"]);
    // Nothing of it is in memory.
    let mut bench = bench.restart(100);
    let mut client = Client::new(100);
    client.subscribe("");
    // The file has its new name, and another one has its old name already; the
    // tail hears of that a moment later.
    let archived = bench.writer.archive(None).unwrap().unwrap();
    let mut got = client.take(&bench);
    bench.rotate(Some(&archived));
    bench.record(&["d"]);
    got.extend(client.take(&bench));
    assert_eq!(got, ["a 1", "b 2", "c 3", "d 4"]);
}

#[test]
fn a_subscriber_that_is_behind_loses_nothing_when_its_session_is_closed() {
    let mut bench = Bench::new(100);
    let topics = vec!["a"; 3000];
    let mut client = Client::new(100);
    client.subscribe("");
    assert!(client.take(&bench).is_empty());
    client.link.room = Some(0);
    bench.record(&["a"]);
    assert!(client.take(&bench).is_empty());
    // More than stays in memory: it is read back from the file.
    for _ in 0..3 {
        bench.record(&topics);
    }
    let archived = bench.writer.archive(None).unwrap().unwrap();
    client.link.room = None;
    let mut got = client.take(&bench);
    bench.rotate(Some(&archived));
    bench.record(&["b"]);
    got.extend(client.take(&bench));
    assert_eq!(got.len(), 9002);
    assert_eq!(got.last().unwrap(), "b 9002");
}

#[test]
fn what_is_recorded_during_a_replay_comes_behind_it() {
    let mut bench = Bench::new(100);
    bench.record(&["a", "a", "a"]);
    let mut client = Client::new(100);
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
    let mut client = Client::new(100);
    client.subscribe("a");
    client.subscribe("b");
    assert_eq!(client.take(&bench), ["b 1", "a 2", "b 4", "a 5"]);
}

#[test]
fn a_topic_added_later_is_replayed_without_what_was_delivered_before() {
    let mut bench = Bench::new(100);
    bench.record(&["ab", "b", "ac"]);
    let mut client = Client::new(100);
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
    let mut client = Client::new(100);
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
    let mut client = Client::new(100);
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
fn a_topic_subscribed_to_twice_delivers_once_and_is_over_with_one_goodbye() {
    let mut bench = Bench::new(100);
    let mut client = Client::new(100);
    client.subscribe("a");
    client.subscribe("a");
    bench.record(&["a"]);
    assert_eq!(client.take(&bench), ["a 1"]);
    client.subscribe("a");
    client.unsubscribe("a");
    bench.record(&["a"]);
    assert!(client.take(&bench).is_empty());
    client.unsubscribe("a");
    client.subscribe("a");
    assert_eq!(client.take(&bench), ["a 1", "a 2"]);
}

/// A subscriber of everything that has got two messages, and does not read.
fn stuck(bench: &mut Bench) -> Client {
    let mut client = Client::new(1000);
    client.subscribe("");
    bench.record(&["chat", "news"]);
    assert_eq!(client.take(bench), ["chat 1", "news 2"]);
    client.link.room = Some(0);
    client
}

#[test]
fn narrowing_on_a_subscriber_that_is_behind_neither_jumps_nor_repeats() {
    let mut bench = Bench::new(10);
    let mut client = stuck(&mut bench);
    for _ in 0..10 {
        bench.record(&["chat"; 300]);
        client.take(&bench);
    }
    client.subscribe("chat");
    client.unsubscribe("");
    client.take(&bench);
    // Not even the rotation is a reason to jump.
    bench.archive();
    bench.record(&["news", "chat"]);
    client.link.room = None;
    let came = client.take(&bench);
    let expected: Vec<String> = (3..3003).map(|number| format!("chat {number}")).collect();
    assert!(
        came[..3000] == expected && came[3000..] == ["chat 3004"],
        "{}",
        came.len()
    );
}

#[test]
fn narrowing_on_a_subscriber_that_is_up_to_date_repeats_nothing() {
    for at_once in [true, false] {
        let mut bench = Bench::new(10);
        let mut client = stuck(&mut bench);
        client.link.room = None;
        client.subscribe("chat");
        if !at_once {
            assert!(client.take(&bench).is_empty());
        }
        client.unsubscribe("");
        assert!(client.take(&bench).is_empty());
        bench.record(&["news", "chat"]);
        assert_eq!(client.take(&bench), ["chat 4"]);
    }
}

#[test]
fn widening_repeats_nothing_though_the_narrow_topic_is_dropped_at_once() {
    let mut bench = Bench::new(10);
    bench.record(&["chat", "news", "chat"]);
    let mut client = Client::new(10);
    client.subscribe("chat");
    assert_eq!(client.take(&bench), ["chat 1", "chat 3"]);
    client.subscribe("");
    client.unsubscribe("chat");
    assert_eq!(client.take(&bench), ["news 2"]);
    bench.record(&["chat"]);
    assert_eq!(client.take(&bench), ["chat 4"]);
    client.unsubscribe("");
    client.subscribe("chat");
    assert_eq!(
        client.take(&bench),
        ["chat 1", "chat 3", "chat 4"],
        "there was a break"
    );
}

#[test]
fn history_is_so_many_of_the_newest_messages_and_0_is_none() {
    let mut bench = Bench::new(2);
    bench.record(&["a", "b", "a", "b"]);
    let mut client = Client::new(2);
    client.subscribe("");
    assert_eq!(client.take(&bench), ["a 3", "b 4"]);
    let mut none = Client::new(0);
    none.subscribe("");
    assert!(none.take(&bench).is_empty());
    bench.record(&["c"]);
    assert_eq!(none.take(&bench), ["c 5"]);
}

#[test]
fn a_subscription_that_comes_late_gets_no_more_history_than_any_other() {
    let mut bench = Bench::new(2);
    let mut client = Client::new(2);
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
    let mut client = Client::new(2);
    client.subscribe("");
    assert_eq!(client.take(&bench), ["b 2", "c 3"]);
    bench.record(&["d"]);
    assert_eq!(client.take(&bench), ["d 4"]);
    let mut late = Client::new(3);
    late.subscribe("");
    assert_eq!(late.take(&bench), ["b 2", "c 3", "d 4"]);
}

#[test]
fn a_subscriber_that_falls_behind_memory_is_served_from_the_journal() {
    // 1024 messages stay in memory; each group here is a batch of its own.
    let mut bench = Bench::new(10);
    let mut client = Client::new(10);
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
    let mut client = Client::new(10);
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
    let mut new = Client::new(10);
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
    let mut client = Client::new(100);
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
    let mut client = Client::new(100);
    client.subscribe("a");
    assert_eq!(client.take(&bench), ["a 1", "a 2"]);
}

#[test]
fn topics_take_bounded_memory_and_those_that_were_dropped_count_no_more() {
    let bench = Bench::new(10);
    let mut client = Client::new(10);
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
        let add = Subscription::Add(topic(number).into_bytes().into());
        client.subscriber.apply(add).err()
    });
    assert!(matches!(refused, Some(LinkError::Topics)), "{refused:?}");
}

/// Takes a number of bytes and then no more.
#[derive(Default)]
struct ByteLink {
    bytes: Vec<u8>,
    room: usize,
    ends: bool,
}

impl Link for ByteLink {
    fn receive(&mut self) -> Result<bool, LinkError> {
        Ok(false)
    }

    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError> {
        Ok(None)
    }

    fn send(&mut self, messages: &[IoSlice<'_>], ends: bool) -> Result<usize, LinkError> {
        let all: Vec<u8> = messages.iter().flat_map(|slice| slice.to_vec()).collect();
        let taken = all.len().min(self.room);
        self.bytes.extend_from_slice(&all[..taken]);
        self.room -= taken;
        self.ends = ends && taken == all.len();
        Ok(taken)
    }
}

#[test]
fn a_large_message_is_read_back_piece_by_piece_and_comes_whole() {
    let long = "x".repeat(3 << 20);
    let topics = ["a", &long, "b", &long, &long, "c"];
    let mut bench = Bench::new(100);
    bench.record(&topics);
    // Nothing of it is in memory.
    let bench = bench.restart(100);
    for history in [2, 4, 100] {
        let mut subscriber = Subscriber::new(history);
        subscriber.apply(Subscription::Add([][..].into())).unwrap();
        subscriber.quiet_is_over(true);
        let mut link = ByteLink::default();
        let mut most = 0;
        loop {
            link.room = 100_000;
            match subscriber.turn(&bench.tail, &mut link).unwrap() {
                Turn::More => {}
                Turn::Full => assert!(!link.ends),
                _ => break,
            }
            most = most.max(subscriber.outgoing.buffered());
        }
        assert!(link.ends);
        let first = topics.len() - topics.len().min(usize::try_from(history).unwrap());
        let mut expected = Vec::new();
        for (number, topic) in topics.iter().enumerate().skip(first) {
            let number = (number + 1).to_string();
            zmtp::push_message(&mut expected, [topic.as_bytes(), number.as_bytes()]);
        }
        assert!(link.bytes == expected, "{} bytes", link.bytes.len());
        assert!(most < 1 << 20, "{most} bytes in memory at once");
    }
}

//! After a crash everything is there, and the conversation goes on where it stood.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;

use crate::util::broker::{Broker, Ports};
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agent, agents, ids};
use crate::util::record::Record;

/// A directory whose broker recorded `count` messages and was then killed.
fn crashed_after(count: usize) -> Dir {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("t", 1, count));
    dir.wait_lines(count);
    broker.kill9();
    dir
}

/// Publishes one message and returns its number.
fn next_number(dir: &Dir, broker: &Broker) -> u64 {
    let mut reader = Subscriber::connect(broker.ports.subscribe, &["next"]);
    publish(
        broker.ports.publish,
        &[agent("next", "claude_code", "next-1")],
    );
    reader.recv(1);
    Record::parse(
        String::from_utf8_lossy(&dir.current_bytes())
            .lines()
            .last()
            .unwrap(),
    )
    .num()
}

#[test]
fn what_anyone_saw_is_in_the_journal_after_kill_9_under_load() {
    const ROUNDS: usize = 3;
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &[]);
    let mut publisher = Publisher::connect(ports.publish);
    let mut seen = HashSet::new();

    for round in 1..=ROUNDS {
        let name = format!("round{round}");
        let mut subscriber = Subscriber::connect(ports.subscribe, &[""]);
        let before = dir.line_count();
        let middle = format!("{name}-1000");
        subscriber.begin_ids_until(&middle);
        publisher.begin_burst(&name, 1, 20_000, 400);
        dir.wait_lines(before + 1000);
        seen.extend(subscriber.wait_ids());
        broker.kill9();
        publisher.wait_sent();

        let (records, torn) = dir.survivors();
        assert!(torn <= round, "{torn} torn lines after {round} kills");
        let kept = records.len();
        broker = Broker::start_on(&dir, ports, &[]);
        let loaded = format!("[*] Loaded {kept} messages from previous session\n");
        let recovered =
            format!("[RECOVERY] System recovered with {kept} messages from previous session\n");
        broker.wait_for(&(loaded + &recovered));
        let journal: HashSet<String> = records.iter().map(Record::id).collect();
        let lost: Vec<&String> = seen.difference(&journal).collect();
        assert!(
            lost.is_empty(),
            "delivered but not in the journal: {lost:?}"
        );
        publisher = Publisher::connect(ports.publish);
    }

    publisher.send(&[agent("end", "claude_code", "end")]);
    let mut subscriber = Subscriber::connect(ports.subscribe, &["end"]);
    assert_eq!(subscriber.ids_until("end"), ["end"]);
    let (records, _) = dir.survivors();
    assert_numbered_from(1, &records);

    // What three brokers have recorded is replayed as one session.
    let newest = records.len().saturating_sub(10_000);
    let journal: Vec<String> = records[newest..].iter().map(Record::id).collect();
    let mut subscriber = Subscriber::connect(ports.subscribe, &[""]);
    assert!(
        subscriber.ids_until("end") == journal,
        "replayed otherwise than it was recorded"
    );
}

#[test]
fn a_restarted_broker_says_what_it_recovered_and_goes_on_numbering() {
    let dir = crashed_after(3);
    let mut broker = Broker::start(&dir);
    broker.wait_for("[RECOVERY] System recovered with 3 messages from previous session\n");
    assert!(
        broker
            .stdout
            .text()
            .contains("[*] Loaded 3 messages from previous session\n")
    );
    assert_eq!(next_number(&dir, &broker), 4);
}

#[test]
fn a_first_start_recovers_nothing_and_says_no_more() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let expected = format!(
        "[*] ZeroMQ broker started with PERSISTENT RECORDING\n\
         [*] Listening for publishers on port {}\n\
         [*] Listening for subscribers on port {}\n\
         [*] Listening for requests on port {}\n\
         [*] Persisting all messages to: {}\n\
         [*] Storing last 10000 messages in memory.\n\
         [*] Loaded 0 messages from previous session\n",
        broker.ports.publish,
        broker.ports.subscribe,
        broker.ports.control,
        dir.current().display()
    );
    assert_eq!(next_number(&dir, &broker), 1);
    broker.kill9();
    assert_eq!(broker.wait_exit().stdout, expected);
}

#[test]
fn a_torn_last_line_is_reported_and_kept_and_never_grown() {
    let dir = crashed_after(2);
    let good = dir.current_bytes();
    let torn = [&good[..], br#"{"message_num":3,"topic":"t","sen"#].concat();
    dir.write_current(&torn);

    let mut broker = Broker::start(&dir);
    broker.wait_for("[*] Loaded 2 messages from previous session\n");
    broker.wait_for_warning("current_session.jsonl");
    broker.wait_for_warning(&format!("at offset {}: ", good.len()));
    let number = next_number(&dir, &broker);
    assert!(number >= 3, "number {number} was given before");
    assert!(
        dir.current_bytes().starts_with(&torn),
        "what was torn is still there"
    );
    let after = dir.current_bytes();
    assert_eq!(
        after[torn.len()],
        b'\n',
        "the next record starts on a line of its own"
    );
}

#[test]
fn a_whole_last_line_without_newline_counts() {
    let dir = crashed_after(3);
    let mut bytes = dir.current_bytes();
    assert_eq!(bytes.pop(), Some(b'\n'));
    dir.write_current(&bytes);

    let mut broker = Broker::start(&dir);
    broker.wait_for("[*] Loaded 3 messages from previous session\n");
    assert_eq!(next_number(&dir, &broker), 4);
    assert_numbered_from(1, &dir.records());
}

#[test]
fn a_damaged_line_in_the_middle_costs_nothing_but_itself() {
    let dir = crashed_after(3);
    let bytes = dir.current_bytes();
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let second = first
        + bytes[first..]
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap();
    let mut damaged = bytes.clone();
    damaged[first..second].fill(0);
    dir.write_current(&damaged);

    let mut broker = Broker::start(&dir);
    broker.wait_for("[*] Loaded 2 messages from previous session\n");
    broker.wait_for_warning("current_session.jsonl");
    broker.wait_for_warning(&format!("at offset {first}: "));
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publish(broker.ports.publish, &agents("t", 4, 1));
    assert_eq!(subscriber.ids_until("t-4"), ["t-1", "t-3", "t-4"]);
    assert!(
        dir.current_bytes().starts_with(&damaged),
        "nothing on disk is destroyed"
    );
}

#[test]
fn an_altered_record_is_reported_and_still_read() {
    let dir = crashed_after(2);
    let text = String::from_utf8(dir.current_bytes()).unwrap();
    dir.write_current(text.replacen("this is t-1", "this is T-1", 1));

    let mut broker = Broker::start(&dir);
    broker.wait_for("[*] Loaded 2 messages from previous session\n");
    broker.wait_for_warning("current_session.jsonl");
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    assert_eq!(subscriber.ids_until("t-2"), ids("t", 1, 2));
}

#[test]
fn hand_made_lines_are_read_without_a_warning() {
    let dir = Dir::new();
    dir.write_current("");
    let line = r#"{"message_num":41,"topic":"t","sender":"me","timestamp":"2025-11-20T04:30:00Z","tier":"E","chain_type":"unknown","shl_tags":[],"message_id":"t-41","content":{"message":"by hand"}}"#;
    let mut file = OpenOptions::new().append(true).open(dir.current()).unwrap();
    writeln!(file, "{line}").unwrap();

    let mut broker = Broker::start(&dir);
    broker.wait_for("[*] Loaded 1 messages from previous session\n");
    assert_eq!(next_number(&dir, &broker), 42);
    broker.kill9();
    let ended = broker.wait_exit();
    assert_eq!(ended.stderr, "", "nothing to warn about");
}

#[test]
fn derived_files_can_be_deleted() {
    let dir = crashed_after(3);
    for entry in fs::read_dir(dir.logs()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path != dir.current() {
            fs::remove_file(path).unwrap();
        }
    }
    let mut broker = Broker::start(&dir);
    broker.wait_for("[*] Loaded 3 messages from previous session\n");
    assert_eq!(next_number(&dir, &broker), 4);
}

//! Whoever reads beside a writer gets every record once, and disturbs nobody.

use std::thread;

use journal::{Follower, Item, Journal, OpenError};

use crate::util::broker::{Broker, Ports, broker_on, viewer};
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::{agents, ids};
use crate::util::process::{Process, run};
use crate::util::wait::until;

/// The number in a message's content, where a line of the viewer's output has it.
fn content_number(line: &str) -> Option<u64> {
    let rest = line.trim().strip_prefix("\"n\": ")?;
    rest.trim_end_matches(',').parse().ok()
}

/// The number of the next record, if there is one by now.
fn next_number(follower: &mut Follower) -> Option<u64> {
    match follower.next_item().unwrap()? {
        Item::Record(record) => Some(record.number),
        Item::Damage(damage) => panic!("damage: {damage}"),
    }
}

/// The numbers that a follower finds up to the last one.
fn follow(mut follower: Follower, last: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    until("the last record", || {
        while let Some(number) = next_number(&mut follower) {
            numbers.push(number);
        }
        (numbers.last() >= Some(&last)).then_some(())
    });
    numbers
}

#[test]
fn viewers_and_followers_beside_a_rotating_broker_get_every_record_once() {
    const PART: usize = 1700;
    const COUNT: usize = 1 + 3 * PART;
    let dir = Dir::new();
    let mut broker = Broker::start_with(&dir, &["--max-session-size", "64KiB"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut live = Subscriber::connect(broker.ports.subscribe, &["load"]);
    publisher.burst("load", 1, 1, 400);
    assert_eq!(live.ids_until("load-1"), ["load-1"]);
    let last = COUNT as u64;
    let followers = [0, 0, 1].map(|after| {
        let follower = Follower::after(dir.logs(), after).unwrap();
        (after, thread::spawn(move || follow(follower, last)))
    });
    // Viewers at three moments, each while the session is written and closed.
    // However large the groups are, each part closes a session at least.
    let views = [0, 1, 2].map(|part| {
        publisher.begin_burst("load", 2 + part * PART, PART, 400);
        dir.wait_archives(part + 1);
        let options = ["--limit", "0", "--full"];
        let view = Process::start(&mut viewer(&dir, &options));
        publisher.wait_sent();
        view
    });
    for mut view in views {
        let ended = view.wait_exit().with_code(0);
        // A session that was closed a moment ago is shown in place of an empty one.
        let note = "the current session is empty";
        let others = ended.stderr.lines().filter(|line| !line.contains(note));
        assert_eq!(others.count(), 0, "{}", ended.report());
        let numbers: Vec<u64> = ended.stdout.lines().filter_map(content_number).collect();
        let first = numbers.first().copied().unwrap_or_default();
        assert!(
            numbers
                .iter()
                .copied()
                .eq(first..first + numbers.len() as u64),
            "{numbers:?}"
        );
    }
    for (after, follower) in followers {
        let numbers = follower.join().unwrap();
        assert!(numbers.into_iter().eq(after + 1..=last), "each once");
    }
    assert!(live.ids_until(&format!("load-{COUNT}")) == ids("load", 2, COUNT - 1));
    broker.kill9();
    assert_eq!(dir.all_records().len(), COUNT);
    assert_numbered_from(1, &dir.all_records());
}

#[test]
fn a_second_writer_is_refused_under_load_and_takes_over_when_the_first_is_killed() {
    const PART: usize = 1700;
    const COUNT: usize = 1 + 3 * PART;
    let dir = Dir::new();
    let mut first = Broker::start(&dir);
    let pid = first.child.id();
    let mut publisher = Publisher::connect(first.ports.publish);
    let mut live = Subscriber::connect(first.ports.subscribe, &["load"]);
    publisher.begin_burst("load", 1, COUNT, 300);
    for _ in 0..3 {
        run(&mut broker_on(&dir, Ports::default()))
            .with_code(1)
            .warns(&pid.to_string())
            .never_says("[*]");
        match Journal::open(dir.logs()) {
            Err(OpenError::Locked { owner, .. }) => assert_eq!(owner, Some(pid)),
            other => panic!("an embedder is refused: {other:?}"),
        }
    }
    assert!(live.ids_until(&format!("load-{COUNT}")) == ids("load", 1, COUNT));
    first.kill9();
    let mut second = Broker::start(&dir);
    second.wait_for(&format!("[*] Loaded {COUNT} messages"));
    publish(second.ports.publish, &agents("t", 1, 1));
    dir.wait_lines(COUNT + 1);
    assert_numbered_from(1, &dir.records());
}

#[test]
fn a_broker_is_refused_by_an_embedder_and_names_it() {
    let dir = Dir::new();
    let (journal, _) = Journal::open(dir.logs()).unwrap();
    run(&mut broker_on(&dir, Ports::default()))
        .with_code(1)
        .warns(&std::process::id().to_string())
        .never_says("[*]");
    assert_eq!(journal.append(&serde_json::json!({"a": 1})).unwrap(), 1);
    drop(journal);
    Broker::start(&dir).wait_for("[*] Loaded 1 messages");
}

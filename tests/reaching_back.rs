//! With `--replay all` a subscriber gets what is in closed sessions, too: once, in order,
//! and whatever happens to them meanwhile.
#![cfg(unix)]

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use transport::{Config, Replay, TimeZone};

use crate::util::broker::{Broker, Ports, broker, broker_on};
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::Dir;
use crate::util::message::{Frames, agents, ids};
use crate::util::process::run;

const ALL: [&str; 2] = ["--replay", "all"];

/// Two messages of each of two topics.
fn session(number: usize) -> Vec<Frames> {
    [agents("a", 2 * number, 2), agents("b", 2 * number, 2)].concat()
}

/// Records two sessions that are closed, and what is in the current one behind them;
/// returns all of it.
fn three_sessions(broker: &Broker, dir: &Dir) -> Vec<Frames> {
    let mut publisher = Publisher::connect(broker.ports.publish);
    for number in 1..=3 {
        publisher.send(&session(number));
        dir.wait_lines(4);
        if number < 3 {
            broker.signal("HUP");
            dir.wait_archives(number);
        }
    }
    broker.wait_recorded(12);
    [session(1), session(2), session(3)].concat()
}

fn only(topic: &str, messages: &[Frames]) -> Vec<Frames> {
    let mine = messages
        .iter()
        .filter(|frames| frames[0] == topic.as_bytes());
    mine.cloned().collect()
}

fn upkeep(name: &str, dir: &Dir, options: &[&str]) {
    let mut command: Command = broker();
    command.arg(name).arg("--dir").arg(dir.logs()).args(options);
    run(&mut command).with_code(0);
}

#[test]
fn a_new_subscriber_gets_closed_sessions_and_then_what_is_live() {
    let dir = Dir::new();
    let ports = Ports::fixed();
    let mut broker = Broker::start_on(&dir, ports, &ALL);
    let mut history = three_sessions(&broker, &dir);
    // Once of memory, once of files after a crash, once of compressed ones.
    for life in 0..3 {
        let mut everything = Subscriber::connect(ports.subscribe, &[""]);
        assert_eq!(everything.recv(history.len()), history);
        let mut filtered = Subscriber::connect(ports.subscribe, &["b"]);
        let wanted = only("b", &history);
        assert_eq!(filtered.recv(wanted.len()), wanted);

        let mut publisher = Publisher::connect(ports.publish);
        let live = agents("b", 100 + life, 1);
        publisher.send(&live);
        assert_eq!(everything.recv(1), live);
        assert_eq!(filtered.recv(1), live);
        history.extend(live);
        broker.kill9();
        if life == 1 {
            upkeep("compress", &dir, &[]);
            assert!(dir.archives()[0].ends_with(".zst"));
        }
        broker = Broker::start_on(&dir, ports, &ALL);
    }
    assert_eq!(dir.archives().len(), 2, "a crash closes nothing");
}

#[test]
fn history_counts_messages_of_all_sessions_and_a_session_is_the_default() {
    let dir = Dir::new();
    let mut broker = Broker::start_with(&dir, &["--replay", "all", "--history", "6"]);
    let history = three_sessions(&broker, &dir);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &[""]);
    assert_eq!(subscriber.recv(6), history[6..]);
    broker.kill9();

    let config = dir.path().join("broker.toml");
    fs::write(&config, "replay = \"all\"\n").unwrap();
    let mut command = broker_on(&dir, Ports::default());
    let mut broker = Broker::ready(command.arg("--config").arg(&config));
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &[""]);
    assert_eq!(subscriber.recv(12), history);
    broker.kill9();

    let broker = Broker::start(&dir);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &[""]);
    assert_eq!(subscriber.recv(4), history[8..]);
}

#[test]
fn what_happens_to_closed_sessions_during_a_replay_costs_nothing() {
    const COUNT: usize = 2000;
    let dir = Dir::new();
    let options = ["--replay", "all", "--history", "1000000"];
    let mut broker = Broker::start_with(&dir, &options);
    for number in 0..3 {
        let mut publisher = Publisher::connect(broker.ports.publish);
        publisher.burst("load", 1 + number * COUNT, COUNT, 2000);
        dir.wait_lines(COUNT);
        broker.signal("HUP");
        dir.wait_archives(number + 1);
    }
    broker.kill9();
    // Nothing is in memory, and three sessions of 4 MB each are more than a connection holds.
    let broker = Broker::start_with(&dir, &options);
    let mut subscriber = Subscriber::connect_small(broker.ports.subscribe, &["load"]);
    subscriber.recv(1);
    upkeep("compress", &dir, &[]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.burst("load", 1 + 3 * COUNT, 1, 2000);
    dir.wait_lines(1);
    broker.signal("HUP");
    dir.wait_archives(4);
    // The oldest session is being read, and may go.
    upkeep(
        "prune",
        &dir,
        &[
            "--keep",
            "0d",
            "--keep-size",
            "1GiB",
            "--dedupe-window",
            "4001",
        ],
    );
    assert_eq!(dir.archives().len(), 3);
    publisher.burst("load", 2 + 3 * COUNT, 1, 2000);
    let last = format!("load-{}", 2 + 3 * COUNT);
    let got = subscriber.ids_until(&last);
    assert!(
        got == ids("load", 2, 3 * COUNT + 1),
        "{} messages, from {:?} on",
        got.len(),
        got.first()
    );
    let mut new = Subscriber::connect(broker.ports.subscribe, &["load"]);
    let got = new.ids_until(&last);
    assert!(
        got == ids("load", COUNT + 1, 2 * COUNT + 2),
        "what is there"
    );
}

/// 2025-11-20T12:00:00Z
const NOON: u64 = 1_763_640_000;
const DAY: u64 = 86_400;

/// The pipeline in this process, so that the clock is the test's; the clients are pyzmq's.
#[test]
fn the_daily_rotation_takes_no_context_away() {
    let dir = Dir::new();
    let clock = Arc::new(AtomicU64::new(NOON));
    let now = Arc::clone(&clock);
    let config = Config {
        pub_port: 0,
        sub_port: 0,
        control_port: 0,
        replay: Replay::All,
        zone: TimeZone::UTC,
        clock: Arc::new(move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst))),
        ..Config::new(dir.logs())
    };
    let start = || {
        let failed = |failure| panic!("the broker failed: {failure}");
        transport::Broker::start(&config, failed).unwrap()
    };
    let broker = start();
    let mut publisher = Publisher::connect(broker.pub_port());
    let mut live = Subscriber::connect(broker.sub_port(), &["a"]);
    for day in 1..=4 {
        let today = agents("a", day, 1);
        publisher.send(&today);
        assert_eq!(live.recv(1), today);
        let mut new = Subscriber::connect(broker.sub_port(), &["a"]);
        assert_eq!(new.recv(day), agents("a", 1, day), "day {day}");
        clock.fetch_add(DAY, Ordering::SeqCst);
        dir.wait_archives(day);
    }
    // An orderly stop closes the session, and is no end of the context either.
    drop(broker);
    let broker = start();
    let mut new = Subscriber::connect(broker.sub_port(), &["a"]);
    assert_eq!(new.recv(4), agents("a", 1, 4));
}

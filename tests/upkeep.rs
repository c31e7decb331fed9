//! Closed sessions are compressed and removed, and a stop may leave the session open:
//! what people and programs read stays the same.
#![cfg(unix)]

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::util::broker::{Broker, broker, viewer};
use crate::util::client::{Publisher, Subscriber};
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::process::run;
use crate::util::wait::until;

fn command(name: &str, dir: &Dir) -> Command {
    let mut command = broker();
    command.arg(name).arg("--dir").arg(dir.logs());
    command
}

/// Closes a session of five messages for each of these first ids.
fn close_sessions(broker: &Broker, dir: &Dir, firsts: &[usize]) {
    let mut publisher = Publisher::connect(broker.ports.publish);
    for (closed, first) in firsts.iter().enumerate() {
        publisher.send(&agents("t", *first, 5));
        dir.wait_lines(5);
        broker.signal("HUP");
        dir.wait_archives(closed + 1);
    }
}

/// Makes a closed session look as if it was closed `days` days ago.
fn age(dir: &Dir, name: &str, days: u32) {
    let file = fs::File::options()
        .append(true)
        .open(dir.archive().join(name));
    let time = SystemTime::now() - Duration::from_secs(86_400) * days;
    file.unwrap().set_modified(time).unwrap();
}

#[test]
fn a_stop_that_keeps_the_session_is_no_new_phase() {
    let dir = Dir::new();
    let mut broker = Broker::start_with(&dir, &["--on-stop", "keep"]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 3));
    dir.wait_lines(3);
    broker.signal("TERM");
    broker
        .wait_exit()
        .with_code(0)
        .without_warning()
        .says("[*] The session of 3 messages is continued at the next start\n");
    assert!(dir.archives().is_empty());

    let mut broker = Broker::start_with(&dir, &["--on-stop", "keep"]);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["t"]);
    assert_eq!(subscriber.recv(3), agents("t", 1, 3));
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 4, 1));
    assert_eq!(subscriber.recv(1), agents("t", 4, 1));
    broker.signal("INT");
    let ended = broker.wait_exit().with_code(0);
    assert!(
        ended.stdout.contains("System recovered with 3 messages"),
        "{}",
        ended.report()
    );
}

#[test]
fn compressed_sessions_are_viewed_consumed_verified_and_numbered_as_before() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    close_sessions(&broker, &dir, &[1, 6]);
    let before = run(&mut viewer(&dir, &["--all", "-o", "json"]))
        .with_code(0)
        .stdout;
    run(&mut command("compress", &dir))
        .with_code(0)
        .says("[*] 2 sessions compressed");
    let names = dir.archives();
    assert!(
        names.iter().all(|name| name.ends_with(".jsonl.zst")),
        "{names:?}"
    );
    let after = run(&mut viewer(&dir, &["--all", "-o", "json"]))
        .with_code(0)
        .stdout;
    assert_eq!(before, after);
    run(&mut viewer(&dir, &["verify", "--all"])).with_code(0);
    run(&mut viewer(&dir, &["--list-archives"]))
        .with_code(0)
        .says(&names[0]);
    run(&mut viewer(&dir, &["--archive", "latest", "--count"]))
        .with_code(0)
        .says("5");
    run(&mut command("compress", &dir))
        .with_code(0)
        .says("[*] Nothing to compress");

    let mut client = Requester::dealer(broker.ports.control);
    client.consume(json!({"from": "start", "credit": 10}));
    let numbers: Vec<u64> = client
        .messages(10)
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());

    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    fs::remove_file(dir.logs().join("journal.head")).unwrap();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 11, 1));
    dir.wait_lines(1);
    assert_eq!(dir.records()[0].num(), 11);
}

#[test]
fn a_running_broker_compresses_what_is_old_enough() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    close_sessions(&broker, &dir, &[1, 6]);
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    let names = dir.archives();
    age(&dir, &names[0], 3);
    let _broker = Broker::start_with(&dir, &["--compress-after", "2d"]);
    let compressed = format!("{}.zst", names[0]);
    until("the older session is compressed", || {
        (dir.archives() == [compressed.clone(), names[1].clone()]).then_some(())
    });
    run(&mut viewer(&dir, &["--all", "--count"]))
        .with_code(0)
        .says("10");
}

#[test]
fn what_is_removed_is_told_from_what_is_missing_and_unread_messages_stay() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    close_sessions(&broker, &dir, &[1, 6, 11]);
    let mut client = Requester::dealer(broker.ports.control);
    let consumer = client.consume(json!({"name": "slow", "from": "start", "credit": 7}));
    client.messages(7);
    client.ack(consumer, 7);
    until("the position is stored", || {
        dir.logs()
            .join("consumers/consumer_slow.json")
            .exists()
            .then_some(())
    });
    let prune = |options: &[&str]| {
        let mut command = command("prune", &dir);
        command.args(["--dedupe-window", "0"]).args(options);
        run(&mut command)
    };
    prune(&[]).with_code(1).warns("--keep 90d");
    let names = dir.archives();
    prune(&["--keep", "0d", "--dry-run"])
        .with_code(0)
        .says(&format!("[*] Would remove {} (messages 1 to 5", names[0]))
        .says(&format!("[*] Kept {} (messages 6 to 10", names[1]))
        .says("the consumer slow has not acknowledged it");
    assert_eq!(dir.archives(), names);
    prune(&["--keep", "0d"]).with_code(0).says("[*] Removed");
    assert_eq!(dir.archives(), names[1..]);
    prune(&["--keep", "0d", "--even-unread"])
        .with_code(0)
        .says("[*] Removed");
    assert_eq!(dir.archives(), names[2..], "the newest is never removed");
    run(&mut viewer(&dir, &["verify", "--all"]))
        .with_code(0)
        .says("Removed on purpose: messages 1 to 10");
    broker.signal("TERM");
    broker.wait_exit().with_code(0).without_warning();
    let mut broker = Broker::start(&dir);
    broker.signal("TERM");
    broker.wait_exit().with_code(0).without_warning();
    // One that somebody else takes away is missing.
    let names = dir.archives();
    fs::remove_file(dir.archive().join(&names[0])).unwrap();
    run(&mut viewer(&dir, &["verify", "--all"])).with_code(3);
}

#[test]
fn a_consumer_that_has_acknowledged_nothing_yet_keeps_what_it_has_to_get() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    close_sessions(&broker, &dir, &[1, 6, 11]);
    let mut client = Requester::dealer(broker.ports.control);
    client.consume(json!({"name": "new", "from": 6, "credit": 1}));
    client.messages(1);
    drop(client);
    let mut command = command("prune", &dir);
    command.args(["--dedupe-window", "0", "--keep", "0d"]);
    until("only the consumer to hold anything", || {
        let pruned = run(&mut command).with_code(0);
        let held = "the consumer new has not acknowledged it";
        pruned.stdout.contains(held).then_some(())
    });
    assert_eq!(dir.archives().len(), 2, "messages 6 to 15 stay");
}

/// Whoever is told that a consumer has begun may rely on it, however slow the disk is.
#[test]
#[cfg(target_os = "linux")]
fn a_consumer_holds_what_it_has_to_get_from_the_moment_it_has_begun() {
    use crate::util::shim::{Disk, Rule};

    let dir = Dir::new();
    let disk = Disk::of(&dir);
    let broker = disk.start(&dir, &[]);
    close_sessions(&broker, &dir, &[1, 6, 11]);
    broker.wait_recorded(15);
    let mut client = Requester::dealer(broker.ports.control);
    disk.set(&[Rule::delay("fdatasync", 500), Rule::delay("fsync", 500)]);
    client.consume(json!({"name": "new", "from": 6, "credit": 1}));
    run(command("prune", &dir).args(["--dedupe-window", "0", "--keep", "0d"]))
        .with_code(0)
        .says("messages 1 to 5")
        .says("the consumer new has not acknowledged it");
    assert_eq!(dir.archives().len(), 2, "messages 6 to 15 stay");
}

#[test]
fn the_newest_messages_stay_in_which_repeated_ones_are_recognised() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    close_sessions(&broker, &dir, &[1, 6]);
    run(command("prune", &dir).args(["--keep", "0d"]))
        .with_code(0)
        .says("[*] Nothing to remove")
        .says("--dedupe-window");
    assert_eq!(dir.archives().len(), 2);
}

#[test]
fn nothing_is_removed_where_nobody_knows_what_consumers_need() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    close_sessions(&broker, &dir, &[1, 6]);
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    // As good as a folder that can't be read.
    let consumers = dir.logs().join("consumers");
    let _none = fs::remove_dir_all(&consumers);
    fs::write(&consumers, "no folder").unwrap();
    let names = dir.archives();
    run(command("prune", &dir).args(["--keep", "0d", "--dedupe-window", "0"]))
        .with_code(1)
        .warns("cannot read the positions of the consumers");
    assert_eq!(dir.archives(), names);
}

//! A copy of a journal that is being written is whole at any time, and a journal made of
//! it goes on where the copy ends.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::util::broker::{Broker, broker, viewer, viewer_in};
use crate::util::client::Publisher;
use crate::util::control::Requester;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::process::{Process, run};
use crate::util::programs::programs;
use crate::util::record::Record;
use crate::util::rounds::from_environment;
use crate::util::wait::until;

fn backup(dir: &Dir, to: &Path) -> Command {
    let mut command = broker();
    command.arg("backup").arg(to).arg("--dir").arg(dir.logs());
    command
}

fn restore(from: &Path, dir: &Dir) -> Command {
    let mut command = broker();
    command
        .arg("restore")
        .arg(from)
        .arg("--dir")
        .arg(dir.logs());
    command
}

#[test]
fn copies_made_under_load_while_sessions_are_closed_hold_all_that_was_there() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let place = dir.path().join("copy");
    let mut publisher = Publisher::connect(broker.ports.publish);
    const MESSAGES: usize = 20_000;
    publisher.begin_burst("a", 1, MESSAGES, 200);
    dir.wait_lines(1);
    for _ in 0..12 {
        broker.signal("HUP");
        let there = dir.records().last().map_or(0, Record::num);
        run(&mut backup(&dir, &place))
            .with_code(0)
            .says("all of them good");
        assert_holds(&place, there);
    }
    publisher.wait_sent();
}

#[test]
fn a_copy_made_while_broker_or_backup_are_killed_is_restored_and_verified() {
    let dir = Dir::new();
    let place = dir.path().join("copy");
    for round in 0..from_environment("BACKUP_ROUNDS", 3) {
        let mut broker = Broker::start(&dir);
        let mut publisher = Publisher::connect(broker.ports.publish);
        publisher.begin_burst(&format!("round{round}"), 1, 5_000, 200);
        dir.wait_lines(dir.line_count() + 500);
        if round % 2 == 1 {
            broker.signal("HUP");
        }
        let there = numbers(&dir.logs()).len() as u64;
        let mut copying = Process::start(&mut backup(&dir, &place));
        // Another instant of the copying each time.
        std::thread::sleep(Duration::from_millis(round as u64 * 13 % 100));
        match round % 3 {
            0 => broker.kill9(),
            1 => {
                copying.kill9();
                copying = Process::start(&mut backup(&dir, &place));
                broker.kill9();
            }
            _ => {}
        }
        copying.wait_exit().with_code(0).says("all of them good");
        let new = Dir::new();
        run(&mut restore(&place, &new))
            .with_code(0)
            .says("all of them good");
        run(&mut viewer_in(&new.logs(), &["verify", "--all"])).with_code(0);
        assert_holds(&new.logs(), there);
        println!("round {round}: {there} messages were there");
    }
}

#[test]
fn copies_through_a_pipe_hold_all_that_was_there() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    const MESSAGES: usize = 20_000;
    publisher.begin_burst("a", 1, MESSAGES, 200);
    dir.wait_lines(1);
    for round in 0..8 {
        broker.signal("HUP");
        let there = dir.records().last().map_or(0, Record::num);
        let place = dir.path().join(format!("copy-{round}"));
        fs::create_dir(&place).unwrap();
        let mut pipe = Command::new("sh");
        pipe.args([
            "-c",
            "\"$1\" backup --to-stdout --dir \"$2\" | tar xf - -C \"$3\"",
            "sh",
        ]);
        pipe.arg(&programs().broker).arg(dir.logs()).arg(&place);
        run(&mut pipe).with_code(0).without_warning();
        assert_holds(&place, there);
        run(&mut viewer_in(&place, &["verify", "--all"])).with_code(0);
    }
    publisher.wait_sent();
}

/// What was recorded before the copy began is in it, once and in order.
#[track_caller]
fn assert_holds(copy: &Path, there: u64) {
    let copied = numbers(copy);
    assert!(copied.len() as u64 >= there, "{} of {there}", copied.len());
    assert!(
        copied.iter().copied().eq(1..=copied.len() as u64),
        "{copied:?}"
    );
}

/// The numbers of all messages in a directory, in the order in which they are shown.
fn numbers(dir: &Path) -> Vec<u64> {
    let mut command = viewer_in(dir, &["--all", "--limit", "0", "-o", "json"]);
    let shown = run(&mut command).with_code(0).stdout;
    let shown: Vec<serde_json::Value> = serde_json::from_str(&shown).unwrap();
    let numbers = shown.iter().map(|one| one["message_num"].as_u64().unwrap());
    numbers.collect()
}

#[test]
fn a_journal_made_of_a_copy_goes_on_where_the_copy_ends_and_says_so() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 5));
    dir.wait_lines(5);
    broker.signal("HUP");
    dir.wait_archives(1);
    publisher.send(&agents("t", 6, 2));
    dir.wait_lines(2);
    let mut client = Requester::dealer(broker.ports.control);
    let consumer = client.consume(json!({"name": "reader", "from": "start", "credit": 3}));
    client.messages(3);
    client.ack(consumer, 3);
    until("the position is stored", || {
        dir.logs()
            .join("consumers/consumer_reader.json")
            .exists()
            .then_some(())
    });
    let copy = dir.path().join("copy");
    run(&mut backup(&dir, &copy))
        .with_code(0)
        .says("[*] Copied 2 sessions");
    run(&mut backup(&dir, &copy))
        .with_code(0)
        .says("1 were there already");
    for own in ["journal.lock", "journal.owner", "journal.checkpoint"] {
        assert!(!copy.join(own).exists(), "{own}");
    }
    publisher.send(&agents("t", 8, 1));
    dir.wait_lines(3);
    broker.kill9();
    broker.wait_exit();

    let new = Dir::new();
    run(&mut restore(&copy, &new))
        .with_code(0)
        .says("7 messages, all of them good");
    run(&mut restore(&copy, &new))
        .with_code(1)
        .warns("is something in");
    let broker = Broker::start(&new);
    let mut client = Requester::dealer(broker.ports.control);
    client.consume(json!({"name": "reader", "from": "after", "credit": 9}));
    let numbers: Vec<u64> = client
        .messages(4)
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, [4, 5, 6, 7]);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 9, 1));
    new.wait_lines(3);
    assert_eq!(new.records()[2].num(), 8);
    run(&mut viewer(&new, &["--all", "--count"]))
        .with_code(0)
        .says("8");
}

#[test]
fn a_copy_is_refused_inside_the_journal_and_damage_is_told() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("t", 1, 5));
    dir.wait_lines(5);
    run(&mut backup(&dir, &dir.logs().join("archive/copy")))
        .with_code(1)
        .warns("lie in each other");
    let copy = dir.path().join("copy");
    run(&mut backup(&dir, &copy)).with_code(0);
    let session = copy.join("current_session.jsonl");
    let text = fs::read_to_string(&session)
        .unwrap()
        .replacen("claude_code", "claude_edoc", 1);
    fs::write(&session, text).unwrap();
    let new = Dir::new();
    run(&mut restore(&copy, &new))
        .with_code(3)
        .says("something is wrong");
}

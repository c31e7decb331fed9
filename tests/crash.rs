//! The broker is killed, at random instants and at every step of what it does to files.
//!
//! `CRASH_ROUNDS` says how many random instants there are.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::thread::sleep;
use std::time::Duration;

use crate::util::broker::{Broker, Ports, broker_on};
use crate::util::client::{Publisher, Subscriber, publish};
use crate::util::dir::{Dir, assert_numbered_from};
use crate::util::message::agents;
use crate::util::process::Process;
use crate::util::record::Record;
use crate::util::rounds::from_environment;
use crate::util::shim::{Disk, Rule};
use crate::util::wait::until;

/// More steps than any start, commit or archiving has.
const MANY: u64 = 200;

/// Any number below a limit, another one each time.
fn random(limit: u64) -> u64 {
    RandomState::new().hash_one(0) % limit
}

/// Starts a broker and kills it a moment later, ready or not.
fn kill_while_starting(dir: &Dir) {
    let mut process = Process::start(&mut broker_on(dir, Ports::default()));
    // An instant is what is wanted here, and no condition.
    sleep(Duration::from_micros(random(30_000)));
    process.kill9();
}

/// Asserts that nobody saw what is not in the journal, and that it is sound.
#[track_caller]
fn assert_recorded(dir: &Dir, seen: &HashSet<String>, kills: usize) -> usize {
    let (records, torn) = dir.survivors();
    assert!(torn <= kills, "{torn} torn lines after {kills} kills");
    assert_numbered_from(1, &records);
    let ids: HashSet<String> = records.iter().map(Record::id).collect();
    assert_eq!(ids.len(), records.len(), "a message is recorded twice");
    let lost: Vec<&String> = seen.difference(&ids).collect();
    assert!(lost.is_empty(), "delivered and not recorded: {lost:?}");
    records.len()
}

#[test]
fn kill_9_at_random_instants_loses_nothing_that_anybody_saw() {
    let rounds = from_environment("CRASH_ROUNDS", 3);
    let dir = Dir::new();
    let mut seen = HashSet::new();
    let mut kills = 0;
    for round in 1..=rounds {
        let mut broker = Broker::start_with(&dir, &["--history", "0"]);
        let mut subscriber = Subscriber::connect(broker.ports.subscribe, &[""]);
        let mut publisher = Publisher::connect(broker.ports.publish);
        let before = dir.current_bytes().len();
        publisher.begin_burst(&format!("round{round}"), 1, 20_000, 400);
        until("the load", || {
            (dir.current_bytes().len() > before).then_some(())
        });
        // Each second time somebody has seen something, however slow the disk is.
        if round % 2 == 0 {
            until("a message", || {
                let ids = subscriber.drain();
                let came = !ids.is_empty();
                seen.extend(ids);
                came.then_some(())
            });
        }
        sleep(Duration::from_micros(random(200_000)));
        broker.kill9();
        subscriber.wait_disconnected();
        seen.extend(subscriber.drain());
        kill_while_starting(&dir);
        kill_while_starting(&dir);
        kills += 3;
        // Everything is looked at each time: with many rounds that adds up.
        if round % 10 == 0 || rounds < 10 {
            assert_recorded(&dir, &seen, kills);
        }
    }
    let (records, _) = dir.survivors();
    let mut broker = Broker::start(&dir);
    broker.wait_for(&format!("[*] Loaded {} messages", records.len()));
    publish(broker.ports.publish, &agents("end", 1, 1));
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["end"]);
    seen.extend(subscriber.ids_until("end-1"));
    let recorded = assert_recorded(&dir, &seen, kills);
    println!(
        "{kills} kills, {recorded} records, {} of them seen",
        seen.len()
    );
    assert!(seen.len() > rounds / 2, "somebody saw something");
}

/// A directory with three records in the current session and two in an archive.
fn five_records() -> Dir {
    let dir = Dir::new();
    let writer = journal::Journal::open(dir.logs()).unwrap().0;
    for number in 1..=5 {
        let id = format!("t-{number}");
        writer
            .append(&serde_json::json!({"topic": "t", "message_id": id}))
            .unwrap();
        if number == 2 {
            writer.archive(None).unwrap();
        }
    }
    drop(writer);
    dir
}

/// Asserts that the five records are there, and that the sixth gets its number.
#[track_caller]
fn assert_goes_on(dir: &Dir, step: u64) {
    let mut broker = Broker::start(dir);
    let before = dir.all_records();
    assert_eq!(before.len(), 5, "after a kill at step {step}");
    assert_numbered_from(1, &before);
    for name in dir.archives() {
        let bytes = fs::metadata(dir.archive().join(&name)).unwrap().len();
        assert!(bytes > 0, "{name} is empty after a kill at step {step}");
    }
    publish(broker.ports.publish, &agents("t", 6, 1));
    dir.wait_lines(if dir.archives().len() == 2 { 1 } else { 4 });
    broker.kill9();
    let after = dir.all_records();
    assert_eq!(after.len(), 6, "after a kill at step {step}");
    assert_numbered_from(1, &after);
}

/// Kills the broker at each step of archiving, until there is none more.
fn kill_at_every_step_of_archiving(signal: &str) {
    for step in 1..MANY {
        let dir = five_records();
        let disk = Disk::of(&dir);
        let mut broker = disk.start(&dir, &[]);
        disk.set(&[Rule::kill_at(step)]);
        broker.signal(signal);
        let archived = until("the archive or the end", || {
            let ended = broker.child.try_wait().unwrap();
            let archived = broker.stdout.text().contains("[*] Archived 3 messages");
            (archived || ended.is_some()).then_some(archived)
        });
        if archived {
            println!("SIG{signal}: killed at each of {} steps", step - 1);
            assert!(step > 5, "there are more steps than {step}");
            return;
        }
        broker.kill9();
        assert_goes_on(&dir, step);
    }
    panic!("the archiving never ended");
}

#[test]
fn a_kill_at_any_step_of_archiving_on_demand_is_recovered_from() {
    kill_at_every_step_of_archiving("HUP");
}

#[test]
fn a_kill_at_any_step_of_the_last_archiving_is_recovered_from() {
    kill_at_every_step_of_archiving("TERM");
}

/// Kills the broker at each step of starting, and once more at the same step.
#[test]
fn a_kill_at_any_step_of_starting_is_recovered_from_also_twice() {
    for step in 1..MANY {
        let dir = five_records();
        // Something to do for the recovery.
        let mut bytes = dir.current_bytes();
        let whole = bytes.len();
        bytes.extend_from_slice(br#"{"message_num":6,"topic":"torn"#);
        dir.write_current(&bytes);
        let torn = bytes;
        fs::write(dir.archive().join("session_20200101_000000.jsonl"), "").unwrap();
        let disk = Disk::of(&dir);
        disk.set(&[Rule::kill_at(step)]);
        for _ in 0..2 {
            let mut process = Process::start(&mut disk.broker_on(&dir, Ports::default()));
            let ready = process.wait_for_or_end("[RECOVERY]");
            if ready {
                println!("start: killed twice at each of {} steps", step - 1);
                assert!(step > 5, "there are more steps than {step}");
                return;
            }
        }
        let now = dir.current_bytes();
        assert!(now.starts_with(&torn), "what was torn stays");
        let mut broker = Broker::start(&dir);
        broker.wait_for("[*] Loaded 3 messages from previous session\n");
        broker.kill9();
        dir.write_current(&dir.current_bytes()[..whole]);
        assert_eq!(dir.all_records().len(), 5, "after a kill at step {step}");
        assert_eq!(dir.archives().len(), 1, "the reserved name is gone");
    }
    panic!("the start never ended");
}

/// In an empty directory there is more to make: directories, files, names.
#[test]
fn a_kill_at_any_step_of_the_first_start_leaves_what_can_be_started() {
    for step in 1..MANY {
        let dir = Dir::new();
        let disk = Disk::of(&dir);
        disk.set(&[Rule::kill_at(step)]);
        let mut process = Process::start(&mut disk.broker_on(&dir, Ports::default()));
        let ready = process.wait_for_or_end("[*] Loaded 0 messages");
        if ready {
            println!("first start: killed at each of {} steps", step - 1);
            assert!(step > 5, "there are more steps than {step}");
            return;
        }
        let mut broker = Broker::start(&dir);
        broker.wait_for("[*] Loaded 0 messages from previous session\n");
    }
    panic!("the start never ended");
}

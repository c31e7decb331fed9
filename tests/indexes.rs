//! A closed session gets an index, which changes no answer and does no harm.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;

use crate::util::broker::{Broker, Ports, broker_on, viewer};
use crate::util::client::{Publisher, Subscriber};
use crate::util::dir::Dir;
use crate::util::message::{Frames, agents, frames};
use crate::util::process::{Process, run};
use crate::util::wait::until;

/// The index of a closed session.
fn index_of(dir: &Dir, session: &str) -> PathBuf {
    dir.archive().join(format!("{session}.index"))
}

fn wait_index(dir: &Dir, session: &str) {
    let index = index_of(dir, session);
    until("an index", || index.exists().then_some(()));
}

/// Asserts that each of these questions has the same answer with indexes and
/// without, and returns all that was said on standard error with them.
fn assert_same_answers(dir: &Dir) -> String {
    let questions: [&[&str]; 11] = [
        &["--count"],
        &["--stats"],
        &["--stats", "-o", "json"],
        &["--limit", "0", "-o", "jsonl"],
        &["--limit", "3", "--topic", "t"],
        &["--count", "--topic", "u"],
        &["--count", "--sender", "nobody"],
        &["--id", "t-2", "-o", "compact"],
        &["--count", "--grep", "this is t-1"],
        &["--grep", "IS T-1[0-9]", "-i", "-o", "jsonl"],
        &["--count", "--grep", "nowhere to be seen"],
    ];
    let mut said = String::new();
    for question in questions {
        let question = [&["--all"], question].concat();
        let with = run(&mut viewer(dir, &question));
        let without = run(&mut viewer(dir, &[&question[..], &["--no-index"]].concat()));
        assert_eq!(with.status, without.status, "{question:?}");
        assert_eq!(with.stdout, without.stdout, "{question:?}");
        // Why an answer is empty is no complaint about an index.
        let complaints = with.stderr.lines();
        for line in complaints.filter(|line| !line.starts_with("viewer: no message")) {
            said.push_str(line);
            said.push('\n');
        }
    }
    said
}

/// `count` lines of somebody's, enough to take a while.
fn many_lines(count: u64) -> String {
    let padding = "x".repeat(1_000);
    let line = |number| {
        format!(r#"{{"message_num":{number},"topic":"t","sender":"s","content":"{padding}"}}"#)
            + "\n"
    };
    (1..=count).map(line).collect()
}

/// Twenty messages and one that makes their session worth an index.
fn long_talk() -> Vec<Frames> {
    let payload = format!(r#"{{"content":"{}"}}"#, "x".repeat(1_200_000));
    let mut messages = agents("t", 1, 20);
    messages.push(frames([b"t".as_slice(), payload.as_bytes()]));
    messages
}

#[test]
fn each_closed_session_gets_an_index_that_changes_no_answer() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&long_talk());
    dir.wait_lines(21);
    broker.signal("HUP");
    let first = dir.wait_archives(1).remove(0);
    wait_index(&dir, &first);
    publisher.send(&agents("u", 1, 5));
    dir.wait_lines(5);
    assert_eq!(assert_same_answers(&dir), "");

    broker.signal("TERM");
    broker.wait_exit().with_code(0).without_warning();
    let has_index = |session: &String| index_of(&dir, session).exists();
    let indexed: Vec<_> = dir.archives().into_iter().filter(has_index).collect();
    assert_eq!(indexed, [first], "a short one is read in a moment anyway");
    assert_eq!(assert_same_answers(&dir), "");
    // Nothing that lists sessions takes an index for one.
    run(&mut viewer(&dir, &["--list-archives"]))
        .with_code(0)
        .never_says(".index");
    run(&mut viewer(&dir, &["verify", "--all"])).with_code(0);
    run(&mut viewer(&dir, &["index"]))
        .with_code(0)
        .says("the index is there already")
        .says("index made");
    assert!(dir.archives().iter().all(has_index));
    assert_eq!(assert_same_answers(&dir), "");
    run(&mut viewer(&dir, &["index", "--text"]))
        .with_code(0)
        .says("in place of one without text")
        .never_says("already");
    assert_eq!(assert_same_answers(&dir), "");
    run(&mut viewer(&dir, &["index"]))
        .with_code(0)
        .says("the index is there already")
        .never_says("made");
    let again = Broker::start(&dir);
    drop(again);
    assert_eq!(dir.archives().len(), 2);
}

#[test]
fn the_session_being_written_gets_an_index_which_is_taken_over() {
    let dir = Dir::new();
    // A group of 16 MiB, and what is too young to be indexed.
    dir.write_current(many_lines(20_000));
    let path = |ending: &str| {
        dir.logs()
            .join(format!("current_session.jsonl.index{ending}"))
    };
    let (index, columns) = (path(""), path(".columns"));
    let mut broker = Process::start(&mut broker_on(&dir, Ports::default()));
    until("an index", || index.exists().then_some(()));
    assert_eq!(assert_same_answers(&dir), "");
    broker.kill9();
    assert_eq!(assert_same_answers(&dir), "");

    let mut broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&agents("u", 1, 5));
    dir.wait_lines(20_005);
    assert_eq!(assert_same_answers(&dir), "");
    broker.signal("HUP");
    let closed = dir.wait_archives(1).remove(0);
    wait_index(&dir, &closed);
    until("what was taken over to go", || {
        (!index.exists() && !columns.exists()).then_some(())
    });
    assert_eq!(assert_same_answers(&dir), "");
    broker.signal("TERM");
    broker.wait_exit().with_code(0).without_warning();
    assert_eq!(assert_same_answers(&dir), "");
}

#[test]
fn a_directory_that_was_copied_keeps_its_indexes() {
    let dir = Dir::new();
    dir.write_archive("session_20251120_143022.jsonl", many_lines(1_200));
    dir.write_current(many_lines(20_000));
    run(&mut viewer(&dir, &["index"])).with_code(0).says("made");
    let copy = Dir::new();
    fs::create_dir_all(copy.archive()).unwrap();
    for folder in [(dir.logs(), copy.logs()), (dir.archive(), copy.archive())] {
        for entry in fs::read_dir(folder.0).unwrap().map(|entry| entry.unwrap()) {
            if entry.path().is_file() {
                fs::copy(entry.path(), folder.1.join(entry.file_name())).unwrap();
            }
        }
    }
    assert_eq!(assert_same_answers(&copy), "");
    run(&mut viewer(&copy, &["index"]))
        .with_code(0)
        .says("is bound to this copy");
    run(&mut viewer(&copy, &["index"]))
        .with_code(0)
        .says("is there already");
    assert_eq!(assert_same_answers(&copy), "");
}

#[test]
fn a_session_that_was_tampered_with_is_read() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.send(&long_talk());
    dir.wait_lines(21);
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    let session = dir.archives().remove(0);
    let path = dir.archive().join(&session);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replacen("\"topic\":\"t\"", "\"topic\":\"u\"", 1),
    )
    .unwrap();
    let said = assert_same_answers(&dir);
    assert!(
        said.contains("is not used: the session is not the one"),
        "{said}"
    );
    run(&mut viewer(&dir, &["index"]))
        .with_code(0)
        .says("in place of another");
    let said = assert_same_answers(&dir);
    assert!(!said.contains("is not used"), "{said}");
    assert!(said.contains("altered"), "{said}");
}

#[test]
fn a_broker_that_is_killed_while_it_makes_an_index_leaves_no_harm() {
    let dir = Dir::new();
    dir.write_archive("session_20251120_143022.jsonl", many_lines(30_000));
    let mut broker = Process::start(&mut broker_on(&dir, Ports::default()));
    let is_half = |name: &str| name.ends_with(".tmp");
    let names = || {
        fs::read_dir(dir.archive())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
    };
    let has_half = || names().any(|name| is_half(&name.to_string_lossy()));
    until("half an index", || has_half().then_some(()));
    broker.kill9();
    assert!(has_half() && !index_of(&dir, "session_20251120_143022.jsonl").exists());
    assert_eq!(assert_same_answers(&dir), "");

    let mut broker = Broker::start(&dir);
    wait_index(&dir, "session_20251120_143022.jsonl");
    until("what was left to go", || (!has_half()).then_some(()));
    broker.signal("TERM");
    broker.wait_exit().with_code(0).without_warning();
    assert_eq!(assert_same_answers(&dir), "");
}

#[test]
fn an_index_that_cannot_be_written_disturbs_nobody() {
    let dir = Dir::new();
    let name = "session_20251120_143022.jsonl";
    dir.write_archive(name, many_lines(1_200));
    // A directory stands in its place.
    fs::create_dir_all(index_of(&dir, name).join("inside")).unwrap();
    let mut broker = Broker::start(&dir);
    broker.wait_for_warning("there is no index of a closed session");
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut live = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 5));
    assert_eq!(live.recv(5), agents("t", 1, 5));
    broker.signal("TERM");
    broker.wait_exit().with_code(0);
    let said = assert_same_answers(&dir);
    assert!(said.contains("is not used: it is damaged"), "{said}");
    run(&mut viewer(&dir, &["index", "--archive", name])).with_code(1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_takes_no_index_disturbs_nobody() {
    use crate::util::shim::{Disk, Rule};
    let dir = Dir::new();
    dir.write_archive("session_20251120_143022.jsonl", many_lines(1_200));
    let disk = Disk::of(&dir);
    // Enough for the broker to start.
    disk.set(&[Rule::room(200)]);
    let broker = disk.start(&dir, &[]);
    broker.wait_for_warning("there is no index of a closed session");
    disk.heal();
    let mut publisher = Publisher::connect(broker.ports.publish);
    let mut live = Subscriber::connect(broker.ports.subscribe, &["t"]);
    publisher.send(&agents("t", 1, 5));
    assert_eq!(live.recv(5), agents("t", 1, 5));
    assert_eq!(
        fs::read_dir(dir.archive()).unwrap().count(),
        1,
        "nothing is left"
    );
    assert_eq!(assert_same_answers(&dir), "");
}

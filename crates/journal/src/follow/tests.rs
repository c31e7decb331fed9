use std::io::Write as _;
use std::sync::Arc;

use super::*;
use crate::damage::Reason;
use crate::options::Options;
use crate::testing::sealed;
use crate::writer::Writer;

const OLD: &str = "{\"Id\": \"x\", \"Message\": \"{}\"}\n";

fn open(dir: &Path) -> Writer {
    let options = Options {
        // The names tell nothing about the order.
        stamp: {
            let count = std::sync::atomic::AtomicU64::new(1000);
            Arc::new(move || {
                count
                    .fetch_sub(1, std::sync::atomic::Ordering::Relaxed)
                    .to_string()
            })
        },
        ..Options::default()
    };
    Writer::open(dir, options).unwrap().0
}

fn commit(writer: &mut Writer, count: u64) {
    let mut group = writer.group();
    for _ in 0..count {
        group
            .push(&serde_json::json!({"text": "some words"}))
            .unwrap();
    }
    writer.commit(&[&group]).unwrap();
}

/// Numbers of what comes; 0 for damage.
fn read(follower: &mut Follower) -> Vec<u64> {
    let mut found = Vec::new();
    // An empty or vanished session is looked for again at the next call.
    for _ in 0..3 {
        while let Some(item) = follower.next_item().unwrap() {
            found.push(match item {
                Item::Record(record) => record.number,
                Item::Damage(_) => 0,
            });
        }
    }
    found
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    range.collect()
}

#[test]
fn a_directory_that_does_not_exist_yet_is_waited_for() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("logs");
    let mut follower = Follower::after(&dir, 0).unwrap();
    assert!(read(&mut follower).is_empty());
    let mut writer = open(&dir);
    assert!(read(&mut follower).is_empty());
    commit(&mut writer, 2);
    assert_eq!(read(&mut follower), [1, 2]);
}

#[test]
fn records_come_once_and_in_order_through_archives_from_any_number_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let mut early = Follower::after(dir.path(), 0).unwrap();
    let mut seen = Vec::new();
    for round in 0..5 {
        commit(&mut writer, 3);
        if round % 2 == 0 {
            seen.extend(read(&mut early));
        }
        commit(&mut writer, 2);
        writer.archive(None).unwrap();
    }
    commit(&mut writer, 5);
    seen.extend(read(&mut early));
    assert_eq!(seen, numbers(1..=30));
    for from in 0..32 {
        let mut follower = Follower::after(dir.path(), from).unwrap();
        assert_eq!(read(&mut follower), numbers(from + 1..=30), "after {from}");
    }
    assert!(Follower::after(dir.path(), u64::MAX).is_ok());
}

#[test]
fn following_from_the_end_begins_with_what_is_recorded_next_whatever_names_say() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    for _ in 0..3 {
        commit(&mut writer, 2);
        writer.archive(None).unwrap();
    }
    let mut follower = Follower::from_end(dir.path()).unwrap();
    assert!(read(&mut follower).is_empty());
    commit(&mut writer, 2);
    assert_eq!(read(&mut follower), [7, 8]);
}

#[test]
fn damage_at_the_start_of_a_session_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, 2);
    writer.archive(None).unwrap();
    let path = writer.session_path();
    drop(writer);
    std::fs::write(&path, [&b"garbage\n"[..], &sealed(3, ""), b"\n"].concat()).unwrap();
    assert_eq!(
        read(&mut Follower::after(dir.path(), 0).unwrap()),
        [1, 2, 0, 3]
    );
    assert_eq!(read(&mut Follower::after(dir.path(), 2).unwrap()), [0, 3]);
}

#[test]
fn archives_without_numbers_are_all_shown() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    for (name, count) in [
        ("session_1.jsonl", 4),
        ("session_2.jsonl", 2),
        ("session_3.jsonl", 3),
    ] {
        std::fs::write(archive.join(name), OLD.repeat(count)).unwrap();
    }
    let mut follower = Follower::after(dir.path(), 0).unwrap();
    assert_eq!(read(&mut follower), [1, 2, 3, 4, 1, 2, 1, 2, 3]);
    let mut writer = open(dir.path());
    commit(&mut writer, 2);
    assert_eq!(read(&mut follower), [5, 6]);
}

#[test]
fn what_a_writer_takes_back_does_not_stop_the_follower() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, 2);
    let mut follower = Follower::after(dir.path(), 0).unwrap();
    let path = writer.session_path();
    let len = std::fs::metadata(&path).unwrap().len();
    let file = || {
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
    };
    file()
        .write_all(&[&sealed(3, ""), &b"\n"[..], b"{\"mess"].concat())
        .unwrap();
    assert_eq!(read(&mut follower), [1, 2, 3]);
    file().set_len(len).unwrap();
    assert!(read(&mut follower).is_empty());
    commit(&mut writer, 3);
    assert_eq!(read(&mut follower), [4, 5]);
    writer.archive(None).unwrap();
    commit(&mut writer, 1);
    assert_eq!(read(&mut follower), [6]);
}

#[test]
fn records_that_stand_in_two_sessions_come_once() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    let lines = |numbers: &[u64]| -> Vec<u8> {
        let line = |number: &u64| [sealed(*number, ""), b"\n".to_vec()].concat();
        numbers.iter().flat_map(line).collect()
    };
    std::fs::write(archive.join("session_1.jsonl"), lines(&[1, 2, 3, 4])).unwrap();
    std::fs::write(dir.path().join("current_session.jsonl"), lines(&[3, 4, 5])).unwrap();
    assert_eq!(
        read(&mut Follower::after(dir.path(), 0).unwrap()),
        numbers(1..=5)
    );
}

#[test]
fn a_torn_line_at_the_end_of_a_closed_session_is_shown_when_the_next_one_comes() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, 1);
    let mut follower = Follower::after(dir.path(), 0).unwrap();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(writer.session_path())
        .unwrap();
    file.write_all(b"{\"torn").unwrap();
    assert_eq!(read(&mut follower), [1]);
    writer.archive(None).unwrap();
    let reason = match follower.next_item().unwrap() {
        Some(Item::Damage(damage)) => damage.reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason, Reason::Torn);
    commit(&mut writer, 1);
    assert_eq!(read(&mut follower), [2]);
}

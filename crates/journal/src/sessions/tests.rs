use std::fs;

use serde_json::json;

use super::*;
use crate::journal::Journal;
use crate::record::Item;

fn numbers(dir: &Path) -> Vec<u64> {
    let lines = read_all(dir).unwrap();
    lines.map(|line| line.unwrap().number).collect()
}

#[test]
fn all_records_come_in_order_and_from_the_back_in_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    for _ in 0..3 {
        journal.append_all(&[json!({}), json!({})]).unwrap();
        journal.archive(None).unwrap();
    }
    journal.append(&json!({})).unwrap();
    assert_eq!(numbers(dir.path()), [1, 2, 3, 4, 5, 6, 7]);
    let mut found = Vec::new();
    for backward in Sessions::of(dir.path()).all().unwrap().backward() {
        let mut backward = backward.unwrap();
        while let Some(Item::Record(record)) = backward.next_item().unwrap() {
            found.push(record.number);
        }
    }
    assert_eq!(found, [7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn a_directory_that_is_not_there_has_no_sessions() {
    let dir = tempfile::tempdir().unwrap();
    assert!(numbers(&dir.path().join("none")).is_empty());
    let snapshot = Sessions::of(dir.path()).all().unwrap();
    assert!(snapshot.archives.is_empty() && snapshot.current.is_none());
}

#[test]
fn damage_stands_between_the_records_and_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    journal.append(&json!({})).unwrap();
    let closed = journal.archive(None).unwrap().unwrap().path;
    journal.append(&json!({})).unwrap();
    let line = fs::read(&closed).unwrap();
    fs::write(&closed, [b"{torn\n", &*line].concat()).unwrap();
    let found: Vec<Option<u64>> = read_all(dir.path())
        .unwrap()
        .map(|line| line.ok().map(|line| line.number))
        .collect();
    assert_eq!(found, [None, Some(1), Some(2)]);
}

#[test]
fn sessions_tell_what_says_where_they_begin() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    fs::create_dir(&archive).unwrap();
    fs::write(archive.join("session_a.jsonl"), "{\"old\":1}\n").unwrap();
    fs::write(archive.join("session_b.jsonl"), "garbage\n").unwrap();
    fs::write(
        archive.join("session_c.jsonl"),
        crate::testing::sealed(7, ""),
    )
    .unwrap();
    let closed = Sessions::of(dir.path()).closed().unwrap();
    let begins: Vec<_> = closed.iter().map(|one| (one.first, one.begins)).collect();
    let expected = [
        (1, Begins::Counted),
        (1, Begins::Nowhere),
        (7, Begins::Numbered),
    ];
    assert_eq!(begins, expected);
}

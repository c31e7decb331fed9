//! What an operator does to a journal's files while nobody writes it: numbers
//! never begin again, and what is missing is said.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use journal::{Journal, Missing, NotRead, OpenError, Options, Recovery};
use journal::{list_archives, list_unread, take_inventory};
use tempfile::TempDir;

fn open(dir: &Path) -> (Journal, Recovery) {
    Journal::open(dir).unwrap()
}

fn append(journal: &Journal, records: u64) -> u64 {
    let mut last = 0;
    for _ in 0..records {
        last = journal.append(&serde_json::json!({"text": "x"})).unwrap();
    }
    last
}

/// Closed sessions with three records each, and nothing in the current one.
fn closed(sessions: u64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    for _ in 0..sessions {
        append(&journal, 3);
        journal.archive(None).unwrap();
    }
    dir
}

fn archives(dir: &Path) -> Vec<PathBuf> {
    let archives = list_archives(dir).unwrap();
    archives.into_iter().map(|archive| archive.path).collect()
}

fn ranges(missing: &[Missing]) -> Vec<(u64, u64)> {
    missing.iter().map(|one| (one.first, one.last)).collect()
}

/// As a process that is killed leaves it: nothing is closed in order.
fn killed(journal: Journal) {
    let dir = journal.session_path().parent().unwrap().to_owned();
    let head = dir.join("journal.head");
    let kept = fs::read(&head).unwrap();
    drop(journal);
    fs::write(&head, kept).unwrap();
}

#[test]
fn numbers_go_on_whatever_was_done_to_the_archives() {
    type Way = (&'static str, fn(&Path));
    let ways: [Way; 3] = [
        ("packed", |path| {
            fs::rename(path, path.with_extension("jsonl.gz")).unwrap();
        }),
        ("renamed", |path| {
            fs::rename(path, path.with_file_name("november.jsonl")).unwrap();
        }),
        ("moved", |path| fs::remove_file(path).unwrap()),
    ];
    for (way, act) in ways {
        let dir = closed(1);
        act(&archives(dir.path())[0]);
        let (journal, found) = open(dir.path());
        assert_eq!(found.next, 4, "{way}");
        assert_eq!(ranges(&found.missing), [(1, 3)], "{way}");
        assert!(found.missing[0].there.is_some(), "{way}");
        assert_eq!(append(&journal, 1), 4, "{way}");
        drop(journal);
        // It is said again, with the same time.
        let (_journal, again) = open(dir.path());
        assert_eq!((again.next, again.jump), (5, None), "{way}");
        assert_eq!(again.missing, found.missing, "{way}");
    }
}

#[cfg(unix)]
#[test]
fn an_archive_that_is_a_link_to_a_file_is_read() {
    let dir = closed(2);
    let elsewhere = tempfile::tempdir().unwrap();
    for path in archives(dir.path()) {
        let target = elsewhere.path().join(path.file_name().unwrap());
        fs::copy(&path, &target).unwrap();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
    }
    let (_journal, found) = open(dir.path());
    assert_eq!((found.next, found.missing), (7, vec![]));
    assert_eq!(list_archives(dir.path()).unwrap().len(), 2);
}

#[test]
fn archives_that_are_missing_in_between_are_named_and_come_back() {
    let dir = closed(4);
    let all = archives(dir.path());
    let aside = dir.path().join("aside");
    fs::rename(&all[1], &aside).unwrap();
    let (journal, found) = open(dir.path());
    assert_eq!((found.next, found.jump), (13, None));
    assert_eq!(ranges(&found.missing), [(4, 6)]);
    let inventory = take_inventory(dir.path()).unwrap();
    assert_eq!(inventory.missing, found.missing);
    assert_eq!(inventory.journal, Some(found.journal));
    drop(journal);
    fs::rename(&aside, &all[1]).unwrap();
    assert_eq!(take_inventory(dir.path()).unwrap().missing, []);
    assert_eq!(open(dir.path()).1.missing, []);
}

#[test]
fn a_killed_writer_leaves_no_gap_however_much_it_had_reserved() {
    let dir = tempfile::tempdir().unwrap();
    for records in [1, 2, 10, 500] {
        let (journal, found) = open(dir.path());
        assert_eq!((found.jump, found.missing), (None, vec![]));
        assert_eq!(append(&journal, records), found.next + records - 1);
        killed(journal);
    }
}

#[test]
fn a_writer_that_ends_in_order_leaves_nothing_reserved() {
    let dir = closed(1);
    let (journal, _) = open(dir.path());
    assert_eq!(append(&journal, 300), 303);
    drop(journal);
    fs::remove_file(journal::current_session(dir.path())).unwrap();
    let (_journal, found) = open(dir.path());
    assert_eq!((found.next, ranges(&found.missing)), (304, vec![(4, 303)]));
}

#[test]
fn a_session_that_was_moved_away_after_a_kill_is_missed() {
    for records in [1, 2, 7, 300] {
        let dir = closed(1);
        let (journal, _) = open(dir.path());
        let last = append(&journal, records);
        killed(journal);
        fs::remove_file(journal::current_session(dir.path())).unwrap();
        let (_journal, found) = open(dir.path());
        assert!(found.next > last, "{found:?}");
        let jump = found.jump.unwrap();
        assert_eq!(jump.in_files, 3);
        assert!((4..=last).contains(&jump.noted), "{jump:?}");
        assert_eq!(ranges(&found.missing), [(4, found.next - 1)]);
    }
}

#[test]
fn an_older_copy_of_the_journal_beside_newer_readers_does_not_give_numbers_again() {
    let dir = closed(1);
    let options = Options {
        seen: 20,
        ..Options::default()
    };
    let (journal, found) = Journal::open_with(dir.path(), options.clone()).unwrap();
    let jump = found.jump.unwrap();
    assert_eq!((jump.in_files, jump.noted, jump.seen), (3, 3, 20));
    assert_eq!(ranges(&found.missing), [(4, 20)]);
    assert_eq!(found.missing[0].there, None, "the journal never had them");
    assert_eq!(append(&journal, 1), 21);
    drop(journal);
    let (_journal, again) = Journal::open_with(dir.path(), options).unwrap();
    assert_eq!((again.next, again.jump), (22, None));
}

#[test]
fn a_head_that_was_deleted_or_damaged_is_made_anew_from_the_files() {
    let dir = closed(2);
    let head = dir.path().join("journal.head");
    let (journal, first) = open(dir.path());
    drop(journal);
    fs::remove_file(&head).unwrap();
    let (journal, found) = open(dir.path());
    assert_eq!((found.next, found.head_damaged), (7, false));
    assert_eq!(found.missing, []);
    assert_ne!(found.journal, first.journal);
    drop(journal);
    fs::write(&head, "{\"version\":1,\"journ").unwrap();
    let (_journal, found) = open(dir.path());
    assert_eq!((found.next, found.head_damaged), (7, true));
    let text = fs::read_to_string(&head).unwrap();
    assert!(text.contains(&found.journal), "{text}");
}

#[test]
fn a_head_of_a_later_version_is_left_alone() {
    let dir = closed(1);
    let head = dir.path().join("journal.head");
    let text = fs::read_to_string(&head).unwrap();
    let last = text.lines().last().unwrap();
    let json = last
        .rsplit_once(' ')
        .unwrap()
        .0
        .replace("\"version\":1", "\"version\":2");
    let sealed = format!("{json} {:08x}\n", crc_fast::crc32_iscsi(json.as_bytes()));
    fs::write(&head, &sealed).unwrap();
    let error = Journal::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Io(_)), "{error:?}");
    assert_eq!(fs::read_to_string(&head).unwrap(), sealed);
}

#[test]
fn whoever_has_a_journal_without_a_head_gets_one_without_a_word() {
    let dir = closed(3);
    fs::remove_file(dir.path().join("journal.head")).unwrap();
    // What was moved away before is not missed.
    fs::remove_file(&archives(dir.path())[0]).unwrap();
    let (_journal, found) = open(dir.path());
    assert_eq!((found.next, found.jump), (10, None));
    assert_eq!(found.missing, []);
}

#[test]
fn what_is_not_read_in_the_archive_directory_is_named_with_the_reason() {
    let dir = closed(1);
    let archive = dir.path().join("archive");
    for name in [
        "notes.txt",
        "session_1.jsonl.gz",
        "session_1.jsonl.index",
        "session_2.jsonl",
    ] {
        fs::write(
            archive.join(name),
            if name == "session_2.jsonl" { "" } else { "x" },
        )
        .unwrap();
    }
    fs::create_dir(archive.join("session_3.jsonl")).unwrap();
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut expected = vec![
        ("notes.txt", NotRead::Name),
        ("session_1.jsonl.gz", NotRead::Compressed),
        ("session_3.jsonl", NotRead::Directory),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", archive.join("session_4.jsonl")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(archive.join("session_5.jsonl")).unwrap());
        expected.push(("session_4.jsonl", NotRead::BrokenLink));
        expected.push(("session_5.jsonl", NotRead::Special));
    }
    let unread = list_unread(dir.path()).unwrap();
    let found: Vec<_> = unread.iter().map(|one| (&*one.name, one.reason)).collect();
    assert_eq!(found, expected);
    assert_eq!(list_archives(dir.path()).unwrap().len(), 1);
    let (_journal, found) = open(dir.path());
    assert_eq!(found.unread, unread);
}

#[cfg(unix)]
#[test]
fn a_link_under_a_name_of_the_journals_own_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("diary");
    fs::write(&target, "dear diary").unwrap();
    for name in ["journal.owner", "journal.checkpoint", "journal.head.new"] {
        let link = dir.path().join(name);
        // The journal that was opened before has made one.
        let _none: std::io::Result<()> = fs::remove_file(&link);
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let options = Options {
            checkpoint_every: 1,
            ..Options::default()
        };
        let (journal, _) = Journal::open_with(dir.path(), options).unwrap();
        append(&journal, 3);
        assert_eq!(fs::read(&target).unwrap(), b"dear diary", "{name}");
        let is_link = |link: &Path| link.symlink_metadata().is_ok_and(|link| link.is_symlink());
        assert!(!is_link(&link), "{name} was never written");
    }
}

#[test]
fn a_record_with_a_member_of_the_journals_own_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    for (json, member) in [
        (r#"{"a":1,"message_num":7}"#, "message_num"),
        (r#"{"crc":"00000000"}"#, "crc"),
        (r#"{"\u0063rc":null}"#, "crc"),
    ] {
        let value: Box<serde_json::value::RawValue> = serde_json::from_str(json).unwrap();
        let error = journal.append(&value).unwrap_err();
        assert!(error.to_string().contains(member), "{error}");
    }
    let nested = serde_json::json!({"inner": {"crc": 1, "message_num": 2}});
    assert_eq!(journal.append(&nested).unwrap(), 1);
    let lines: Vec<_> = journal::Reader::open(journal.session_path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(lines.len(), 1);
}
